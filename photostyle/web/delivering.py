"""Finished results delivered: as views at any strength, at full size, as heat maps. Runs in a
worker, without any solve."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle import views
from photostyle.config.config import Config
from photostyle.config.files import from_dict
from photostyle.config.rendering import RenderConfig
from photostyle.finish.delivery import Grade, deliver, fitting_metadata
from photostyle.finish.keeping import FINDERS, found
from photostyle.images.photograph import Photograph, framed
from photostyle.images.picture import image_size, resize
from photostyle.images.saving import encode_image
from photostyle.segmentation.masks import resize_masks
from photostyle.web.pictures import photo_of, png, png_of, put, view_size
from photostyle.web.refusing import Refused
from photostyle.web.workshop import Bench

#: Endings of the pictures that can be kept, and those that hold 16 bits.
FORMS, DEEP = ("png", "jpg", "tif", "webp"), ("png", "tif")


def view(bench: Bench, result: str, content: str, options: dict[str, Any]) -> bytes:
    """The result at the size of the page's views, under options of rendering."""
    photo = photo_of(content)
    return png(_delivered(result, _viewed(photo), options))


def full(bench: Bench, result: str, content: str, options: dict[str, Any]) -> bytes:
    """The result at its own size, for looking at closely."""
    from photostyle.web.pictures import FINE_QUALITY, jpeg

    return jpeg(_delivered(result, photo_of(content), options), FINE_QUALITY)


def protected(bench: Bench, content: str, what: str) -> bytes:
    """Where there is skin, something neutral, or sky: a grey picture at the size of the views."""
    if what not in FINDERS:
        raise Refused(f"What can be protected by its look is {', '.join(FINDERS)}.")
    plane = found(_viewed(photo_of(content)).image, what)
    return png_of(plane.mul(255).round().byte().numpy())


def heat(bench: Bench, result: str, content: str, options: dict[str, Any], kind: str) -> bytes:
    """A heat map over the result: stains, or departures from the content."""
    photo = _viewed(photo_of(content))
    image = _delivered(result, photo, options)
    if kind == "departures":
        return png(views.departures(photo.image, image).image)
    grade = Grade.load(Path(result) / "grade.safetensors")
    masks = resize_masks(grade.masks, image_size(image))
    return png(views.stains(photo.image, image, masks).image)


def keep(
    bench: Bench, result: str, content: str, options: dict[str, Any], form: str, depth: int,
    called: str,
) -> str:  # fmt: skip
    """Writes the result at full size beside what is kept of it; gives the file's name.

    Args:
        form: one of `FORMS`. depth: bits per channel. called: the name that it will have.
    """
    if form not in FORMS or depth not in (8, 16):
        raise Refused(f"Results are kept as {', '.join(FORMS)}, with 8 or 16 bits.")
    photo = photo_of(content)
    image = _delivered(result, photo, options)
    bench.check()
    deep = 16 if depth == 16 and form in DEEP else 8
    metadata = fitting_metadata(photo, image, RenderConfig(bit_depth=str(deep)))
    text = manifest(result, options, called, image)
    path = Path(result) / f"result.{form}"
    put(path, encode_image(path, image, metadata, manifest=text))
    return path.name


def bundle(
    bench: Bench, result: str, content: str, options: dict[str, Any], form: str, depth: int,
    called: str, labels: dict[str, str],
) -> str:  # fmt: skip
    """The picture with all that `photostyle render` and `replay` take, as an archive.

    Args:
        labels: paths of label pictures by the names that they will have.
    """
    name = keep(bench, result, content, options, form, depth, f"{called}.{form}")
    text = manifest(result, options, f"{called}.{form}", None)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.write(Path(result) / name, f"{called}.{form}")
        archive.write(Path(result) / "grade.safetensors", f"{called}.grade.safetensors")
        archive.writestr(f"{called}.json", text)
        for label, path in labels.items():
            archive.write(path, label)
    put(Path(result) / "bundle.zip", out.getvalue())
    return "bundle.zip"


def manifest(result: str, options: dict[str, Any], called: str, image: Tensor | None) -> str:
    """The manifest of a result as it is delivered."""
    data = json.loads((Path(result) / "manifest.json").read_bytes())
    config = from_dict(data["config"], "the manifest").with_options({"output_size": None})
    data["config"] = config.with_options(options).to_dict()
    if image is not None:
        data["size"] = [image.shape[3], image.shape[2]]
    return json.dumps({"picture": called, **data}, indent=1)


def _delivered(result: str, photo: Photograph, options: dict[str, Any]) -> Tensor:
    grade = Grade.load(Path(result) / "grade.safetensors")
    chosen = Config().with_options(options).render
    return framed(deliver(photo, grade, chosen), photo)


def _viewed(photo: Photograph) -> Photograph:
    """The photograph at the size of the page's views."""
    size = view_size(image_size(photo.image))
    own = None if photo.own is None else resize(photo.own, size)
    return replace(photo, image=resize(photo.image, size), own=own, weight=photo.weight_at(size))
