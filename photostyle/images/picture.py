"""Reading and resizing pictures, and the image contract.

An image is a torch.float32 tensor, 1×3×H×W, RGB, sRGB-encoded, in [0, 1], row-major. What must
survive to the output (bit depth, alpha, EXIF, colour profile) travels beside it as `Metadata`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.errors import ImageError, OptionError
from photostyle.images import decoding, profiles
from photostyle.images.formats.stored import Stored
from photostyle.images.profiles import Array, scaled
from photostyle.images.scene import PLAIN, AsItWas, Primaries, Viewing
from photostyle.images.spaces import Space, standard
from photostyle.images.xmp import whole_xmp
from photostyle.places import expanded

_MAX_BYTES = 2**31
#: How far extended values are outside [0, 1] for colours that are outside sRGB.
OUTSIDE = 1e-5

#: Weights of R, G and B in luma (ITU-R BT.601), of sRGB-encoded values.
LUMA = (0.299, 0.587, 0.114)

#: Relative difference in width : height that pictures which belong together may have.
PROPORTION_TOLERANCE = 0.02


@dataclass(frozen=True, eq=False)
class Metadata(Brief):
    """What of a picture travels beside the image and is put back on saving.

    Attributes:
        bit_depth: 8 or 16, bits per channel of the file; 32 for floats.
        alpha: H×W float32 in [0, 1], or None. Colours are not multiplied by it.
        exif: as Pillow's `Exif.tobytes` gives it; upright, without the camera's preview.
        icc_profile: an sRGB profile where the file had any, or None.
        space: that it is saved in where that is not sRGB.
        scene: what light of a scene is measured in, of which the image is a view (see `scene`); and
        as_it_was: what of its file comes out as it went in.
        hdr: whether its `wide` is what HDR displays show, and the image a version for others.
        xmp: a packet as it was in the file, or None; saving puts it right.
        resources: Photoshop's, by their numbers: IPTC (1028) and what belongs to it.
        dpi: pixels per inch across and down, or None.
        texts: of a PNG, and a JPEG's comment, by keyword.
    """

    bit_depth: int = 8
    alpha: Array | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    xmp: bytes | None = None
    resources: Mapping[int, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    space: Space | None = None
    hdr: bool = False
    scene: Primaries | None = None
    as_it_was: AsItWas | None = None


@dataclass(frozen=True, eq=False)
class Photo(Brief):
    """A picture as read from a file, or as given otherwise.

    Attributes:
        image: 1×3×H×W float32 RGB, sRGB-encoded, in [0, 1], upright.
        metadata: what is put back on saving.
        path: where it was read; None where it was no file.
        sha256: hexadecimal digest of the file's bytes, or of the values.
        given: what it was where it was no file, such as "NumPy array of 90×120×3 uint8".
        notes: sentences for the user on what of the file was not used.
        wide: the same as `image`, where colours reach outside sRGB: extended, below 0 and above 1;
            or, with a gain map, what HDR displays show, and then that, 2×3×H×W.
        opened: the file that a PIL image was opened from, which is not what was read of it here.
    """

    image: Tensor
    metadata: Metadata
    path: Path | None
    sha256: str = field(repr=False)
    given: str = ""
    notes: tuple[str, ...] = ()
    wide: Tensor | None = None
    opened: Path | None = None

    @property
    def called(self) -> str:
        """What messages call it: its path, or what it was given as."""
        return self.given if self.path is None else str(self.path)

    @property
    def shown(self) -> Tensor:
        """1×3×H×W as it is looked at."""
        return self.image


def paths_of(photos: Iterable[Photo]) -> tuple[Path, ...]:
    """The files that pictures come from."""
    files = (photo.path or photo.opened for photo in photos)
    return tuple(path for path in files if path is not None)


def load_image(path: str | Path, viewing: Viewing = PLAIN) -> Photo:
    """Read a picture of any of the formats in `formats.table`.

    The EXIF orientation is applied; colours are converted to sRGB from what the file says of them,
    by ICC profile or otherwise, and those outside kept in `wide`; greyscale, palette, CMYK and
    L*a*b* become RGB. Of an animation or a multi-page file the first frame is read, and a note says
    so.

    Args:
        viewing: what is known of a scene's light besides what its file says.

    Raises:
        ImageError: the file is missing, unreadable, no picture, damaged, incomplete, of a kind that
            is not read, larger than 120 megapixels, or holds other than 1- to 16-bit unsigned
            samples.
    """
    path = expanded(path)
    data = read_bytes(path)
    return photo_of(path, data, decoding.decode(path, data), viewing)


def decoded_photo(path: Path, data: bytes) -> Photo:
    """The picture in a file's bytes; see `load_image`. Messages call it `path`."""
    return photo_of(path, data, decoding.decode(path, data))


