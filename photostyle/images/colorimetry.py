"""Colours that are said in numbers or code points rather than as an ICC profile.

Each function returns what `profiles` can convert by: an ICC profile that says the same, None for
sRGB, or an empty one where the words make no sense, which nothing can be converted by.

References: PNG specification, third edition, section 11.3.2; ITU-T H.273, tables 2 and 3; Exif 3.0
with DCF 2.0; TIFF 6.0, section 20; ITU-R BT.2100 with BT.2408 (HDR's reference white).
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from photostyle.images.icc import SRGB_CURVE, made
from photostyle.images.spaces import chromaticities, standard

Floats = npt.NDArray[np.float64]
Said = bytes | None
Chromaticities = tuple[float, ...]  # x and y of R, G and B

SRGB: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_NAME = "RGB of the file"  # of profiles that say what was said otherwise
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_STEPS = np.linspace(0, 1, 4096)
_BT2020 = 15  # its curve in 12 bits
_ADOBE = 563 / 256  # exponent
_SMPTE_170 = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
#: Primaries and white by their number in H.273.
_PRIMARIES = {
    1: (SRGB, _D65),
    4: ((0.67, 0.33, 0.21, 0.71, 0.14, 0.08), _C),
    5: ((0.64, 0.33, 0.29, 0.60, 0.15, 0.06), _D65),
    6: (_SMPTE_170, _D65),
    7: (_SMPTE_170, _D65),
    8: ((0.681, 0.319, 0.243, 0.692, 0.145, 0.049), _C),
    9: ((0.708, 0.292, 0.170, 0.797, 0.131, 0.046), _D65),
    11: ((0.680, 0.320, 0.265, 0.690, 0.150, 0.060), _DCI),
    12: ((0.680, 0.320, 0.265, 0.690, 0.150, 0.060), _D65),
    22: ((0.630, 0.340, 0.295, 0.605, 0.155, 0.077), _D65),
}
_WHITE = 203.0  # cd/m² of a white sheet in HDR, BT.2408


def adobe_rgb() -> bytes:
    """Return Adobe RGB (1998)."""
    return standard("adobergb").profile


def of_numbers(
    primaries: Sequence[float] | None, white: Sequence[float] | None, curve: float | Floats | None
) -> Said:
    """Return what chromaticities and a curve say.

    Args:
        primaries: x and y of R, G and B; None for sRGB's.
        white: x and y; None for D65.
        curve: an exponent, or linear light in [0, 1] of equally spaced values, one row for all
            channels or three; None for sRGB's curve. 2.2 stands for sRGB's with its primaries, as
            the PNG and TIFF standards have no better number for it.
    """
    return _profile(tuple(primaries or SRGB), tuple(white or _D65), curve)


def of_code_points(primaries: int, transfer: int, full_range: bool = True) -> Said:
    """Return what H.273's numbers say, as in PNG's cICP and AVIF's nclx; HDR is cut at white."""
    if primaries not in _PRIMARIES:
        return b""
    if full_range:
        return of_curve(*_PRIMARIES[primaries], transfer)
    light = _light(transfer, _full(_STEPS))
    return b"" if light is None else _profile(*_PRIMARIES[primaries], np.clip(light, 0, 1))


def of_curve(
    primaries: Sequence[float], white: Sequence[float], transfer: int | None, gamma: float = 0.0
) -> Said:
    """Return what chromaticities and H.273's number of a curve say, or, for None, an exponent."""
    if transfer is None:
        return _profile(tuple(primaries), white, gamma)
    light = _light(transfer, _STEPS)
    if light is None:
        return b""
    if transfer == _BT2020 and _near([*primaries, *white], "rec2020"):
        return standard("rec2020").profile
    return _profile(tuple(primaries), white, None if transfer == 13 else np.clip(light, 0, 1))


def of_exif(tags: Image.Exif) -> list[Said]:
    """Return what EXIF says, first what counts first; broken tags say nothing."""
    try:
        photo = tags.get_ifd(ExifTags.IFD.Exif)
        index = str(tags.get_ifd(ExifTags.IFD.Interop).get(1, "")).strip("\0 ")
        space, gamma = photo.get(0xA001), photo.get(0xA500)
        if space == 1:
            return [None]
        if space == 2 or index == "R03":
            return [adobe_rgb()]
        if index == "R98":
            return [None]
        numbers = {n: tags[n] for n in (301, 318, 319) if n in tags}
        return of_tags(numbers, None if gamma is None else float(gamma))
    except Exception:  # broken tags say nothing against the picture
        return []


