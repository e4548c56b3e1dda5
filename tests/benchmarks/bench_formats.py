"""How pictures come out at strength 0: every space, depth and format, raw, scenes and gain maps.

    python tests/benchmarks/bench_formats.py

It needs the extras raw, heif and vfx, writes into a temporary folder, and prints a table. Colours
are compared through LittleCMS, as other programs' decoders give them.
"""

import contextlib
import io
import os
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO as oiio
import pillow_heif
import tifffile
import torch
from PIL import Image

from photostyle.cli import main
from photostyle.images.picture import Metadata
from photostyle.images.saving import save_image
from photostyle.images.spaces import SPACES
from tests.commands import test_cli_gain_maps as hdr
from tests.commands import test_cli_scenes as scenes
from tests.images.spaces import ciede2000, encoded, lab_by_littlecms, patches, standard
from tests.images.test_raw import dng, own_rendering, smooth

FORMATS = (".png", ".tif", ".jpg", ".webp", ".avif", ".heic", ".jxl")
DEPTHS = {".png": (8, 16), ".tif": (8, 16), ".avif": (8, 16), ".heic": (8, 16), ".jxl": (8, 16)}
AGAIN = "--style s.png --preset color --size 64 --strength 0"


def run(content: str, out: str, more: str = AGAIN) -> None:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        assert main(f"run --content {content} --out {out} {more}".split()) == 0


def stored(path: str):
    """H×W×3 and the profile of a file, by decoders other than the package's; sRGB without one."""
    data = Path(path).read_bytes()
    if path.endswith(".jxl"):
        file = oiio.ImageInput.open(path)
        spec = file.spec()
        pixels = file.read_image(0, 0, 0, 3, str(spec.format))
        icc = bytes(np.asarray(spec.getattribute("ICCProfile"), np.uint8))
    elif path.endswith(".heic"):
        file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
        pixels, icc = np.asarray(file), file.info.get("icc_profile")
    elif path.endswith(".tif"):
        page = tifffile.TiffFile(path).pages[0]
        pixels, icc = page.asarray(), page.tags[34675].value if 34675 in page.tags else None
    else:
        with Image.open(path) as picture:
            pixels, icc = np.asarray(picture.convert("RGB")), picture.info.get("icc_profile")
        if path.endswith(".png"):
            pixels = imagecodecs.png_decode(data)
        elif path.endswith(".avif") and b"pixi\0\0\0\0\x03\x0c" in data:
            pixels = np.rint(imagecodecs.avif_decode(data, 0) * (65535 / 4095)).astype(np.uint16)
    return np.ascontiguousarray(pixels[..., :3]), icc or standard("srgb").profile


def round_trip(word: str, suffix: str, bits: int) -> str:
    """ΔE2000 between what a run was given and what it gave, the worst and 99 of 100 pixels."""
    space = standard(word)
    pixels = encoded(patches(), np.uint8 if bits == 8 else np.uint16)
    wide = torch.from_numpy(space.to_srgb(pixels)).permute(2, 0, 1)[None]
    own = None if word == "srgb" else space
    save_image(f"c{suffix}", wide.clamp(0, 1), Metadata(bits, space=own), wide=wide)
    before = stored(f"c{suffix}")
    run(f"c{suffix}", f"r{suffix}")
    after = stored(f"r{suffix}")
    assert after[0].dtype == before[0].dtype
    away = ciede2000(lab_by_littlecms(*before), lab_by_littlecms(*after))
    return f"{away.max():.2f} ({np.quantile(away, 0.99):.2f})"


def colours() -> None:
    print("| format, bits | " + " | ".join(standard(word).name for word in SPACES) + " |")
    print("|---|" + "---|" * len(SPACES))
    for suffix in FORMATS:
        for bits in DEPTHS.get(suffix, (8,)):
            cells = [round_trip(word, suffix, bits) for word in SPACES]
            print(f"| `{suffix}`, {bits} | " + " | ".join(cells) + " |", flush=True)


def raw() -> None:
    for mosaic in (True, False):
        Path("c.dng").write_bytes(dng(smooth(), mosaic))
        run("c.dng", "r.tif")
        away = np.abs(stored("r.tif")[0].astype(int) - own_rendering(Path("c.dng").read_bytes()))
        kind = "Bayer" if mosaic else "linear"
        print(f"DNG, {kind}: at most {away.max()} of 65535 levels from rawpy's own rendering")


def scene() -> None:
    for kind in ("float", "half"):
        scenes.write("c.exr", scenes.ramp(), kind)
        before, _ = scenes.read("c.exr")
        run("c.exr", "r.exr")
        after, _ = scenes.read("r.exr")
        apart = (np.abs(after - before) / np.abs(before)).max()
        print(f"OpenEXR ramp to 16, {kind}: relative error at most {apart:.1e}")
    run("c.exr", "r.exr", AGAIN.replace("--strength 0", ""))
    print(f"OpenEXR ramp to 16, styled: brightest {scenes.read('r.exr')[0].max():.1f}")


def gain_maps() -> None:
    for gamut in ("BT_709", "DISPLAY_P3"):
        Path("c.jpg").write_bytes(hdr.ultra_hdr(imagecodecs.ULTRAHDR.CG[gamut]))
        run("c.jpg", "r.jpg")
        before, after = hdr.rendition("c.jpg"), hdr.rendition("r.jpg")
        share = np.abs(after - before).max() / before.max()
        print(f"Ultra HDR, {gamut}: HDR rendition within {share:.2%} of the peak")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        warm = np.linspace(20, 250, 96)[None, :, None] * [1, 0.8, 0.6] * np.ones((64, 1, 1))
        Image.fromarray(warm.astype(np.uint8)).save("s.png")
        for part in (colours, raw, scene, gain_maps):
            part()
        os.chdir("/")
