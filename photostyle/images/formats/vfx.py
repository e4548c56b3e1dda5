"""OpenEXR and DPX through OpenImageIO, an extra: light of a scene, in floats or on film's log.

References: OpenEXR 3, technical introduction; SMPTE ST 268-1 (DPX).
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from photostyle.errors import OutputError
from photostyle.images.containers import Carried
from photostyle.images.formats.attributes import XMP, attributes_of, exif_of, of_exif, put
from photostyle.images.formats.oiio import opened
from photostyle.images.formats.stored import LEAST_OPACITY, Fitted, Light, Stored, gathered
from photostyle.images.profiles import Samples
from photostyle.images.refusals import Refusal
from photostyle.images.scene import LINEAR, LOG, REC709, AsItWas, Primaries, of_log

_EXR = b"\x76\x2f\x31\x01"
_LIGHT = ("half", "float")  # what light is stored as
_WHOLE = "holds whole numbers of 32 bits, which are no light; save it with 16- or 32-bit floats"
_BRIGHTEST = 65504.0  # of a half float
_ENDS = ("R", "G", "B", "A", "Y", "RED", "GREEN", "BLUE", "ALPHA")  # what colours are called
_PICTURES = ("BEAUTY", "RGBA", "COMBINED")  # what a layer of colours is called
_COUNTED = (
    "has {} pixels that are not finite; they count as those beside them, or as the brightest there "
    "is, and OpenEXR has them again"
)


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    with opened(data, _suffix(data)):
        pass


def read(data: bytes) -> Stored:
    """Decode the first picture of a file.

    Raises:
        Refusal: it is too large, or of a kind that is not read.
        Exception: nearly any, from damaged files.
    """
    with opened(data, _suffix(data)) as file:
        spec = file.spec()
        places = _channels(spec.channelnames)
        pixels = file.read_image(0, 0, 0, spec.nchannels, "float")
        if pixels is None or file.has_error:
            raise ValueError(file.geterror() or "its pixels cannot be decoded")
        kind = str(spec.channelformat(places[0]))
        if data.startswith(_EXR) and kind not in _LIGHT:
            raise Refusal(_WHOLE)
        bits = {"half": 16, "float": 32}.get(kind, 8 * spec.format.size())
        chromaticities = spec.getattribute("chromaticities") or REC709
        coded = spec.getattribute("oiio:ColorSpace") or ""
        header = attributes_of(spec)
        window = (spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    pixels = pixels.reshape(*pixels.shape[:2], -1)[..., places]  # H×W×S
    tags, xmp = exif_of(header), {name: value for name, _, value in header}.get(XMP)
    found = Carried(xmp=xmp.encode() if isinstance(xmp, str) else None)
    light, alpha, kept, notes = _parted(pixels)
    coding = LOG if coded == "KodakLog" else LINEAR
    if not data.startswith(_EXR):
        if coding != LOG:
            samples = np.rint(light.clip(0, 1) * 65535).astype(np.uint16)
            return gathered(samples, alpha, tags, found, notes, as_it_was=AsItWas(header))
        light = of_log(light)
    scene = Primaries(tuple(float(n) for n in chromaticities), coding)
    _ = scene.space  # primaries that make no sense show here
    return gathered(
        np.zeros((1, 1, 3), np.uint16), alpha, tags, found, notes,
        scene=(light, scene, min(bits, 32)),
        as_it_was=replace(kept, attributes=header, window=window),
    )  # fmt: skip


def write(pixels: Light | Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4 of scene-linear light, or, for DPX, of whole numbers; it holds no
    manifest. Alpha is multiplied into EXR's colours, as is its way."""
    import OpenImageIO as oiio

    floats = pixels.dtype.kind == "f"
    spec = _header(pixels, fitted)
    whole: npt.NDArray[Any] = np.ascontiguousarray(pixels)
    if floats and whole.shape[2] == 4:
        whole = np.concatenate([whole[..., :3] * whole[..., 3:], whole[..., 3:]], axis=2)
    if floats and fitted.as_it_was is not None:
        whole = whole.copy()
        fitted.as_it_was.put_into(whole)
    with tempfile.TemporaryDirectory(prefix="photostyle-") as folder:
        path = str(Path(folder) / ("a.exr" if floats else "a.dpx"))
        out = oiio.ImageOutput.create(path)
        if not (out and out.open(path, spec) and out.write_image(whole) and out.close()):
            raise OutputError("The picture cannot be encoded as OpenEXR or DPX; use .tif.")
        return Path(path).read_bytes()