def photo_of(path: Path, data: bytes, stored: Stored, viewing: Viewing = PLAIN) -> Photo:
    """The picture of a file's bytes, decoded."""
    if stored.scene is not None:
        return _of_scene(path, data, stored, viewing)
    channels = stored.samples.shape[2]
    fit = [said is None or profiles.usable(said, channels) for said in stored.said]
    profile = next((p for p, fits in zip(stored.said, fit, strict=True) if fits), None)
    values, icc, space = profiles.to_srgb(stored.samples, profile)
    alpha = None if stored.alpha is None else _upright(scaled(stored.alpha), stored.orientation)
    shown = _tensor(values, stored.orientation)
    del values  # as large as the picture
    wide = shown if reaches_out(shown) else None
    if stored.light is not None:
        bright = (space or standard("srgb")).srgb_of_light(stored.light)
        own, wide = wide, _tensor(bright, stored.orientation)
        wide = wide if own is None else torch.cat([wide, own])
    hdr = stored.light is not None
    return Photo(
        image=shown.clamp_(0, 1) if wide is not shown else shown.clamp(0, 1),
        metadata=replace(_metadata(stored, alpha, icc), space=space, hdr=hdr),
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        notes=tuple(_notes(path, stored, fit)),
        wide=wide,
    )


def _of_scene(path: Path, data: bytes, stored: Stored, viewing: Viewing) -> Photo:
    assert stored.scene is not None
    light, primaries, bits = stored.scene
    primaries = replace(primaries, viewing=viewing)
    shown = _tensor(primaries.picture(light), stored.orientation)
    alpha = None if stored.alpha is None else _upright(scaled(stored.alpha), stored.orientation)
    metadata = replace(_metadata(stored, alpha, None), bit_depth=bits, scene=primaries)
    return Photo(
        shown.clamp(0, 1), metadata, path, hashlib.sha256(data).hexdigest(),
        notes=tuple(_notes(path, stored, ())), wide=shown if reaches_out(shown) else None,
    )  # fmt: skip


def _tensor(values: Array, orientation: int) -> Tensor:
    """Upright 1×3×H×W of stored H×W×3."""
    upright = _upright(values, orientation).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(upright))[None]


def reaches_out(image: Tensor) -> bool:
    """Whether extended values are outside [0, 1], by more than rounding."""
    low, high = torch.aminmax(image)
    return bool(low < -OUTSIDE or high > 1 + OUTSIDE)


def _metadata(stored: Stored, alpha: Array | None, icc: bytes | None) -> Metadata:
    dpi = stored.carried.dpi
    return Metadata(
        bit_depth=8 * stored.samples.dtype.itemsize,
        alpha=alpha,
        exif=stored.exif,
        icc_profile=icc,
        xmp=whole_xmp(stored.carried.xmp, stored.carried.more_xmp),
        resources=stored.carried.resources,
        dpi=dpi[::-1] if dpi and stored.orientation >= 5 else dpi,
        texts=stored.carried.texts,
        as_it_was=stored.as_it_was,
    )


def _notes(path: Path, stored: Stored, fit: Sequence[bool]) -> Iterator[str]:
    """What of the file was not used: further frames, and profiles that make no sense here."""
    yield from (f"{path} {note}." for note in stored.notes)
    if stored.carried.frames > 1:
        yield f"{path} holds several frames or pages; the first one alone is used."
    if any(said and not fits for said, fits in zip(stored.said, fit, strict=False)):
        yield f"{path}: its colour profile is damaged or made for other pictures and is not used."


def shown_only(photo: Photo) -> Photo:
    """The picture without its wide colours, for what works on what is shown, with a note."""
    if photo.wide is None:
        return photo
    note = (
        f"{photo.called}: colours outside sRGB, or lights above white, are taken as the nearest "
        "that are shown."
    )
    metadata = replace(photo.metadata, hdr=False)
    return replace(photo, wide=None, metadata=metadata, notes=(*photo.notes, note))


