"""Spaces and views of OpenColorIO configurations, an extra: to ACES2065-1 and from there."""

import functools
import importlib.util
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from photostyle.errors import OptionError
from photostyle.images.spaces import Array

#: Primaries and white of ACES2065-1 (SMPTE ST 2065-1), which every such configuration can reach.
ACES = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
_ROLE = "aces_interchange"
_SHOWN = 12
_MOST = 65504.0


def to_aces(light: Array, space: str, config: str | None) -> Array:
    """Light in ACES2065-1 of H×W×3 values in a space of a configuration.

    Args:
        config: a file; without it the one that $OCIO names, else OpenColorIO's own.

    Raises:
        OptionError: OpenColorIO is not installed, or there is no such file or space.
    """
    return _turned(light, _between(space, _named(config), False))


def of_aces(light: Array, space: str, config: str | None) -> Array:
    """The inverse of `to_aces`."""
    return _turned(light, _between(space, _named(config), True))


def to_display(light: Array, view: str, config: str | None) -> Array:
    """Values of a display H×W×3, of light in ACES2065-1.

    Args:
        view: DISPLAY/VIEW, as the configuration has them.

    Raises:
        OptionError: as `to_aces`, or there is no such display or view.
    """
    return _turned(light, _viewing(view, _named(config), False))


def of_display(values: Array, view: str, config: str | None) -> Array:
    """The inverse of `to_display`, as far as the view has one."""
    return _turned(values, _viewing(view, _named(config), True))


def check_words(space: str | None, view: str | None, config: str | None) -> None:
    """Raises OptionError where `to_aces` or `to_display` would."""
    if space is not None:
        _between(space, _named(config), False)
    if view is not None:
        _viewing(view, _named(config), True)


def _turned(values: Array, processor: Any) -> Array:
    pixels = np.array(values, np.float32, order="C")
    processor.applyRGB(pixels)
    return np.nan_to_num(pixels, copy=False, posinf=_MOST, neginf=-_MOST)


def _named(config: str | None) -> str:
    return config or os.environ.get("OCIO") or "ocio://default"


@functools.lru_cache(maxsize=4)
def _config(config: str) -> Any:
    if not importlib.util.find_spec("PyOpenColorIO"):
        raise OptionError(
            '--input-space and --view: OpenColorIO is needed: pip install "photostyle[vfx]".'
        )
    import PyOpenColorIO as ocio

    try:
        found = ocio.Config.CreateFromFile(config)
    except ocio.Exception as error:
        words = " ".join(str(error).split())[:200]
        raise OptionError(f"--ocio {config}: it is no configuration ({words}).") from None
    if not found.hasRole(_ROLE):
        raise OptionError(
            f"--ocio {config}: it has no role {_ROLE}, by which its spaces compare with others."
        )
    return found


@functools.lru_cache(maxsize=8)
def _between(space: str, config: str, back: bool) -> Any:
    found = _config(config)
    if found.getColorSpace(space) is None:
        raise OptionError(
            f"--input-space {space}: {config} has no such space; there are "
            f"{_listed(found.getColorSpaceNames())}."
        )
    ends = (_ROLE, space) if back else (space, _ROLE)
    return found.getProcessor(*ends).getDefaultCPUProcessor()


@functools.lru_cache(maxsize=8)
def _viewing(view: str, config: str, back: bool) -> Any:
    found = _config(config)
    import PyOpenColorIO as ocio

    views = [f"{display}/{name}" for display in found.getDisplays()
             for name in found.getViews(display)]  # fmt: skip
    if view not in views:
        raise OptionError(
            f"--view {view}: {config} has no such display and view; there are {_listed(views)}."
        )
    display, _, name = view.partition("/")
    direction = ocio.TRANSFORM_DIR_INVERSE if back else ocio.TRANSFORM_DIR_FORWARD
    source = found.getColorSpace(_ROLE).getName()
    try:
        step = ocio.DisplayViewTransform(source, display, name, direction=direction)
        return found.getProcessor(step).getDefaultCPUProcessor()
    except ocio.Exception:
        raise OptionError(f"--view {view}: it has no inverse; choose another.") from None


def _listed(names: Iterable[str]) -> str:
    some = list(names)
    more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
    return ", ".join(some[:_SHOWN]) + more
