"""From a picture's own colours to sRGB, by ICC profiles, in floating point.

Relative colorimetric; colours outside sRGB are values outside [0, 1] (see `spaces`). Profiles of
tables, of ink and of grey go through LittleCMS.
"""

import functools
import itertools
import struct

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import ImageCms

from photostyle.images.spaces import Space, of_xyz, smallest, space_of

Array = npt.NDArray[np.float32]
Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_SAME = 3e-3  # profiles whose colours are closer than this to sRGB are sRGB
_SPACES = {1: ("gray", b"GRAY"), 3: ("rgb", b"RGB "), 4: ("cmyk", b"CMYK")}
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")  # those that describe a picture's colours


@functools.cache
def srgb_profile() -> bytes:
    """Return an sRGB profile, the same bytes in every run."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # LittleCMS writes the present time
    return made[:24] + date + made[36:]


def usable(profile: bytes, channels: int) -> bool:
    """Tell whether a profile can be understood and is made for pictures of so many channels.

    Grey pictures (1 channel) may have a profile of RGB, too: theirs are three equal channels.
    """
    space, of_class = profile[16:20], profile[12:16]
    fits = space == _SPACES[channels][1] or (channels == 1 and space == b"RGB ")
    if not fits or of_class not in _CLASSES:
        return False
    try:
        _converted(np.zeros((1, 1, channels), dtype=np.uint8), profile)
    except (imagecodecs.CmsError, ValueError):
        return False
    return True


def to_srgb(samples: Samples, profile: bytes | None) -> tuple[Array, bytes | None, Space | None]:
    """Convert stored values to sRGB.

    Args:
        samples: H×W×1 grey, H×W×3 RGB or H×W×4 CMYK (the most is the most ink).
        profile: one that is `usable`; None takes grey and RGB for sRGB, and ink for what it
            leaves of the light.

    Returns:
        H×W×3 float32, extended sRGB; the sRGB profile for when the picture is saved as sRGB: the
        one given where that is sRGB already, whose values are then exactly the stored, None where
        none was given; and the space that it is saved in: its own where its profile is made of
        primaries and curves, else the smallest that holds its colours. None for sRGB, as for grey
        and ink.
    """
    if profile is None:
        return _plain(samples), None, None
    if samples.shape[2] != 4 and _is_srgb(profile):
        return _plain(samples), profile, None
    if samples.shape[2] == 3 and (space := space_of(profile)):
        return space.to_srgb(samples), srgb_profile(), space
    values = _converted(samples, profile)
    return values, srgb_profile(), smallest(values) if samples.shape[2] == 3 else None


def scaled(samples: Samples) -> Array:
    """Return the samples as float32 in [0, 1]."""
    values = samples.astype(np.float32)
    values /= np.float32(np.iinfo(samples.dtype).max)  # in its place: pictures are large
    return values


def lab_to_srgb(lab: Array) -> Array:
    """Convert H×W×3 CIE L*a*b* under D50, L* in [0, 100], to sRGB in [0, 1]."""
    return _transformed(lab, imagecodecs.cms_profile("lab4"), "lab").clip(0, 1)


def _plain(samples: Samples) -> Array:
    """Return the values without a profile, as H×W×3; those of RGB lie plane by plane, as tensors
    have them, so that a large picture needs no second copy."""
    if samples.shape[2] == 3:
        planes = np.empty((3, *samples.shape[:2]), np.float32)
        most = np.float32(np.iinfo(samples.dtype).max)
        np.divide(samples.transpose(2, 0, 1), most, out=planes, dtype=np.float32)
        return planes.transpose(1, 2, 0)
    values = scaled(samples)
    if values.shape[2] == 4:
        return np.asarray((1 - values[..., :3]) * (1 - values[..., 3:]))
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values


def _converted(samples: Samples, profile: bytes) -> Array:
    channels = samples.shape[2]
    if channels > 1:
        return _transformed(np.ascontiguousarray(samples), profile, _SPACES[channels][0])
    if profile[16:20] == b"RGB ":
        return _transformed(np.repeat(samples, 3, axis=2), profile, "rgb")
    grey = _transformed(np.ascontiguousarray(samples[..., 0]), profile, "gray")
    return np.repeat(grey[..., 1:2], 3, axis=2)  # they differ in their last digits


def _transformed(values: npt.NDArray[np.generic], profile: bytes, space: str) -> Array:
    made = imagecodecs.cms_transform(
        values,
        profile,
        imagecodecs.cms_profile("xyz"),
        colorspace=space,
        outcolorspace="xyz",
        outdtype="float32",  # in integers it would lose the darkest levels
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
    )
    return of_xyz(np.nan_to_num(made, copy=False))


@functools.lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    """Tell whether the profile describes sRGB, whatever its name."""
    if profile[16:20] != b"RGB ":
        return False
    grid = np.array(list(itertools.product(range(0, 256, 51), repeat=3)), dtype=np.uint8)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    probes = np.concatenate([grid, greys])[None]  # 1×N×3
    shown = _converted(probes, profile).clip(0, 1)
    return bool(np.abs(shown - scaled(probes)).max() <= _SAME)
