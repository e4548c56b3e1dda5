"""Warnings on finished pictures, from what their manifests know of their runs."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from photostyle.beside import grade_path
from photostyle.config.config import Config
from photostyle.errors import InputError
from photostyle.faults import faults
from photostyle.finish.delivery import Grade
from photostyle.images.photograph import Photograph, photograph, unframed
from photostyle.images.picture import fit_size, image_size, load_image, resize, same_proportions
from photostyle.result import Result, beside_content, load_recipe
from photostyle.segmentation.masks import counted
from photostyle.smoothness import SIDE


def is_painting(config: Config) -> bool:
    """Whether a run's result is none that photographs are judged by."""
    return config.render.deliver == "pixels"


def judged(result: Result, content: Photograph, size: tuple[int, int]) -> tuple[str, ...]:
    """What looks wrong in a result, looked at in a size (height, width)."""
    if is_painting(result.config):
        return ()
    image, full, masks = beside_content(result, content, size)
    return faults(image, full, masks, result.styles, result.masks.regions)


def judged_again(image: Tensor, picture: Path, side: Path | None = None) -> tuple[str, ...]:
    """What looks wrong in a picture 1×3×H×W that was made of a saved result; nothing where that
    does not know its content any more.

    Args:
        picture: the result. side: the folder of its side files, where these have one.
    """
    try:
        recipe = load_recipe(picture, side)
        content = photograph(load_image(recipe.inputs.content.file("content")))
        styles = [load_image(style.file("style")).image for style in recipe.inputs.styles]
        grade = Grade.load(grade_path(picture, recipe.side_files))
    except InputError:
        return ()
    size = image_size(content.image)
    if is_painting(recipe.config) or not same_proportions(image_size(image), size):
        return ()
    return compared(image, content, grade.masks, styles)


def compared(
    image: Tensor, content: Photograph, masks: Tensor, styles: Sequence[Tensor] = ()
) -> tuple[str, ...]:
    """What looks wrong in a picture of a content whose regions are known: K×h×w masks."""
    counts = counted(masks, content.weight_at((masks.shape[1], masks.shape[2])))
    size = fit_size(image_size(image), SIDE)  # before all else, as photographs are large
    small = resize(unframed(image, content), size)
    return faults(small, resize(content.image, size), counts, styles)
