"""ICC profiles of the simple kind, three primaries with a curve each, taken apart and put together.

Reference: ICC.1:2022, sections 7, 9.2 and 10.6, 10.18 and 10.31, annex E.
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ImageCms

Array = npt.NDArray[Any]

D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
#: Places of a parametric curve's numbers g, a, b, c, d, e, f by its kind.
_PLACES = ("g", "gab", "gabc", "gabcd", "gabcdef")
#: Tags of profiles that describe colours otherwise, and before primaries count.
_TABLES = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")
_FLAT = 0.02  # share of a table that may have one light and still be gone through backwards


@dataclass(frozen=True, eq=False)
class Curve:
    """Light of a channel's values: (a·v + b)^g + e from d on, c·v + f below; or a table. The former
    goes on above 1, and below 0 as its mirror image.

    Attributes:
        numbers: g, a, b, c, d, e, f. table: N levels of equally spaced values; takes their place.
    """

    numbers: tuple[float, ...] = (1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    table: Array | None = None

    def light(self, values: Array) -> Array:
        """Return the light of values, of any shape."""
        if self.table is not None:
            found: Array = np.interp(values, np.linspace(0, 1, len(self.table)), self.table)
            return found
        g, a, b, c, d, e, f = self.numbers
        size = np.abs(values)
        high = np.maximum(a * size + b, 0) ** g + e
        return np.copysign(np.where(size >= d, high, c * size + f), values)

    def values(self, light: Array) -> Array:
        """Return the values of light: the inverse of `light`."""
        if self.table is not None:
            found: Array = np.interp(light, self.table, np.linspace(0, 1, len(self.table)))
            return found
        g, a, b, c, d, e, f = self.numbers
        size = np.abs(light)
        high = (np.maximum(size - e, 0) ** (1 / g) - b) / a
        low = np.maximum(size - f, 0) / c if c else np.full_like(size, d)
        knee = max(a * d + b, 0.0) ** g + e
        return np.copysign(np.where(size >= knee, high, low), light)

    @property
    def invertible(self) -> bool:
        """Whether all values have light of their own, nearly."""
        if self.table is not None:
            steps = np.diff(self.table)
            return bool(steps.min() >= 0 and (steps == 0).mean() <= _FLAT)
        g, a, b, c, d, e, f = self.numbers
        joined = d <= 0 or abs((max(a * d + b, 0.0)) ** g + e - c * d - f) < 1e-3
        return g > 0 and a > 0 and joined and (d <= 0 or c > 0)


#: IEC 61966-2-1.
SRGB_CURVE = Curve((2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0))


def parsed(profile: bytes) -> tuple[Array, tuple[Curve, Curve, Curve]] | None:
    """Return the 3×3 matrix from light to XYZ under D50, and the curves; None where the profile is
    of another kind, or broken, or cannot be gone through backwards."""
    try:
        tags = _tags(profile)
        if profile[16:24] != b"RGB XYZ " or any(name in tags for name in _TABLES):
            return None
        ends = [tags[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        matrix = np.array([[n / 65536 for n in struct.unpack_from(">3i", e, 8)] for e in ends]).T
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, struct.error, ValueError, IndexError):
        return None
    usable = abs(np.linalg.det(matrix)) > 1e-4 and red.invertible
    usable = usable and green.invertible and blue.invertible
    return (matrix, (red, green, blue)) if usable else None


def made(
    name: str, primaries: Sequence[float], white: Sequence[float], kind: int, *curve: float
) -> bytes:
    """Return a display profile, the same bytes in every run.

    Args:
        primaries: x and y of R, G and B. white: x and y.
        kind, curve: of a parametric curve, 0 to 4, and its numbers.
    """
    matrix = _matrix(primaries, white)
    tone = b"para" + bytes(4) + struct.pack(">HH", kind, 0) + _fixed(*curve)
    columns = {
        key: b"XYZ " + bytes(4) + _fixed(*matrix[:, n])
        for n, key in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    }
    tags = {
        b"desc": _text(name), b"cprt": _text("No copyright, use freely"),
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*D50), **columns,
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone),
    }  # fmt: skip
    head = struct.pack(">4xII", 0, 0x04300000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*D50)
    head += bytes(128 - len(head))
    places: dict[bytes, int] = {}
    index, body = b"", b""
    for key, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        if padded not in places:
            places[padded] = 132 + 12 * len(tags) + len(body)
            body += padded
        index += struct.pack(">4sII", key, places[padded], len(content))
    whole = head + struct.pack(">I", len(tags)) + index + body
    return struct.pack(">I", len(whole)) + whole[4:]


def _matrix(primaries: Sequence[float], white: Sequence[float]) -> Array:
    """Light to XYZ under D50, by Bradford."""
    x, y = np.asarray(primaries, np.float64).reshape(3, 2).T
    columns = np.stack([x / y, np.ones(3), (1 - x - y) / y])
    point = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    matrix = columns * np.linalg.solve(columns, point)
    gains = (_BRADFORD @ np.array(D50)) / (_BRADFORD @ point)
    adapted: Array = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD @ matrix
    return adapted


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    found = {}
    for n in range(min(count, 200)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * n)
        found[name] = profile[start : start + size]
    return found


def _curve(tag: bytes) -> Curve:
    """Return a `curv` or `para` tag's.

    Raises:
        ValueError, struct.error, IndexError: it is neither, or broken.
    """
    if tag[:4] == b"para":
        places = _PLACES[struct.unpack_from(">H", tag, 8)[0]]
        given = [n / 65536 for n in struct.unpack_from(f">{len(places)}i", tag, 12)]
        return Curve(_numbers(dict(zip(places, given, strict=True))))
    if tag[:4] != b"curv":
        raise ValueError("no curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return Curve()
    if count == 1:
        return Curve(_numbers({"g": struct.unpack_from(">H", tag, 12)[0] / 256}))
    levels = np.frombuffer(tag, ">u2", count, 12)
    return Curve(table=levels.astype(np.float64) / 65535)


def _numbers(given: dict[str, float]) -> tuple[float, ...]:
    """Return all seven numbers of a parametric curve, whatever its kind."""
    n = {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0, "e": 0.0, "f": 0.0, **given}
    if "d" not in given and "a" in given:  # kinds 1 and 2, which are flat below -b/a, at c
        flat = given.get("c", 0.0)
        n |= {"c": 0.0, "d": -n["b"] / n["a"], "e": flat, "f": flat}
    return tuple(n[key] for key in "gabcdef")


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _text(words: str) -> bytes:
    content = words.encode("utf-16-be")
    return (
        b"mluc"
        + bytes(4)
        + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(content), 28)
        + (content)
    )


def described(profile: bytes) -> str:
    """Return what a profile calls itself."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.getProfileDescription(opened).strip() or "unnamed"
    except (ImageCms.PyCMSError, OSError):
        return "unnamed"
