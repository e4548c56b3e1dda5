"""From an embedded ICC profile's colours to sRGB.

Matrix/TRC profiles (nearly every camera, display and working space) and grey profiles are
evaluated here in floating point, so 16-bit pictures keep their precision. Profiles made of
look-up tables, and CMYK, go through LittleCMS at 8 bits. Colours outside sRGB are clipped.

References: ICC.1:2022 (profile version 4.4), sections 7.3, 10.6, 10.18 and F.3.
"""

import functools
import io
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

Array = npt.NDArray[np.float32]
Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_SAME = 2e-3  # profiles closer than this to sRGB, in matrix and curves, are sRGB
_BAND = 256  # rows converted at a time, to bound the memory


class _MatrixProfile(NamedTuple):
    """What a matrix/TRC profile says."""

    matrix: npt.NDArray[np.float64]  # 3×3, linear RGB to XYZ under D50
    curves: tuple[bytes, bytes, bytes]  # the `curv` or `para` tags of R, G and B


@functools.cache
def srgb_profile() -> bytes:
    """Return an sRGB profile, the same bytes in every run."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # LittleCMS writes the present time
    return made[:24] + date + made[36:]


def to_srgb(colour: Samples, profile: bytes) -> tuple[Array, bytes]:
    """Convert stored RGB values to sRGB.

    Args:
        colour: H×W×3, uint8 or uint16; a grey picture has three equal channels.
        profile: the embedded ICC profile. One that cannot be understood counts as sRGB.

    Returns:
        H×W×3 float32 in [0, 1], sRGB-encoded, and the sRGB profile to save the picture with
        (the embedded one where that is sRGB already: its values are then exactly the stored).
    """
    parsed = _parse(profile)
    if parsed is None:
        return _through_littlecms(colour, profile), srgb_profile()
    if _is_srgb(parsed):
        return scaled(colour), profile if profile[16:20] == b"RGB " else srgb_profile()
    return _through_matrix(colour, parsed), srgb_profile()


def cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Convert a CMYK image to 8-bit sRGB, by its profile or, without one, by 255 - ink."""
    embedded = image.info.get("icc_profile")
    if embedded:
        try:
            return _littlecms(image, embedded)
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that does not fit says nothing about the colours
    return image.convert("RGB")


def scaled(colour: Samples) -> Array:
    """Return the samples as float32 in [0, 1]."""
    return colour.astype(np.float32) / np.float32(np.iinfo(colour.dtype).max)


def _parse(profile: bytes) -> _MatrixProfile | None:
    """Return the matrix and curves, or None where the profile has another build or is broken."""
    try:
        tags = _tags(profile)
        space, connection = profile[16:20], profile[20:24]
        if space == b"GRAY" and connection == b"XYZ ":
            return _MatrixProfile(_srgb().matrix, (tags[b"kTRC"],) * 3)
        if space != b"RGB " or connection != b"XYZ ":
            return None
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        parsed = _MatrixProfile(
            np.array(columns, dtype=np.float64).T / 65536,
            (tags[b"rTRC"], tags[b"gTRC"], tags[b"bTRC"]),
        )
        for curve in parsed.curves:
            _evaluate(curve, np.zeros(1))
    except (struct.error, KeyError, ValueError, IndexError):
        return None
    return parsed


@functools.cache
def _srgb() -> _MatrixProfile:
    """Return the parsed sRGB profile."""
    parsed = _parse(srgb_profile())
    assert parsed is not None
    return parsed


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the profile's tags by signature (ICC.1:2022, section 7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[name] = profile[offset : offset + size]
    return tags


def _evaluate(curve: bytes, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Evaluate a `curv` (section 10.6) or `para` (section 10.18) tag at x in [0, 1]."""
    if curve[:4] == b"para":
        return _parametric(curve, x)
    if curve[:4] != b"curv":
        raise ValueError("neither a curv nor a para tag")
    (count,) = struct.unpack_from(">I", curve, 8)
    if count == 0:
        return x
    values = np.frombuffer(curve, dtype=">u2", count=count, offset=12).astype(np.float64)
    if count == 1:
        return np.asarray(x ** (values[0] / 256))
    return np.interp(x, np.linspace(0, 1, count), values / 65535)


def _parametric(curve: bytes, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Evaluate a `para` tag: (a x + b)^g + e from d on, c x + f below."""
    (kind,) = struct.unpack_from(">H", curve, 8)
    count = (1, 3, 4, 5, 7)[kind]
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{count}i", curve, 12))
    if kind == 0:
        rest = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    elif kind <= 2:
        a, b = rest[:2]
        offset = rest[2] if kind == 2 else 0.0
        rest = [a, b, 0.0, -b / a if a else 0.0, offset, offset]
    elif kind == 3:
        rest += [0.0, 0.0]
    a, b, c, d, e, f = rest
    return np.asarray(np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f))


def _is_srgb(parsed: _MatrixProfile) -> bool:
    """Tell whether the profile describes sRGB, whatever its name."""
    if np.abs(parsed.matrix - _srgb().matrix).max() > _SAME:
        return False
    x = np.linspace(0, 1, 256)
    target = _evaluate(_srgb().curves[0], x)
    return all(np.abs(_evaluate(curve, x) - target).max() <= _SAME for curve in parsed.curves)


def _through_matrix(colour: Samples, parsed: _MatrixProfile) -> Array:
    """Linearise, change primaries, encode; relative colorimetric (section F.3)."""
    steps = np.linspace(0, 1, np.iinfo(colour.dtype).max + 1)
    linear = [_evaluate(curve, steps).astype(np.float32) for curve in parsed.curves]
    change = (np.linalg.inv(_srgb().matrix) @ parsed.matrix).astype(np.float32)
    result = np.empty(colour.shape, dtype=np.float32)
    for top in range(0, colour.shape[0], _BAND):
        band = colour[top : top + _BAND]
        light = np.stack([linear[c][band[..., c]] for c in range(3)], axis=-1) @ change.T
        result[top : top + _BAND] = _encode(np.clip(light, 0, 1))
    return result


def _encode(light: Array) -> Array:
    """Encode linear light in [0, 1] by the sRGB curve (IEC 61966-2-1)."""
    bent = np.float32(1.055) * light ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(light <= 0.0031308, np.float32(12.92) * light, bent)


def _through_littlecms(colour: Samples, profile: bytes) -> Array:
    """Convert by LittleCMS at 8 bits; a profile that it refuses counts as sRGB."""
    eight = colour if colour.dtype == np.uint8 else np.round(colour / 257).astype(np.uint8)
    try:
        converted = _littlecms(Image.fromarray(np.ascontiguousarray(eight)), profile)
    except (ImageCms.PyCMSError, OSError):
        return scaled(colour)
    return scaled(np.asarray(converted))


def _littlecms(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the image as 8-bit sRGB, by the profile's relative colorimetric intent."""
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert converted is not None
    return converted
