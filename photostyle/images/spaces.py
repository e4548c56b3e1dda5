"""Colour spaces as data: what the numbers of a picture mean, and how they become others.

Inside, all colours are sRGB's, extended: values below 0 and above 1 are colours outside sRGB, on
the same curve, so that nothing is lost on the way. What is written is brought into the gamut of its
space once, at the end, by giving up chroma at its own hue and lightness.

Reference: Ottosson 2020, "A perceptual color space for image processing" (Oklab), whose hues stay
where chroma goes.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from photostyle.brief import Brief
from photostyle.images import icc
from photostyle.images.icc import SRGB_CURVE, Curve

Array = npt.NDArray[np.float32]

#: How far values may be outside by rounding alone.
ROUNDING = 1e-4
#: Rows worked on at a time.
STRIP = 256
_HALVINGS = 18
_TO_ROOTS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_OKLAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip
_D65, _D50 = (0.3127, 0.3290), (0.3457, 0.3585)
_SRGB_NUMBERS = SRGB_CURVE.numbers[:5]
#: Name, primaries, white, and kind and numbers of the curve, by the words of --output-space.
_STANDARD: dict[str, tuple[str, Sequence[float], Sequence[float], tuple[float, ...]]] = {
    "srgb": ("sRGB", (0.64, 0.33, 0.30, 0.60, 0.15, 0.06), _D65, (3, *_SRGB_NUMBERS)),
    "p3": ("Display P3", (0.68, 0.32, 0.265, 0.69, 0.15, 0.06), _D65, (3, *_SRGB_NUMBERS)),
    "adobergb": ("Adobe RGB (1998)", (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), _D65, (0, 563 / 256)),
    "rec2020": (
        "Rec. 2020", (0.708, 0.292, 0.170, 0.797, 0.131, 0.046), _D65,
        (3, 1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 4.5 * 0.0181),
    ),
    "prophoto": (
        "ProPhoto RGB", (0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001), _D50,
        (3, 1.8, 1.0, 0.0, 1 / 16, 1 / 32),
    ),
}  # fmt: skip
#: Words of --output-space, smallest gamut first.
SPACES = tuple(_STANDARD)


@dataclass(frozen=True, eq=False, repr=False)
class Space(Brief):
    """A space of RGB values.

    Attributes:
        name: what it is called.
        profile: the ICC profile that says the same.
        matrix: 3×3, from light to XYZ under D50. curves: of R, G and B.
    """

    name: str
    profile: bytes
    matrix: npt.NDArray[Any]
    curves: tuple[Curve, Curve, Curve]

    def __repr__(self) -> str:
        return f"Space({self.name})"

    def to_srgb(self, values: npt.NDArray[Any]) -> Array:
        """Extended sRGB values, H×W×3 float32, of values H×W×3 of this space: floats, or whole
        numbers of which the type's most is 1."""
        out = np.empty(values.shape, np.float32)
        for rows in _strips(values):
            out[rows] = self.srgb_of_light(self.light(values[rows]))
        return out

    def light(self, values: npt.NDArray[Any]) -> Array:
        """Light, H×W×3 float32, of values as `to_srgb` takes them."""
        out = np.empty(values.shape, np.float32)
        for n, curve in enumerate(self.curves):
            if values.dtype.kind == "u":
                out[..., n] = _table(curve, int(np.iinfo(values.dtype).max))[values[..., n]]
            else:
                out[..., n] = curve.light(values[..., n])
        return out

    def srgb_of_light(self, light: Array) -> Array:
        """Extended sRGB values of light H×W×3 in this space's primaries."""
        turn = (np.linalg.inv(_srgb().matrix) @ self.matrix).T.astype(np.float32)
        return np.asarray(SRGB_CURVE.values(light @ turn), np.float32)

    def light_of_srgb(self, values: Array) -> Array:
        """Light in this space's primaries, not bounded, of extended sRGB values H×W×3."""
        turn = (np.linalg.inv(self.matrix) @ _srgb().matrix).T
        return np.asarray(SRGB_CURVE.light(values) @ turn, np.float32)

    def of_srgb(self, values: Array) -> Array:
        """Values in [0, 1] of this space, H×W×3 float32, of extended sRGB values; colours outside
        keep their hue and lightness and give up chroma."""
        turn = (np.linalg.inv(self.matrix) @ _srgb().matrix).T
        out = np.empty(values.shape, np.float32)
        for rows in _strips(values):
            shown = SRGB_CURVE.light(values[rows].astype(np.float64))
            light = shown @ turn
            outside = (light < -ROUNDING).any(axis=-1) | (light > 1 + ROUNDING).any(axis=-1)
            if outside.any():
                light[outside] = _inside(shown[outside], turn)
            light = light.clip(0, 1)
            for n, curve in enumerate(self.curves):
                out[rows][..., n] = curve.values(light[..., n])
        return out.clip(0, 1)


