"""Writing pictures: whole or not at all, with what their content carried."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import TiffImagePlugin
from torch import Tensor

from photostyle.errors import ImageError, OutputError
from photostyle.images.containers import carried
from photostyle.images.encoding import encode, lost
from photostyle.images.formats.pillow import opened
from photostyle.images.formats.stored import MANIFEST_KEY
from photostyle.images.formats.table import Format, format_of, written
from photostyle.images.formats.tiff import MANIFEST_TAG
from photostyle.images.picture import Metadata, check_image, read_bytes, resize, to_array
from photostyle.images.profiles import Samples
from photostyle.images.scene import LOG, Primaries, to_log
from photostyle.images.spaces import Space, standard
from photostyle.kinds import suffix_note
from photostyle.places import check_place, check_places, expanded

#: Formats that are written, by suffix.
FORMATS = written()
#: Rows that are rounded at once.
BAND = 256


def save_image(
    path: str | Path,
    image: Tensor,
    metadata: Metadata | None = None,
    manifest: str | None = None,
    *,
    wide: Tensor | None = None,
) -> None:
    """Write an image in the format that the path's suffix names.

    Colours are written in the metadata's space, where the format holds its profile, else in sRGB.
    Values are rounded to the nearest of the file's levels: 16 bits for PNG and TIFF where the
    metadata says so, else 8. JPEG (quality 95, 4:4:4) has no alpha; PNG, TIFF and WebP get the
    metadata's, resampled where its size differs.

    Args:
        path: ends in one of FORMATS; a missing folder is made, an existing file replaced only
            once the new one is complete.
        image: 1×3×H×W float32 in [0, 1], on any device.
        metadata: what the content carried; None stands for 8 bits and nothing else.
        manifest: text for `read_manifest` to give back; PNG and TIFF hold it, the others not.
        wide: as of a `Photo`, to be written in place of the image.

    Raises:
        ImageError: the image breaks the image contract.
        OutputError: the suffix is unknown, the image too large for the format, or the place
            cannot be written.
    """
    path = expanded(path)
    write_together({path: encode_image(path, image, metadata, manifest, wide)})


def encode_image(
    path: Path,
    image: Tensor,
    metadata: Metadata | None = None,
    manifest: str | None = None,
    wide: Tensor | None = None,
) -> bytes:
    """The bytes that `save_image` writes; it takes and raises what that does."""
    check_image(image, f"The picture for {path}")
    form = _format(path)
    if max(image.shape[2:]) > form.longest:
        raise OutputError(
            f"{path}: {form.name} holds at most {form.longest} pixels a side; use .png or .tif."
        )
    metadata = metadata or Metadata()
    log = metadata.scene is not None and metadata.scene.coding == LOG and form.name == "DPX"
    if form.scene or log:
        return encode(form, _scene(image, wide, metadata, form), metadata, manifest)
    space, light = metadata.space if form.holds_profile else None, None
    if metadata.scene:
        wide = None  # the picture is the view of it
    if metadata.hdr and wide is not None:
        if "gain map" in form.keeps:
            light = (space or standard("srgb")).light_of_srgb(to_array(wide))
        wide = wide[1:] if len(wide) > 1 else None
    shown = _in_space(image, wide, space)
    return encode(form, samples(shown, metadata, form), metadata, manifest, light)


def _scene(
    image: Tensor, wide: Tensor | None, metadata: Metadata, form: Format
) -> npt.NDArray[Any]:
    """H×W×3 or H×W×4: light of the scene that a picture is a view of, else of the picture; floats,
    or, for DPX, whole numbers on film's log."""
    values = to_array(image if wide is None else wide)
    primaries = metadata.scene or Primaries()
    light = primaries.light(values) if metadata.scene else primaries.of_srgb(values)
    if not form.scene:
        return np.rint(to_log(light) * 65535).astype(np.uint16)
    if metadata.alpha is not None:
        alpha = torch.from_numpy(np.array(metadata.alpha, dtype=np.float32))[None, None]
        plane = to_array(resize(alpha, (light.shape[0], light.shape[1])))
        light = np.concatenate([light, plane], axis=2)
    most = np.finfo(np.float16).max
    half = form.depth(metadata.bit_depth) == 16
    return light.clip(-most, most).astype(np.float16) if half else light


def _in_space(image: Tensor, wide: Tensor | None, space: Space | None) -> Tensor:
    """1×3×H×W in [0, 1]: an image, or its wide one, in the values of a space, None for sRGB."""
    if space is None and wide is None:
        return image
    values = to_array(image if wide is None else wide)
    own = (space or standard("srgb")).of_srgb(values)
    return torch.from_numpy(np.ascontiguousarray(own.transpose(2, 0, 1)))[None]  # H×W×3 -> 1×3×H×W