def _header(pixels: Light | Samples, fitted: Fitted) -> Any:
    """The header of a file, with what the content's had where that was of the same kind."""
    import OpenImageIO as oiio

    height, width, channels = pixels.shape
    kind = {"float16": "half", "float32": "float"}.get(str(pixels.dtype), str(pixels.dtype))
    spec = oiio.ImageSpec(width, height, channels, kind)
    floats, kept = pixels.dtype.kind == "f", fitted.as_it_was or AsItWas()
    if floats:
        spec.attribute("compression", "zip")
    if fitted.exif is not None:
        put(spec, of_exif(fitted.exif))
    put(spec, kept.attributes)
    if fitted.xmp:
        spec.attribute(XMP, fitted.xmp.decode("utf-8", "replace"))
    if kept.size == (height, width):
        spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = kept.window
    if floats:
        primaries = (fitted.scene or Primaries()).chromaticities
        spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), primaries)
    elif fitted.scene is not None and fitted.scene.coding == LOG:
        spec.attribute("oiio:ColorSpace", "KodakLog")
        spec.attribute("oiio:BitsPerSample", 10)
    return spec


def _suffix(data: bytes) -> str:
    return ".exr" if data.startswith(_EXR) else ".dpx"


def _channels(names: Sequence[str]) -> list[int]:
    """Where red, green, blue and, last, alpha lie; of a grey picture its one channel. Those without
    a layer count first, then those of a layer that is called as pictures are."""
    layers: dict[str, dict[str, int]] = {}
    for n, name in enumerate(names):
        layer, _, end = name.rpartition(".")
        if end.upper() in _ENDS:
            layers.setdefault(layer.upper(), {}).setdefault(end.upper()[0], n)
    full = [layer for layer, ends in layers.items() if {"R", "G", "B"} <= ends.keys()]
    if full:
        ends = layers[min(full, key=_rank)]
        return [ends[end] for end in "RGBA" if end in ends]
    ends = next((ends for ends in layers.values() if "Y" in ends), {})
    found = [ends["Y"]] if ends else [0, 1, 2][: 3 if len(names) >= 3 else 1]
    return [*found, ends["A"]] if "A" in ends else found


def _rank(layer: str) -> int:
    """How late a layer counts."""
    if not layer:
        return 0
    return 3 if "CRYPTO" in layer else 2 - any(word in layer for word in _PICTURES)


def _parted(pixels: Light) -> tuple[Light, Samples | None, AsItWas, tuple[str, ...]]:
    """Colours H×W×3 without alpha in them, alpha, what comes out as it is, and notes.

    What is no number is filled from beside it, what is infinite is as bright as there is.

    Raises:
        Refusal: nothing of it is a number.
    """
    colours = 3 if pixels.shape[2] >= 3 else 1
    stored = np.repeat(pixels[..., :colours], 3 // colours, axis=-1)
    finite = np.isfinite(stored)
    lost = int((~finite).any(axis=-1).sum())
    notes = (_COUNTED.format(lost),) if lost else ()
    light = np.clip(_without_holes(stored), -_BRIGHTEST, _BRIGHTEST) if lost else stored
    alpha, own = None, ~finite
    if pixels.shape[2] > colours:
        alpha = np.rint(np.nan_to_num(pixels[..., -1]).clip(0, 1) * 65535).astype(np.uint16)
        share = alpha[..., None] / np.float32(65535)
        light = np.where(share > 0, light / np.maximum(share, 1e-6), light)
        own |= (share < LEAST_OPACITY) & (stored != 0)
    places = np.array(np.nonzero(own))
    kept = AsItWas((), (), stored.shape[:2], places, stored[tuple(places)])
    return light, alpha, kept, notes


def _without_holes(light: Light) -> Light:
    """Light with its nearest neighbours' where it is no number."""
    from scipy.ndimage import distance_transform_edt

    holes = np.isnan(light).any(axis=-1)
    if holes.all():
        raise Refusal("holds no numbers but NaN; render it again")
    if not holes.any():
        return light
    nearest = distance_transform_edt(holes, return_distances=False, return_indices=True)
    filled: Light = light[tuple(nearest)]
    return filled
