"""Writing pictures: whole or not at all, with what their content carried."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import TiffImagePlugin
from torch import Tensor

from photostyle.errors import ImageError, OutputError
from photostyle.images.containers import carried
from photostyle.images.decoding import MANIFEST_KEY, opened
from photostyle.images.encoding import MANIFEST_TAG, encode, lost
from photostyle.images.picture import Metadata, check_image, read_bytes, resize
from photostyle.images.profiles import Samples
from photostyle.kinds import suffix_note
from photostyle.places import check_place, check_places, expanded

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".jfif": "JPEG",
}
#: Rows that are rounded at once.
BAND = 256
#: Formats that hold 16 bits a channel.
DEEP = ("PNG", "TIFF")
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383}


def save_image(
    path: str | Path,
    image: Tensor,
    metadata: Metadata | None = None,
    manifest: str | None = None,
) -> None:
    """Write an image in the format that the path's suffix names.

    Values are rounded to the nearest of the file's levels: 16 bits for PNG and TIFF where the
    metadata says so, else 8. JPEG (quality 95, 4:4:4) has no alpha; PNG, TIFF and WebP get the
    metadata's, resampled where its size differs.

    Args:
        path: ends in one of FORMATS; a missing folder is made, an existing file replaced only
            once the new one is complete.
        image: 1×3×H×W float32 in [0, 1], on any device.
        metadata: what the content carried; None stands for 8 bits and nothing else.
        manifest: text for `read_manifest` to give back; PNG and TIFF hold it, the others not.

    Raises:
        ImageError: the image breaks the image contract.
        OutputError: the suffix is unknown, the image too large for the format, or the place
            cannot be written.
    """
    path = expanded(path)
    write_together({path: encode_image(path, image, metadata, manifest)})


def encode_image(
    path: Path, image: Tensor, metadata: Metadata | None = None, manifest: str | None = None
) -> bytes:
    """The bytes that `save_image` writes; it takes and raises what that does."""
    check_image(image, f"The picture for {path}")
    form = _format(path)
    if max(image.shape[2:]) > _LONGEST_SIDE.get(form, 2**31):
        raise OutputError(
            f"{path}: {form} holds at most {_LONGEST_SIDE[form]} pixels a side; use .png or .tif."
        )
    metadata = metadata or Metadata()
    return encode(form, samples(image, metadata, form), metadata, manifest)


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
    name = "WebP" if form == "WEBP" else form
    notes = []
    if metadata.bit_depth == 16 and form not in DEEP:
        notes.append(f"{path}: {name} has 8 bits a channel, not 16; .png and .tif have.")
    if words := lost(form, metadata):
        *others, last = words
        listed = f"{', '.join(others)} and {last}" if others else last
        other = "" if form == "PNG" else "; .png would"
        notes.append(f"{path}: {name} does not keep the photograph's {listed}{other}.")
    return " ".join(notes) or None


def read_manifest(path: str | Path) -> str | None:
    """Return the manifest that `save_image` put into a picture, None where there is none.

    Raises:
        ImageError: the file is missing, or no picture.
    """
    try:
        data = read_bytes(Path(path))
        with opened(data) as picture:
            if isinstance(picture, TiffImagePlugin.TiffImageFile):
                return _from_tags(picture.tag_v2)
            return carried(data).texts.get(MANIFEST_KEY) if picture.format == "PNG" else None
    except Exception as error:  # damaged files make the decoders raise nearly anything
        reason = "is no result picture" if Path(path).is_file() else "is not there"
        raise ImageError(f"{path} {reason}; give a result picture or its .json.") from error


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


def _format(path: Path) -> str:
    """Return the format that the suffix names, or raise OutputError."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputError(
            f"{suffix_note(path)} should end in one of {', '.join(FORMATS)}."
        ) from None


def _flush(path: Path) -> None:
    """Have the system write a file's data, or a folder's entries, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def samples(image: Tensor, metadata: Metadata, form: str) -> Samples:
    """Round to H×W×3, or H×W×4 with the alpha, of the type that the format stores."""
    channels = image.detach().cpu()
    if metadata.alpha is not None and form != "JPEG":
        alpha = torch.from_numpy(np.array(metadata.alpha, dtype=np.float32))[None, None]  # 1×1×H×W
        height, width = image.shape[2:]
        channels = torch.cat([channels, resize(alpha, (height, width))], dim=1)
    deep = metadata.bit_depth == 16 and form in DEEP
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
