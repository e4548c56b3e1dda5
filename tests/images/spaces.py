"""Pictures in wide spaces, and how far colours are apart, independently of the package."""

import io

import numpy as np
from PIL import Image, ImageCms

from photostyle.images.spaces import standard as standard


def encoded(values, dtype):
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


def lab_by_littlecms(pixels, profile):
    """L*a*b* under D50 of H×W×3 values of a profile, in double precision through LittleCMS."""
    import imagecodecs

    made = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels), profile, imagecodecs.cms_profile("lab4"), colorspace="rgb",
        outcolorspace="lab", outdtype="float32",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
    )  # fmt: skip
    return made.astype(np.float64)


def oklab_by_littlecms(pixels, profile):
    """Oklab (Ottosson 2020) of H×W×3 values of a profile."""
    import imagecodecs

    xyz = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels), profile, imagecodecs.cms_profile("xyz"), colorspace="rgb",
        outcolorspace="xyz", outdtype="float32",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
    ).astype(np.float64)  # fmt: skip
    to_d65 = [  # Bradford
        [0.9555766, -0.0230393, 0.0631636],
        [-0.0282895, 1.0099416, 0.0210077],
        [0.0122982, -0.0204830, 1.3299098],
    ]
    roots = [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
    mixed = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(xyz @ np.array(to_d65).T @ np.array(roots).T) @ np.array(mixed).T


def ciede2000(one, other):
    """ΔE00 of L*a*b* values (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(x, -1, 0) for x in (one, other))
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(c**7 / (c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    dh = (h2 - h1 + 180) % 360 - 180
    dh = np.where(c1 * c2 == 0, 0, dh)
    big = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(c1 * c2 == 0, h1 + h2, (h1 + dh / 2) % 360)
    t = (
        1 - 0.17 * np.cos(np.radians(hue - 30)) + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6)) - 0.2 * np.cos(np.radians(4 * hue - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turn = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rt = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(turn))
    parts = ((l2 - l1) / sl, (c2 - c1) / sc, big / sh)
    return np.sqrt(np.maximum(sum(p * p for p in parts) + rt * parts[1] * parts[2], 0))


def patches(size=64):
    """H×W×3 in [0, 1]: saturated and dull patches of 8×8 pixels, and a grey ramp below."""
    rng = np.random.default_rng(5)
    corners = np.array([c for c in np.ndindex(2, 2, 2) if 0 < sum(c) < 3], float)
    dull = rng.random((50, 3))
    colours = np.concatenate([corners, 0.6 * corners + 0.2, dull])[: (size // 8) ** 2 - size // 8]
    tiles = colours.reshape(-1, size // 8, 3)
    grey = np.linspace(0, 1, size // 8)[None, :, None].repeat(3, axis=2)
    return np.concatenate([tiles, grey]).repeat(8, axis=0).repeat(8, axis=1)


def profile_name(data):
    """What the profile in a picture file calls itself; None without one."""
    with Image.open(io.BytesIO(data)) as picture:
        icc = picture.info.get("icc_profile")
    if icc is None:
        return None
    return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()
