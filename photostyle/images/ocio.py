"""Spaces of OpenColorIO configurations, an extra: a file's light to ACES2065-1 and back."""

import functools
import importlib.util
import os
from typing import Any

import numpy as np

from photostyle.errors import OptionError
from photostyle.images.spaces import Array

#: Primaries and white of ACES2065-1 (SMPTE ST 2065-1), which every such configuration can reach.
ACES = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, 0.32168, 0.33767)
_ROLE = "aces_interchange"
_SHOWN = 12


def to_aces(light: Array, space: str, config: str | None) -> Array:
    """Light in ACES2065-1 of H×W×3 values in a space of a configuration.

    Args:
        config: a file; without it the one that $OCIO names, else OpenColorIO's own.

    Raises:
        OptionError: OpenColorIO is not installed, or there is no such file or space.
    """
    return _turned(light, space, config, back=False)


def of_aces(light: Array, space: str, config: str | None) -> Array:
    """The inverse of `to_aces`."""
    return _turned(light, space, config, back=True)


def check_space(space: str, config: str | None) -> None:
    """Raises OptionError as `to_aces` does."""
    _turned(np.zeros((1, 1, 3), np.float32), space, config, back=False)


def _turned(light: Array, space: str, config: str | None, back: bool) -> Array:
    pixels = np.ascontiguousarray(light, np.float32).copy()
    _processor(space, config or os.environ.get("OCIO") or "ocio://default", back).applyRGB(pixels)
    return pixels


@functools.lru_cache(maxsize=8)
def _processor(space: str, config: str, back: bool) -> Any:
    if not importlib.util.find_spec("PyOpenColorIO"):
        raise OptionError(
            '--input-space: for OpenColorIO more is needed: pip install "photostyle[vfx]".'
        )
    import PyOpenColorIO as ocio

    try:
        found = ocio.Config.CreateFromFile(config)
    except ocio.Exception as error:
        words = " ".join(str(error).split())[:200]
        raise OptionError(f"--ocio {config}: it is no configuration ({words}).") from None
    if found.getColorSpace(space) is None:
        names = list(found.getColorSpaceNames())
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise OptionError(
            f"--input-space {space}: {config} has no such space; there are "
            f"{', '.join(names[:_SHOWN])}{more}."
        )
    try:
        ends = (_ROLE, space) if back else (space, _ROLE)
        return found.getProcessor(*ends).getDefaultCPUProcessor()
    except ocio.Exception:
        raise OptionError(
            f"--ocio {config}: it has no role {_ROLE}, by which its spaces compare with others."
        ) from None
