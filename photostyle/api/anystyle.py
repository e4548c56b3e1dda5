"""Networks for any style with the styles they are to take."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from photostyle.config.universal import LatentsConfig
from photostyle.errors import OptionError
from photostyle.feedforward.style_model import StyleModel, load_model
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.photograph import photograph
from photostyle.images.picture import image_size
from photostyle.objective.styles import check_shares, fitted_image
from photostyle.places import expanded
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Reference
from photostyle.universal.files import UniversalModel, is_universal, load_universal
from photostyle.universal.styling import Stylist, stylist

#: Long side at which styles are read, at most, and the shortest side that they keep.
STYLE_SIDE, LEAST_SIDE = 512, 48


def universal_model(model: object, device: torch.device | str = "cpu") -> UniversalModel | None:
    """The network for any style that `model` is or that lies in its file; None where it is another
    network."""
    if isinstance(model, UniversalModel):
        return model
    if isinstance(model, str | os.PathLike) and is_universal(expanded(model)):
        return load_universal(expanded(model), device=device)
    return None


def loaded(model: object, device: torch.device | str = "cpu") -> StyleModel:
    """The network for one style that `model` is or names."""
    return model if isinstance(model, StyleModel) else load_model(expanded(model), device)  # type: ignore[arg-type]


def model_files(model: str | os.PathLike[str] | StyleModel | UniversalModel) -> list[Path]:
    """The network's file, where it is one."""
    return [] if isinstance(model, StyleModel | UniversalModel) else [expanded(model)]


def stylist_of(
    model: UniversalModel,
    style: PictureLike | Sequence[PictureLike] | None,
    device: torch.device,
    transfer: str | None = None,
    alpha: float = 1.0,
    blend: Sequence[float] | None = None,
) -> Stylist:
    """The network with its styles, encoded once.

    Raises:
        OptionError: no style, or shares or a transfer that do not fit.
        ImageError: a style that cannot be used.
    """
    if style is None:
        raise OptionError("--style is missing: this network takes any style, so give one or more.")
    photos = [photograph(picture_of(x, "The style")) for x in listed(style)]
    check_shares(len(photos), blend)
    usual = "adain" if model.method == "artflow" else "wct"
    options = LatentsConfig(transform=model.method, transfer=transfer or usual, alpha=alpha)
    parts = list(blend or [1.0] * len(photos))
    references = []
    for photo, part in zip(photos, parts, strict=True):
        image = fitted_image(photo.image, STYLE_SIDE, LEAST_SIDE).to(device)
        weight = photo.weight_at(image_size(image))
        masks = counted(image.new_ones(1, *image.shape[2:]), weight)
        references.append(Reference(image, masks, part / sum(parts)))
    return stylist(model.transforms, references, options)
