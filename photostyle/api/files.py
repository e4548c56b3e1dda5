"""Pictures and masks that were given in Python as files, for jobs that may run anywhere."""

import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from photostyle.errors import OptionError
from photostyle.images.given import PictureLike, picture_of
from photostyle.images.listing import PICTURES, pictures_in
from photostyle.images.saving import save_image
from photostyle.jobs.report import results
from photostyle.places import expanded
from photostyle.segmentation.arrays import MaskLike, fingerprint, mask_of
from photostyle.segmentation.labels import write_labels
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.preview import colours_of

#: Folder, below that of the results, of pictures and masks that came as no files.
INPUTS = "inputs"


def picture_file(given: PictureLike, folder: Path, name: str) -> Path:
    """The picture's path; what is no file is written below the folder, with 16 bits unless it has
    8, under a name made of its values.

    Raises:
        ImageError: it cannot be used.
        OutputError: the folder cannot be written.
    """
    if isinstance(given, str | os.PathLike):
        return expanded(given)
    photo = picture_of(given, name)
    if photo.path is not None:
        return photo.path
    path = folder / INPUTS / f"{photo.sha256[:16]}.png"
    if not path.exists():
        save_image(path, photo.shown, replace(photo.metadata, exif=None), wide=photo.wide)
    return path


def picture_files(
    given: Iterable[PictureLike], folder: Path, name: str, suffixes: Collection[str] = PICTURES
) -> list[Path]:
    """The paths of pictures as `picture_file` gives them, of folders those of their pictures.

    Args:
        suffixes: of what counts in a folder, lower case.

    Raises:
        ImageError: one cannot be used. OptionError: there is none, or a folder without pictures.
        OutputError: the folder cannot be written.
    """
    given = list(given)
    if not given:
        raise OptionError("There is no picture; give one or more, or their folder.")
    return [
        path for one in given for path in pictures_at(picture_file(one, folder, name), suffixes)
    ]


def pictures_at(given: Path, suffixes: Collection[str] = PICTURES) -> list[Path]:
    """A picture itself; of a folder its pictures, or those that jobs left in it.

    Raises:
        OptionError: a folder without pictures.
    """
    if not given.is_dir():
        return [given]
    found = results(given)
    if found is None:
        found = pictures_in(given, suffixes)
    if not found:
        what = "picture" if suffixes == PICTURES else "picture and no film"
        raise OptionError(f"{given}: there is no {what} in this folder.")
    return found


def mask_file(given: MaskLike | None, folder: Path, name: str) -> Path | None:
    """The mask's path; what is no file is written below the folder: labels as a label picture,
    soft masks as a folder with an 8-bit picture for each region.

    Raises:
        MaskError: it cannot be used.
        OutputError: the folder cannot be written.
    """
    mask = mask_of(given, name)
    if not isinstance(mask, LabelMap):
        return mask
    path = folder / INPUTS / fingerprint(mask)[:16]
    if mask.soft is None:
        path = path.with_suffix(".png")
        write_labels(path, mask, colours_of(mask.names))
        return path
    for region, plane in zip(mask.names, mask.soft, strict=True):
        grey = torch.from_numpy(np.ascontiguousarray(plane)).expand(1, 3, *plane.shape)
        save_image(path / f"{region.strip('()')}.png", grey.clamp(0, 1))
    return path
