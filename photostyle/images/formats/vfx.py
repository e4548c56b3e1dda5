"""OpenEXR and DPX through OpenImageIO, an extra: light of a scene, in floats or on film's log.

References: OpenEXR 3, technical introduction; SMPTE ST 268-1 (DPX).
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from photostyle.errors import OutputError
from photostyle.images.containers import Carried
from photostyle.images.exif import read_exif
from photostyle.images.formats.oiio import opened
from photostyle.images.formats.stored import Fitted, Light, Stored, gathered
from photostyle.images.profiles import Samples
from photostyle.images.scene import LINEAR, LOG, REC709, Primaries, of_log

_EXR = b"\x76\x2f\x31\x01"
_BRIGHTEST = 65504.0  # of a half float
_ENDS = ("R", "G", "B", "A", "Y", "RED", "GREEN", "BLUE", "ALPHA")  # what colours are called
_PICTURES = ("BEAUTY", "RGBA", "COMBINED")  # what a layer of colours is called
_COUNTED = (
    "has {} pixels that are not finite; they are taken as black, or as the brightest there is"
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
        bits = 16 if str(spec.format) == "half" else 8 * spec.format.size()
        chromaticities = spec.getattribute("chromaticities") or REC709
        coded = spec.getattribute("oiio:ColorSpace") or ""
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    light, alpha, notes = _parted(pixels, places)
    coding = LOG if coded == "KodakLog" else LINEAR
    if not data.startswith(_EXR):
        if coding != LOG:
            samples = np.rint(light.clip(0, 1) * 65535).astype(np.uint16)
            return gathered(samples, alpha, read_exif(None), Carried(), notes)
        light = of_log(light)
    scene = Primaries(tuple(float(n) for n in chromaticities), coding)
    _ = scene.space  # primaries that make no sense show here
    return gathered(
        np.zeros((1, 1, 3), np.uint16), alpha, read_exif(None), Carried(), notes,
        scene=(light, scene, min(bits, 32)),
    )  # fmt: skip


def write(pixels: Light | Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4 of scene-linear light, or, for DPX, of whole numbers; it holds no
    manifest. Alpha is multiplied into EXR's colours, as is its way."""
    import OpenImageIO as oiio

    height, width, channels = pixels.shape
    floats = pixels.dtype.kind == "f"
    log = fitted.scene is not None and fitted.scene.coding == LOG
    kind = {"float16": "half", "float32": "float"}.get(str(pixels.dtype), str(pixels.dtype))
    spec = oiio.ImageSpec(width, height, channels, kind)
    if floats:
        spec.attribute("compression", "zip")
        primaries = (fitted.scene or Primaries()).chromaticities
        spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), primaries)
        if channels == 4:
            pixels = np.concatenate([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], axis=2)
    elif log:
        spec.attribute("oiio:ColorSpace", "KodakLog")
        spec.attribute("oiio:BitsPerSample", 10)
    with tempfile.TemporaryDirectory(prefix="photostyle-") as folder:
        path = str(Path(folder) / ("a.exr" if floats else "a.dpx"))
        out = oiio.ImageOutput.create(path)
        whole = np.ascontiguousarray(pixels)
        if not (out and out.open(path, spec) and out.write_image(whole) and out.close()):
            raise OutputError("The picture cannot be encoded as OpenEXR or DPX; use .tif.")
        return Path(path).read_bytes()


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


def _parted(pixels: Light, places: Sequence[int]) -> tuple[Light, Samples | None, tuple[str, ...]]:
    """Colours H×W×3 without alpha in them and without what is not finite, alpha, and notes."""
    chosen = pixels[..., places]
    lost = int((~np.isfinite(chosen)).any(axis=-1).sum())
    chosen = np.nan_to_num(chosen, nan=0.0, posinf=_BRIGHTEST, neginf=-_BRIGHTEST)
    notes = (_COUNTED.format(lost),) if lost else ()
    colours = 3 if len(places) >= 3 else 1
    light = np.repeat(chosen[..., :colours], 3 // colours, axis=-1)
    if len(places) == colours:
        return light, None, notes
    share = chosen[..., -1:].clip(0, 1)
    light = np.where(share > 0, light / np.maximum(share, 1e-6), light)
    return light, np.rint(share[..., 0] * 65535).astype(np.uint16), notes
