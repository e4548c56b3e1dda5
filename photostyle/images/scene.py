"""Light of a scene, which has no upper end, seen as a picture and back.

Below middle greys the picture is sRGB's own, so that it compares with photographs; above, it grows
with the logarithm, up to white at sixteen times a white sheet. No value is lost: negative ones are
mirrored, and what is brighter goes on beyond 1.

Reference: Kennel 1994, "Digital film scanning and recording: the technology and practice" (Cineon).
"""

import contextlib
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from photostyle.brief import Brief
from photostyle.images import icc, ocio
from photostyle.images.spaces import Array, Space, space_of

#: Extended sRGB value from which the shoulder begins, and how soon it bends.
KNEE, BEND = 0.735, 0.0744
LINEAR, LOG = "linear", "log"
#: Cineon's log: codes of 1023, white at 685 and black at 95, 300 codes a decade.
_CODES, _WHITE, _BLACK, _PER_DECADE = 1023, 685, 95, 300
_LEAST = 10 ** ((_BLACK - _WHITE) / _PER_DECADE)
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


@dataclass(frozen=True)
class Viewing(Brief):
    """What is known of scenes' light besides what their files say, and how it is looked at.

    Attributes:
        space: of an OpenColorIO configuration; None for what the file says.
        config: its file; None for $OCIO's, or OpenColorIO's own.
        view: a display and a view of it, DISPLAY/VIEW; None for `seen`.
    """

    space: str | None = None
    config: str | None = None
    view: str | None = None


#: Nothing more than the files say.
PLAIN = Viewing()


@dataclass(frozen=True, eq=False)
class AsItWas(Brief):
    """What of a scene's file is written again as it was.

    Attributes:
        attributes: of its header: name, OpenImageIO's type, and value.
        window: x and y of its picture, then x, y, width and height of the whole.
        size: height and width, of the picture and of
        places: 3×N, rows, columns and channels of numbers that are not finite, and of light where
            nothing covers the ground; and values: N, those numbers as they lie in the file.
    """

    attributes: tuple[tuple[str, str, Any], ...] = ()
    window: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)
    places: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros((3, 0), np.intp))
    values: Array = field(default_factory=lambda: np.zeros(0, np.float32))

    def put_into(self, light: npt.NDArray[Any]) -> None:
        """Put the numbers in their places in H×W×3 or more, at its size."""
        rows, columns, channels = self.places
        (height, width), (tall, broad) = light.shape[:2], self.size
        if len(rows):
            light[rows * height // tall, columns * width // broad, channels] = self.values


@dataclass(frozen=True)
class Primaries(Brief):
    """What scene-linear light is measured in.

    Attributes:
        chromaticities: x and y of R, G, B and white.
        coding: how the file's numbers stand for light: linear, or log as in Cineon film scans.
        viewing: the space of a configuration that takes their place.
    """

    chromaticities: tuple[float, ...] = REC709
    coding: str = LINEAR
    viewing: Viewing = PLAIN

    def picture(self, light: Array) -> Array:
        """What H×W×3 light of a file is looked at as: sRGB values in [0, 1], and beyond them what
        the view does not show. Saturated colours that a view bends without inverse are its own."""
        values = self.to_srgb(light)
        if self.viewing.view is None:
            return seen(values)
        aces = Primaries(ocio.ACES).space.light_of_srgb(values)
        shown = ocio.to_display(aces, self.viewing.view, self.viewing.config)
        ends = (shown <= 0) | (shown >= 1)  # elsewhere a small step would be a large one behind it
        return np.where(ends, shown + (values - self._behind(shown)), shown)

    def light(self, picture: Array) -> Array:
        """The inverse of `picture`."""
        view = self.viewing.view
        return self.of_srgb(unseen(picture) if view is None else self._behind(picture))

    def _behind(self, picture: Array) -> Array:
        """Extended sRGB values of what is seen by the view; what it cannot show is added."""
        assert self.viewing.view is not None
        inside = picture.clip(0, 1)
        aces = ocio.of_display(inside, self.viewing.view, self.viewing.config)
        own = Primaries(ocio.ACES).space.srgb_of_light(aces)
        return np.asarray(own + (picture - inside), np.float32)

    def to_srgb(self, light: Array) -> Array:
        """Extended sRGB values of H×W×3 light of a file."""
        if self.viewing.space is None:
            return self.space.srgb_of_light(light)
        aces = Primaries(ocio.ACES).space
        return aces.srgb_of_light(ocio.to_aces(light, self.viewing.space, self.viewing.config))

    def of_srgb(self, values: Array) -> Array:
        """The inverse of `to_srgb`."""
        if self.viewing.space is None:
            return self.space.light_of_srgb(values)
        light = Primaries(ocio.ACES).space.light_of_srgb(values)
        return ocio.of_aces(light, self.viewing.space, self.viewing.config)

    @property
    def space(self) -> Space:
        """Linear, of these primaries.

        Raises:
            ValueError: they make no sense.
        """
        *primaries, x, y = self.chromaticities
        found = None
        with contextlib.suppress(np.linalg.LinAlgError, struct.error, ZeroDivisionError):
            found = space_of(icc.made("scene-linear", primaries, (x, y), 0, 1.0))
        if found is None:
            raise ValueError("its primaries make no sense")
        return found


def seen(values: Array) -> Array:
    """The picture of extended sRGB values, of any shape."""
    size = np.abs(values)
    beyond = np.log1p(np.maximum(size - KNEE, 0) / BEND) * BEND
    return np.asarray(np.copysign(np.minimum(size, KNEE) + beyond, values), np.float32)


def unseen(picture: Array) -> Array:
    """The extended sRGB values of a picture: the inverse of `seen`."""
    size = np.abs(picture).astype(np.float64)
    beyond = np.expm1(np.minimum(np.maximum(size - KNEE, 0) / BEND, 80)) * BEND
    return np.asarray(np.copysign(np.minimum(size, KNEE) + beyond, picture), np.float32)


def to_log(light: Array) -> Array:
    """Cineon's codes, as shares of 1023, of light whose white is 1."""
    shown = np.maximum(light * (1 - _LEAST) + _LEAST, 1e-6)
    codes = (_PER_DECADE * np.log10(shown) + _WHITE) / _CODES
    return np.asarray(codes.clip(0, 1), np.float32)


def of_log(codes: Array) -> Array:
    """The inverse of `to_log`."""
    shown = 10 ** ((_CODES * codes - _WHITE) / _PER_DECADE)
    return np.asarray((shown - _LEAST) / (1 - _LEAST), np.float32)