def of_tags(tags: Mapping[int, Any], gamma: float | None = None) -> list[Said]:
    """Return what TIFF's TransferFunction, WhitePoint and PrimaryChromaticities (301, 318, 319)
    say; nothing without the last. Rationals may come as pairs."""
    if 319 not in tags and 301 not in tags:
        return []
    primaries, white = (_floats(tags[n]) if n in tags else None for n in (319, 318))
    curve: float | Floats = gamma or 2.2
    if 301 in tags:
        levels = np.asarray(tags[301], dtype=np.float64).ravel() / 65535
        rows = 3 if len(levels) % 3 == 0 else 1
        curve = _resampled(levels.reshape(rows, -1))
    return [of_numbers(primaries, white, curve)]


def of_png(chunks: Mapping[bytes, bytes]) -> list[Said]:
    """Return what cICP, sRGB, gAMA and cHRM say, first what counts first; iCCP is not looked at."""
    said: list[Said] = []
    if b"sRGB" in chunks:
        said.append(None)
    try:
        numbers = [n / 100000 for n in struct.unpack(">8I", chunks.get(b"cHRM", bytes(32)))]
        (gamma,) = struct.unpack(">I", chunks.get(b"gAMA", bytes(4)))
    except struct.error:
        return said
    if gamma or any(numbers):
        white, primaries = (numbers[:2], numbers[2:]) if any(numbers) else (None, None)
        said.append(of_numbers(primaries, white, 100000 / gamma if gamma else None))
    return said


def _profile(
    primaries: Chromaticities, white: Sequence[float], curve: float | Floats | None
) -> Said:
    near = np.allclose(primaries, SRGB, atol=2e-3) and np.allclose(white, _D65, atol=2e-3)
    if near and (curve is None or (isinstance(curve, float) and abs(curve - 2.2) < 0.01)):
        return None
    if not np.isfinite([*primaries, *white]).all() or min(*primaries[1::2], white[1]) <= 0:
        return b""
    if curve is None and _near([*primaries, *white], "p3"):
        return standard("p3").profile
    adobes = isinstance(curve, float) and abs(curve - _ADOBE) < 5e-3
    if adobes and _near([*primaries, *white], "adobergb"):
        return adobe_rgb()
    try:
        if curve is None:
            return made(_NAME, primaries, white, 3, *SRGB_CURVE.numbers[:5])
        if isinstance(curve, float):
            return made(_NAME, primaries, white, 0, curve)
        levels = np.rint(np.asarray(curve) * 65535).astype(np.uint16)
        point = (*white, 1.0)
        return bytes(
            imagecodecs.cms_profile(
                "rgb", primaries=primaries, whitepoint=point, transferfunction=levels
            )
        )
    except (imagecodecs.CmsError, np.linalg.LinAlgError, ValueError, struct.error):
        return b""


def _near(numbers: Sequence[float], word: str) -> bool:
    """Whether x and y of R, G, B and white are those of a space."""
    primaries, white = chromaticities(standard(word))
    return np.allclose(numbers, [*primaries, *white], atol=2e-3)


def _light(transfer: int, x: Floats) -> Floats | None:
    """Return linear light of encoded values by H.273's number, 1 for white; None if unknown."""
    if transfer in (1, 6, 11, 12, 14, 15):
        return np.where(x < 0.081, x / 4.5, ((x + 0.099) / 1.099) ** (1 / 0.45))
    if transfer == 7:
        return np.where(x < 0.0913, x / 4, ((x + 0.1115) / 1.1115) ** (1 / 0.45))
    if transfer == 13:
        return SRGB_CURVE.light(x)
    if transfer == 16:
        bent = x ** (1 / 78.84375)
        share = np.maximum(bent - 0.8359375, 0) / (18.8515625 - 18.6875 * bent)
        return np.asarray(10000 / _WHITE * share ** (1 / 0.1593017578125))
    if transfer == 18:
        scene = np.where(
            x <= 0.5, x**2 / 3, (np.exp((x - 0.55991073) / 0.17883277) + 0.28466892) / 12
        )
        return np.asarray(1000 / _WHITE * scene**1.2)  # on a display of 1000 cd/m², exact for greys
    if transfer == 17:
        return np.asarray(52.37 / 48 * x**2.6)
    power = {4: 2.2, 5: 2.8, 8: 1.0}.get(transfer)
    return None if power is None else np.asarray(x**power)


def _full(x: Floats) -> Floats:
    """Return values of the narrow range, 16 to 235 of 255, as those of the full one."""
    return np.clip((x * 255 - 16) / 219, 0, 1)


def _resampled(rows: Floats) -> Floats:
    """Return curves of any length at `_STEPS`."""
    places = np.linspace(0, 1, rows.shape[1])
    made = np.stack([np.interp(_STEPS, places, row) for row in rows])
    return made if len(made) == 3 else made[0]


def _floats(values: Any) -> list[float]:
    """Return TIFF's rationals as numbers; tifffile gives them as numerators and denominators."""
    flat = [float(v) for v in np.asarray(values, dtype=object).ravel()]
    if len(flat) in (4, 12):
        return [a / b if b else float("nan") for a, b in zip(flat[::2], flat[1::2], strict=True)]
    return flat
