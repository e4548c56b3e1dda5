"""Delivery: the finished maps on the full-size content, at the strength and size asked for.

Nothing is optimised here, so a finished run can be delivered again at once.
"""

import dataclasses

import torch
from torch import Tensor

from photostyle.config import RenderConfig
from photostyle.errors import OptionError
from photostyle.images import Metadata, Photo, fit_size, resize
from photostyle.render import LocalAffine
from photostyle.segmentation.masks import Masks


def deliver(
    photo: Photo,
    maps: LocalAffine,
    masks: Masks,
    options: RenderConfig,
    working: Tensor | None = None,
) -> Tensor:
    """The result at the size and strength asked for.

    Args:
        photo: the content at its own size.
        maps: local affine maps from content to result, at the working size.
        masks: at the working size; their names are those of `options.strength`.
        working: 1×3×h×w finished picture at the working size, taken as it is when it already has
            the size asked for and full strength.

    Returns:
        1×3×H×W in [0, 1].

    Raises:
        OptionError: a strength that is no number in [0, 1], or a region that is not there.
    """
    size = fit_size(_size(photo.image), options.output_size or max(_size(photo.image)))
    strength = strength_map(options.strength, masks)
    if working is not None and _size(working) == size and bool((strength == 1).all()):
        return working.cpu()
    return maps.faded(strength).apply(resize(photo.image, size))


def strength_map(text: str, masks: Masks) -> Tensor:
    """h×w strengths in [0, 1] from words such as "0.8" or "0.8,blue=0.5".

    Raises:
        OptionError: as for `deliver`.
    """
    values = {region.name: 1.0 for region in masks.regions}
    for word in text.split(","):
        name, separator, number = word.strip().rpartition("=")
        if separator and name not in values:
            known = ", ".join(values)
            raise OptionError(f"--strength {text}: there is no region {name!r}; there is {known}.")
        values.update(dict.fromkeys([name] if separator else values, _strength(number, text)))
    weights = torch.tensor(list(values.values()))[:, None, None]
    return (masks.content.cpu() * weights).sum(dim=0).clamp(0.0, 1.0)


def fitting_metadata(photo: Photo, image: Tensor) -> Metadata:
    """The photograph's metadata with its alpha channel at the image's size."""
    alpha = photo.metadata.alpha
    if alpha is None:
        return photo.metadata
    plane = torch.from_numpy(alpha).float()[None, None]  # H×W -> 1×1×H×W
    fitted = resize(plane, _size(image))[0, 0].numpy()
    return dataclasses.replace(photo.metadata, alpha=fitted)


def _strength(word: str, text: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise OptionError(
            f"--strength {text}: {word!r} is no number from 0 to 1; write 0.7 or blue=0.5."
        )
    return value


def _size(image: Tensor) -> tuple[int, int]:
    return image.shape[2], image.shape[3]
