"""Speed of looks on films and large photographs, decoding and encoding included, in one run.

    python tests/benchmarks/bench_films.py [--frames 48] [--folder DIR]

A pan over the enlarged example city, 1080p with a little noise, H.264, goes under a look by
`photostyle look apply` (as `apply_look` in this process), and by ffmpeg's own `lut3d` with the
33³ table of the same look, where ffmpeg is installed; beside them the film decoded and encoded
again without any change, by both. `gentle` is a look without steep parts; `fitted` is the example
night's, fitted by `photoreal-fast`, whose steep parts need care of grain; `regions` follows the
masks of the first frame. The photographs are the city at 24 megapixels as JPEG.

Wall-clock and processor seconds, ours and the children's; on a machine with other work the
processor's time, shared out to two cores, says more.
"""

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from photostyle.api.looking import apply_look
from photostyle.color.terms import COUNT
from photostyle.films.restyling import restyle
from photostyle.images.picture import load_image
from photostyle.looks.fitting import fit_look
from photostyle.looks.look import Look

ROOT = Path(__file__).resolve().parents[2]
Pixels = NDArray[np.uint8]


def city(width: int) -> Pixels:
    pixels = cv2.imread(str(ROOT / "examples/city.jpg"))[:, :, ::-1]
    height = round(width * pixels.shape[0] / pixels.shape[1])
    return np.ascontiguousarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC))


def pan(path: Path, frames: int) -> None:
    whole, rng = city(2400), np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for n in range(frames):
            left = 4 * n % (whole.shape[1] - 1920)
            pixels = whole[200:1280, left : left + 1920] + rng.normal(0, 1.5, (1080, 1920, 1))
            shown = pixels.clip(0, 255).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        file.mux(stream.encode(None))


def gentle() -> Look:
    """Cooler and darker, with a soft curve; steeper than 1 nowhere."""
    found = torch.zeros(COUNT, 3)
    found[1:4] = torch.diag(torch.tensor([0.62, 0.68, 0.8]))
    found[4, 0] = found[7, 1] = found[9, 2] = 0.15
    found[0] = torch.tensor([0.0, 0.01, 0.03])
    return Look(found)


def seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def timed(name: str, count: int, unit: str, work: Callable[[], object]) -> None:
    began, before = time.perf_counter(), seconds()
    work()
    wall, cpu = time.perf_counter() - began, seconds() - before
    print(f"| {name} | {wall / count:.3f} | {cpu / count:.3f} | {count / wall:.1f} | "
          f"{2 * count / cpu:.1f} {unit} |", flush=True)  # fmt: skip


def filtered(source: Path, target: Path, words: str) -> None:
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "17"]
    command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-vf", words, *coding, target]
    subprocess.run(command, check=True, cwd=target.parent)


def films(folder: Path, frames: int) -> None:
    clip, out = folder / "pan.mp4", folder / "out.mp4"
    pan(clip, frames)
    own, table = gentle(), "table.cube"
    own.to_cube(folder / table)
    fitted = fit_look(ROOT / "examples/night.jpg", ROOT / "examples/city.jpg", "photoreal-fast")
    masks = ROOT / "masks/city.png"
    regional = fit_look(
        ROOT / "examples/night.jpg", ROOT / "examples/city.jpg", "color",
        content_masks=masks, style_mask=ROOT / "masks/night.png",
    )  # fmt: skip
    mask = cv2.imread(str(masks))
    mask = cv2.resize(mask, (2400, 1600), interpolation=cv2.INTER_NEAREST)[200:1280, :1920]
    cv2.imwrite(str(folder / "mask.png"), mask)

    def under(look: Look, name: str, **options: object) -> None:
        runs = apply_look(look, clip, out=folder / name, **options)  # type: ignore[arg-type]
        assert not runs.failed, runs.failed

    timed("no change, ours", frames, "", lambda: restyle(clip, out, lambda pixels: pixels))
    timed("gentle, ours", frames, "", lambda: under(own, "gentle"))
    timed("fitted, ours", frames, "", lambda: under(fitted, "fitted"))
    timed("regions, ours", frames, "",
          lambda: under(regional, "regions", content_mask=folder / "mask.png"))  # fmt: skip
    if shutil.which("ffmpeg"):
        timed("no change, ffmpeg", frames, "", lambda: filtered(clip, out, "null"))
        timed("gentle, ffmpeg's lut3d", frames, "",
              lambda: filtered(clip, out, f"lut3d={table}"))  # fmt: skip


def photographs(folder: Path, count: int = 3) -> None:
    (folder / "shoot").mkdir()
    for n in range(count):
        pixels = np.roll(city(6000)[:4000], 40 * n, axis=1)
        cv2.imwrite(str(folder / f"shoot/{n}.jpg"), pixels[:, :, ::-1])
    size = load_image(folder / "shoot/0.jpg").image.shape
    print(f"\n{count} photographs of {size[3]}×{size[2]} pixels, with their report:")
    out = folder / "photographs"
    timed("24 MP, gentle", count, "",
          lambda: apply_look(gentle(), folder / "shoot", out=out, link=True))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    print("| what | s a piece | processor s | a second | a second of two whole cores |\n"
          "|" + "---|" * 5)  # fmt: skip
    films(folder, options.frames)
    photographs(folder)
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