def in_space(metadata: Metadata, word: str | None) -> Metadata:
    """The metadata of a picture that is to be saved in the space of a word of `spaces.SPACES`, or,
    without one, in its own."""
    if word is None:
        return metadata
    if word == "srgb":
        return replace(
            metadata, space=None, icc_profile=metadata.icc_profile or profiles.srgb_profile()
        )
    return replace(metadata, space=standard(word))


def check_image(image: Tensor, name: str) -> None:
    """Raise ImageError, naming `name`, unless the tensor keeps the image contract."""
    if not isinstance(image, Tensor) or image.dtype != torch.float32:
        found = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise ImageError(f"{name} should be a torch.float32 tensor, not {found}.")
    if image.ndim != 4 or image.shape[:2] != (1, 3) or image.numel() == 0:
        raise ImageError(f"{name} should have the shape 1×3×H×W, not {tuple(image.shape)}.")
    low, high = (float(bound) for bound in torch.aminmax(image.detach()))
    if not (low >= 0 and high <= 1):  # true for NaN too, which aminmax hands on
        raise ImageError(f"{name} should have finite values in [0, 1], not {low:g} to {high:g}.")


def image_size(image: Tensor) -> tuple[int, int]:
    """(height, width) of a picture or map, 1×C×H×W."""
    return image.shape[2], image.shape[3]


def fit_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Return (height, width) in proportion with its longer side at most `long_side` pixels.

    Never enlarges; both sides are at least 1. Raises OptionError where long_side is below 1.
    """
    if long_side < 1:
        raise OptionError(f"A picture's longer side should be at least 1 pixel, not {long_side}.")
    height, width = size
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def reduced(image: Tensor, long_side: int) -> Tensor:
    """A picture, as for `resize`, with its longer side at most `long_side` pixels."""
    return resize(image, fit_size(image_size(image), long_side))


def to_array(image: Tensor) -> Array:
    """A 1×C×H×W float32 image as H×W×C, contiguous."""
    return np.ascontiguousarray(image[0].detach().cpu().permute(1, 2, 0).numpy())


def same_proportions(
    size: Sequence[int], other: Sequence[int], tolerance: float = PROPORTION_TOLERANCE
) -> bool:
    """Whether two (height, width) differ in width : height by no more than `tolerance`."""
    (height, width), (h, w) = size, other
    return abs(width * h / (height * w) - 1) <= tolerance


def resize(image: Tensor, size: tuple[int, int], *, bounded: bool = True) -> Tensor:
    """Resample to (height, width): area averages where it shrinks, bicubic where it grows.

    Takes 1×C×H×W float32 with C at most 4 and gives the same on the same device, clamped to
    [0, 1] where `bounded`; not differentiable. Shrinking preserves the mean.
    """
    height, width = size
    if tuple(image.shape[2:]) == (height, width):
        return image.clamp(0, 1) if bounded else image
    smaller = (min(width, image.shape[3]), min(height, image.shape[2]))
    resized = torch.empty(1, image.shape[1], height, width)
    # Plane by plane: pictures are large, and one that shrinks needs no copy of itself.
    for plane, out in zip(image[0].detach().cpu(), resized[0], strict=True):
        pixels = cv2.resize(plane.numpy(), smaller, interpolation=cv2.INTER_AREA)
        if smaller != (width, height):
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
        out.copy_(torch.from_numpy(pixels))
    return (resized.clamp_(0, 1) if bounded else resized).to(image.device)


def read_bytes(path: Path) -> bytes:
    """Return a picture file's bytes.

    Raises:
        ImageError: it is missing, no file, empty, or too large.
    """
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, where a picture is needed.")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path} is a device or a pipe, where a picture file is needed.")
        if path.exists() and path.stat().st_size > _MAX_BYTES:
            raise ImageError(f"{path} has more than 2 GiB, too much for a picture.")
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"{path} does not exist; check the name and the folder.") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path} cannot be read: {reason}.") from error
    if not data:
        raise ImageError(f"{path} is empty (zero bytes), where a picture is needed.")
    return data


def _upright(array: Array, orientation: int) -> Array:
    """Turn H×W or H×W×3 stored in one of the eight EXIF orientations."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array