def write_together(files: Mapping[Path, bytes]) -> None:
    """Writes files that belong together: all of them complete before the first is in its place,
    and the first one named last.

    Raises:
        OutputError: a place cannot be written, or is named twice; then all of them are as they
            were.
    """
    check_places(files, [])
    with contextlib.ExitStack() as stack:
        for path, data in files.items():
            stack.enter_context(atomic_path(path)).write_bytes(data)


def lost_note(path: str | Path, metadata: Metadata) -> str | None:
    """A sentence for the user when the format of `path` drops what the metadata holds."""
    form = _format(Path(path))
    notes = []
    if metadata.bit_depth > 8 and max(form.depths) == 8:
        notes.append(
            f"{path}: {form.name} has 8 bits a channel, not {metadata.bit_depth}; .png and .tif "
            "have."
        )
    if words := lost(form, metadata):
        *others, last = words
        listed = f"{', '.join(others)} and {last}" if others else last
        other = "" if form.name == "PNG" else "; .png would"
        notes.append(f"{path}: {form.name} does not keep the photograph's {listed}{other}.")
    return " ".join(notes) or None


def read_manifest(path: str | Path) -> str | None:
    """Return the manifest that `save_image` put into a picture, None where there is none.

    Raises:
        ImageError: the file is missing, or no picture.
    """
    try:
        return manifest_in(read_bytes(Path(path)))
    except Exception as error:  # damaged files make the decoders raise nearly anything
        reason = "is no result picture" if Path(path).is_file() else "is not there"
        raise ImageError(f"{path} {reason}; give a result picture or its .json.") from error


def manifest_in(data: bytes) -> str | None:
    """Return the manifest in a picture file's bytes; raises nearly anything where they are none."""
    form = format_of(data)
    if form.name == "TIFF":
        with opened(data) as picture:
            assert isinstance(picture, TiffImagePlugin.TiffImageFile)
            return _from_tags(picture.tag_v2)
    form.loaded().check(data)
    return carried(data).texts.get(MANIFEST_KEY) if form.name == "PNG" else None


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, and put it in the place of `path` at the end.

    The temporary file lies in the same folder (made if missing) and has the same suffix. Whatever
    ends the block early, the temporary file goes and an existing `path` stays as it was. A link
    is followed: what it points at is replaced.

    Raises:
        OutputError: for every OSError on the way, those of the block included.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".photostyle-{secrets.token_hex(6)}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
        _flush(target.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_output(path: str | Path, inputs: Sequence[Path]) -> None:
    """Find out, leaving nothing behind, whether a picture can be written to `path`.

    Raises:
        OutputError: the suffix is not one of FORMATS, the path is a folder or one of the inputs,
            or its folder neither takes files nor can be made.
    """
    _format(Path(path))
    check_place(Path(path), inputs)


def _format(path: Path) -> Format:
    """Return the format that the suffix names, or raise OutputError."""
    try:
        form = FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputError(
            f"{suffix_note(path)} should end in one of {', '.join(FORMATS)}."
        ) from None
    if form.missing:
        raise OutputError(f"{path}: for {form.name} more is needed: {form.missing}.")
    return form


def _flush(path: Path) -> None:
    """Have the system write a file's data, or a folder's entries, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def samples(image: Tensor, metadata: Metadata, form: Format = FORMATS[".png"]) -> Samples:
    """Round to H×W×3, or H×W×4 with the alpha, of the type that the format stores."""
    channels = image.detach().cpu()
    if metadata.alpha is not None and "alpha" in form.keeps:
        alpha = torch.from_numpy(np.array(metadata.alpha, dtype=np.float32))[None, None]  # 1×1×H×W
        height, width = image.shape[2:]
        channels = torch.cat([channels, resize(alpha, (height, width))], dim=1)
    deep = form.depth(metadata.bit_depth) > 8
    kind, white = (np.uint16, 65535) if deep else (np.uint8, 255)
    levels = np.empty((*channels.shape[2:], channels.shape[1]), kind)  # H×W×C
    for top in range(0, len(levels), BAND):  # band by band: all at once takes twice the picture
        band = channels[0, :, top : top + BAND].permute(1, 2, 0).numpy() * white
        levels[top : top + BAND] = np.rint(band)
    return levels


def _from_tags(tags: TiffImagePlugin.ImageFileDirectory_v2) -> str | None:
    """Return the manifest in a TIFF: in its own tag, or, as of old, in the description, whose
    bytes Pillow reads as Latin-1."""
    held: object = tags.get(MANIFEST_TAG, tags.get(TiffImagePlugin.IMAGEDESCRIPTION, b""))
    text = held.encode("latin-1") if isinstance(held, str) else held
    start = f"{MANIFEST_KEY} ".encode()
    if not isinstance(text, bytes) or not text.startswith(start):
        return None
    return text.removeprefix(start).decode()