def dcf_index(space: Space | None) -> str:
    """EXIF's InteroperabilityIndex of a space, None for sRGB; empty where it has none."""
    if space is None:
        return "R98"
    adobe = standard("adobergb")
    return "R03" if np.allclose(space.matrix, adobe.matrix, atol=2e-3) else ""


def of_xyz(xyz: Array) -> Array:
    """Extended sRGB values of H×W×3 XYZ under D50, whose white has Y = 1."""
    turn = np.linalg.inv(_srgb().matrix).T.astype(np.float32)
    return np.asarray(SRGB_CURVE.values(xyz @ turn), np.float32)


@functools.cache
def standard(word: str) -> Space:
    """The space of a word of `SPACES`."""
    name, primaries, white, (kind, *numbers) = _STANDARD[word]
    return _space(name, icc.made(name, primaries, white, int(kind), *numbers))


def chromaticities(space: Space) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """x and y of R, G and B, and of white, which is D50 where the space is none of `SPACES`."""
    for word, (_, primaries, white, _) in _STANDARD.items():
        if np.allclose(space.matrix, standard(word).matrix, atol=5e-4):
            return tuple(primaries), tuple(white)
    shares = space.matrix / space.matrix.sum(axis=0)
    return tuple(shares[:2].T.ravel().tolist()), _D50


@functools.lru_cache(maxsize=16)
def space_of(profile: bytes) -> Space | None:
    """The space of an RGB profile; None where it is made of tables, or cannot be written in."""
    return None if icc.parsed(profile) is None else _space(icc.described(profile), profile)


def smallest(values: Array) -> Space | None:
    """The first of `SPACES` that holds extended sRGB values H×W×3, or the last; None for sRGB."""
    some = values.reshape(-1, 3)[:: max(1, values.size // 3_000_000)].astype(np.float64)
    light = SRGB_CURVE.light(some)
    for word in SPACES:
        space = standard(word)
        own = light @ (np.linalg.inv(space.matrix) @ _srgb().matrix).T
        if ((own > -2e-3) & (own < 1 + 2e-3)).all(axis=1).mean() > 0.999:
            break
    return None if word == "srgb" else space


def _space(name: str, profile: bytes) -> Space:
    found = icc.parsed(profile)
    assert found is not None
    return Space(name, profile, *found)


@functools.lru_cache(maxsize=32)
def _table(curve: Curve, most: int) -> Array:
    """Light of all whole numbers up to `most`, which is 1."""
    return curve.light(np.arange(most + 1) / most).astype(np.float32)


@functools.cache
def _srgb() -> Space:
    return standard("srgb")


def _strips(values: npt.NDArray[Any]) -> list[slice]:
    return [slice(top, top + STRIP) for top in range(0, len(values), STRIP)]


def _inside(light: npt.NDArray[Any], turn: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """N×3 light of a space, within it, of N×3 extended sRGB light outside it.

    Args:
        turn: 3×3, from sRGB's light to the space's.
    """
    lab = np.cbrt(light @ _TO_ROOTS.T) @ _TO_OKLAB.T
    lab[:, 0] = lab[:, 0].clip(0, 1)
    back, out = np.linalg.inv(_TO_OKLAB).T, np.linalg.inv(_TO_ROOTS).T @ turn
    kept, gone = np.zeros(len(lab)), np.ones(len(lab))
    for _ in range(_HALVINGS):  # the most chroma that is inside lies between both
        middle = (kept + gone) / 2
        own = _of_oklab(lab, middle, back, out)
        fits = (own >= 0).all(axis=1) & (own <= 1).all(axis=1)
        kept, gone = np.where(fits, middle, kept), np.where(fits, gone, middle)
    return _of_oklab(lab, kept, back, out)


def _of_oklab(
    lab: npt.NDArray[Any], share: npt.NDArray[Any], back: npt.NDArray[Any], out: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """N×3 light of N×3 Oklab values with a share of their chroma."""
    part = np.column_stack([lab[:, 0], lab[:, 1:] * share[:, None]])
    found: npt.NDArray[Any] = (part @ back) ** 3 @ out
    return found
