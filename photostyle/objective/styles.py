"""The style pictures of a run: how many go with which options, and at what size they are seen."""

import math
from collections.abc import Sequence

from torch import Tensor

from photostyle.config.config import Config
from photostyle.errors import OptionError
from photostyle.images.picture import fit_size, image_size, resize


def check_styles(count: int, config: Config) -> None:
    """Checks that the options can do with so many style pictures.

    Raises:
        OptionError: there is none, the shares of --style-blend are not one for each, or something
            in use takes a single style.
    """
    blend = config.objective.style_blend
    if count == 0:
        raise OptionError("--style: there is no picture; give one or several.")
    check_shares(count, blend)
    single = _takes_one(config)
    if count > 1 and single:
        raise OptionError(
            f"--style: {count} pictures are given, but {single} takes one; --preset gatys takes "
            "several."
        )


def check_shares(count: int, blend: Sequence[float] | None) -> None:
    """Raises OptionError unless there is a share for each of so many styles, or none at all."""
    if blend is not None and (len(blend) != count or sum(blend) <= 0 or min(blend) < 0):
        raise OptionError(
            f"--style-blend {','.join(f'{x:g}' for x in blend)}: give one share for each of the "
            f"{count} style pictures, not all of them 0."
        )


def _takes_one(config: Config) -> str | None:
    """The option in use that has no meaning for several styles."""
    terms = {term for solve in config.optimize.chosen for term in solve.terms}
    if config.optimize.init == "color":
        return "--init color"
    if "swd" in terms and config.objective.swd_weight > 0:
        return "--swd-weight"
    return "--style-term mrf" if config.objective.style_term == "mrf" else None


def resized_style(style: Tensor, content: Tensor, scale: float, least: int) -> Tensor:
    """A style in its own proportions, enlarged where that is needed.

    Args:
        style: 1×3×h×w as it came. content: 1×3×H×W at the working size.
        scale: the style's long side as a share of the content's.
        least: shortest side in pixels.
    """
    height, width = image_size(style)
    factor = max(scale * max(image_size(content)) / max(height, width), least / min(height, width))
    return resize(style, (round(height * factor), round(width * factor)))


def fitted_image(image: Tensor, long_side: int, least: int) -> Tensor:
    """A picture 1×3×H×W at a working size; a narrow one at a larger, so that its shorter side keeps
    `least` pixels."""
    height, width = image_size(image)
    needed = math.ceil(least * max(height, width) / min(height, width))
    return resize(image, fit_size((height, width), max(long_side, needed)))
