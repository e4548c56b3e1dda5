"""Writing pictures: whole or not at all, with what their content carried.

PNG and TIFF are put together here, from OpenCV's and zlib's compressed pixels, as Pillow writes
colours of 8 bits only; JPEG and WebP are Pillow's.

References: PNG specification, third edition, section 11.3; TIFF 6.0, sections 8, 14 and 18.
"""

import contextlib
import io
import os
import secrets
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, TiffImagePlugin
from torch import Tensor

from photostyle.errors import ImageError, OutputError
from photostyle.images.decoding import MANIFEST_KEY, byte_text
from photostyle.images.picture import Metadata, check_image, resize
from photostyle.images.profiles import Array, Samples

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
QUALITY = 95
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383}
_JPEG_EXIF_BYTES = 65533
_DEFLATE, _RGB, _UNASSOCIATED, _DIFFERENCES = 8, 2, 2, 2  # TIFF's codes


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
    path = Path(path)
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
    pixels = samples(image, metadata, form)
    if form == "PNG":
        return _png(pixels, metadata, manifest)
    if form == "TIFF":
        return _tiff(pixels, metadata, manifest)
    return _lossy(pixels, metadata, form)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Writes files that belong together: all of them complete before the first is in its place,
    and the first one named last.

    Raises:
        OutputError: a place cannot be written; then all of them are as they were.
    """
    for path in files:
        check_place(path, [])
    with contextlib.ExitStack() as stack:
        for path, data in files.items():
            stack.enter_context(atomic_path(path)).write_bytes(data)


def alpha_note(path: Path, metadata: Metadata) -> str | None:
    """A sentence for the user when the format of `path` drops a transparency that is there."""
    if _format(path) != "JPEG" or metadata.alpha is None or bool(np.all(metadata.alpha == 1)):
        return None
    return f"{path}: JPEG has no transparency, so the photograph's is lost; .png would keep it."


def read_manifest(path: str | Path) -> str | None:
    """Return the manifest that `save_image` put into a picture, None where there is none.

    Raises:
        ImageError: the file is missing, or no picture.
    """
    try:
        with Image.open(path) as picture:
            if isinstance(picture, TiffImagePlugin.TiffImageFile):
                return _from_description(picture.tag_v2.get(270, ""))
            text = picture.info.get(MANIFEST_KEY) if picture.format == "PNG" else None
            return None if text is None else str(text)
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


def check_place(path: Path, inputs: Sequence[Path]) -> None:
    """Find out, leaving nothing behind, whether a file can be written to `path`.

    Raises:
        OutputError: the path is a folder or one of the inputs, or its folder neither takes files
            nor can be made.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; give the name of a file in it.")
        if any(_same_file(path, given) for given in inputs):
            raise OutputError(f"{path} is one of the inputs; give the output another name.")
        folder = Path(os.path.realpath(path)).parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            raise OutputError(f"{path} cannot be written, as {folder} is a file and no folder.")
        with tempfile.TemporaryFile(dir=folder):  # permissions alone mislead for root
            pass
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{path} cannot be written: {reason}; choose another place.") from error


def _format(path: Path) -> str:
    """Return the format that the suffix names, or raise OutputError."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputError(f"{path} should end in one of {', '.join(FORMATS)}.") from None


def _same_file(path: Path, given: Path) -> bool:
    if path.exists() and given.exists():
        return path.samefile(given)
    return os.path.realpath(path) == os.path.realpath(given)


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
    deep = metadata.bit_depth == 16 and form in ("PNG", "TIFF")
    levels = channels[0].permute(1, 2, 0).numpy() * (65535 if deep else 255)  # H×W×C
    rounded: Array = np.rint(levels)
    return rounded.astype(np.uint16) if deep else rounded.astype(np.uint8)


def _lossy(pixels: Samples, metadata: Metadata, form: str) -> bytes:
    """Encode as JPEG or WebP; EXIF too long for a JPEG is left out."""
    exif = metadata.exif or b""
    if form == "JPEG" and len(exif) > _JPEG_EXIF_BYTES:
        exif = b""
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file,
        form,
        quality=QUALITY,
        exif=exif,
        icc_profile=metadata.icc_profile,
        **({"subsampling": 0} if form == "JPEG" else {"exact": True}),
    )
    return file.getvalue()


def _png(pixels: Samples, metadata: Metadata, manifest: str | None) -> bytes:
    """Encode as PNG: OpenCV's file with our chunks after its header."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    done, encoded = cv2.imencode(".png", pixels[..., order], [cv2.IMWRITE_PNG_COMPRESSION, 5])
    if not done:
        raise OutputError("The picture cannot be encoded as PNG; use .tif.")
    data = encoded.tobytes()
    chunks = b""
    if metadata.icc_profile:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc_profile))
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif.removeprefix(b"Exif\0\0"))
    if manifest is not None:
        chunks += _chunk(b"iTXt", MANIFEST_KEY.encode() + b"\0\0\0\0\0" + manifest.encode())
    header = 8 + 25  # signature and IHDR
    return data[:header] + chunks + data[header:]


def _chunk(name: bytes, content: bytes) -> bytes:
    """Return a PNG chunk: length, name, content, checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def _tiff(pixels: Samples, metadata: Metadata, manifest: str | None) -> bytes:
    """Encode as little-endian TIFF: one strip, DEFLATE over horizontal differences."""
    height, width, channels = pixels.shape
    differences = np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1]))  # modulo 2^bits
    strip = zlib.compress(differences.astype(pixels.dtype.newbyteorder("<")).tobytes(), 6)
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    _describe(tags, metadata, manifest)
    stored: dict[int, int | tuple[int, ...]] = {
        TiffImagePlugin.IMAGEWIDTH: width,
        TiffImagePlugin.IMAGELENGTH: height,
        TiffImagePlugin.BITSPERSAMPLE: (8 * pixels.itemsize,) * channels,
        TiffImagePlugin.COMPRESSION: _DEFLATE,
        TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: _RGB,
        TiffImagePlugin.STRIPOFFSETS: 0,  # Pillow counts it from the directory's end
        TiffImagePlugin.SAMPLESPERPIXEL: channels,
        TiffImagePlugin.ROWSPERSTRIP: height,
        TiffImagePlugin.STRIPBYTECOUNTS: len(strip),
        TiffImagePlugin.PLANAR_CONFIGURATION: 1,
        TiffImagePlugin.PREDICTOR: _DIFFERENCES,
    }
    if channels == 4:
        stored[TiffImagePlugin.EXTRASAMPLES] = _UNASSOCIATED
    for tag, value in stored.items():
        tags[tag] = value
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + strip


def _describe(
    tags: TiffImagePlugin.ImageFileDirectory_v2, metadata: Metadata, manifest: str | None
) -> None:
    """Add the EXIF tags, the profile and the manifest to a TIFF's directory."""
    exif = Image.Exif()
    exif.load(metadata.exif or b"")
    for tag in exif:
        tags[tag] = exif.get_ifd(tag) if tag in (0x8769, 0x8825) else byte_text(exif[tag])
    if metadata.icc_profile:
        tags[TiffImagePlugin.ICCPROFILE] = metadata.icc_profile
    if manifest is not None:
        tags[TiffImagePlugin.IMAGEDESCRIPTION] = f"{MANIFEST_KEY} {manifest}".encode()


def _from_description(description: object) -> str | None:
    """Return the manifest in a TIFF's description; Pillow reads its bytes as Latin-1."""
    if not isinstance(description, str) or not description.startswith(f"{MANIFEST_KEY} "):
        return None
    return description[len(MANIFEST_KEY) + 1 :].encode("latin-1").decode()
