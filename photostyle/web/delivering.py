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
from photostyle.finish.delivery import Grade, deliver, deliver_wide, fitting_metadata
from photostyle.finish.keeping import FINDERS, found
from photostyle.images.photograph import Photograph, framed
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.images.saving import encode_image
from photostyle.segmentation.masks import resize_masks
from photostyle.web.pictures import photo_of, png, png_of, put, view_size
from photostyle.web.refusing import Refused
from photostyle.web.turning import depths_of
from photostyle.web.workshop import Bench


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
    masks = resize_masks(_grade(result).masks, image_size(image))
    return png(views.stains(photo.image, image, masks).image)


def keep(
    bench: Bench, result: str, content: str, options: dict[str, Any], form: str, depth: int,
    called: str,
) -> str:  # fmt: skip
    """Writes the result at full size beside what is kept of it; gives the file's name.

    Args:
        form: the suffix of a format that is written here. depth: bits per channel, of those that
            it holds. called: the name that it will have.
    """
    depths_of(form, depth)
    photo, chosen = photo_of(content), _chosen(options)
    image = _delivered(result, photo, options)
    bench.check()
    wide = deliver_wide(photo, _grade(result), chosen)
    metadata = replace(fitting_metadata(photo, image, chosen), bit_depth=depth)
    if depth in (8, 16):
        options = {**options, "bit_depth": str(depth)}
    path = Path(result) / f"result.{form}"
    text = _manifest(result, options, called, image_size(image))
    put(path, encode_image(path, image, metadata, text, wide))
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
    text = manifest(bench, result, content, options, f"{called}.{form}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.write(Path(result) / name, f"{called}.{form}")
        archive.write(Path(result) / "grade.safetensors", f"{called}.grade.safetensors")
        archive.writestr(f"{called}.json", text)
        for label, path in labels.items():
            archive.write(path, label)
    put(Path(result) / "bundle.zip", out.getvalue())
    return "bundle.zip"


def manifest(bench: Bench, result: str, content: str, options: dict[str, Any], called: str) -> str:
    """The manifest of a result as it is delivered under options of rendering."""
    own, most = image_size(photo_of(content).image), options.get("output_size")
    size = fit_size(own, most) if most else _grade(result).maps.size_on(own)
    return _manifest(result, options, called, size)


def _manifest(result: str, options: dict[str, Any], called: str, size: tuple[int, int]) -> str:
    data = json.loads((Path(result) / "manifest.json").read_bytes())
    config = from_dict(data["config"], "the manifest").with_options({"output_size": None})
    data["config"] = config.with_options(options).to_dict()
    data["size"] = [size[1], size[0]]
    return json.dumps({"picture": called, **data}, indent=1)


def pack(bench: Bench, files: dict[str, str], path: str) -> None:
    """Puts finished files into an archive.

    Args:
        files: paths by the names that they will have. path: of the archive.
    """
    part = Path(path).with_suffix(".part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for name, file in files.items():
                bench.check()
                archive.write(file, name)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _chosen(options: dict[str, Any]) -> RenderConfig:
    return Config().with_options(options).render


def _grade(result: str) -> Grade:
    return Grade.load(Path(result) / "grade.safetensors")


def _delivered(result: str, photo: Photograph, options: dict[str, Any]) -> Tensor:
    return framed(deliver(photo, _grade(result), _chosen(options)), photo)


def _viewed(photo: Photograph) -> Photograph:
    """The photograph at the size of the page's views."""
    size = view_size(image_size(photo.image))
    own = None if photo.own is None else resize(photo.own, size)
    return replace(photo, image=resize(photo.image, size), own=own, weight=photo.weight_at(size))
