"""Flicker: how much the look of a film changes from frame to frame, where it should not.

    python tests/benchmarks/bench_flicker.py [--frames 24] [--width 320] [--preset color]
        [--drift STOPS]
        [--network FILE] [--out FOLDER]

A pan over the example city, with noise and an exposure that drifts by a third of a stop up and
down in four seconds, is styled after the example night in each way. The look of a frame is the
result less its content in CIELAB, low-passed (a Gaussian of 4 % of the width), so that noise and
detail leave it.
The table has the mean ΔE between the looks of neighbouring frames, at the same place of the scene
(the pan is known), the 95th percentile over pixels and frames, and the largest mean of a pair;
before them what the content's own low-passed colours change by, drift and all. `--network` adds a
feed-forward network by `photostyle apply`; `--out` takes strips of four frames of each film.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from photostyle.api.filming import stylize_film
from photostyle.api.looking import apply_look
from photostyle.api.networks import apply
from photostyle.color.lab import rgb_to_lab
from photostyle.looks.fitting import fit_look

ROOT = Path(__file__).resolve().parents[2]
Array = NDArray[np.float64]
#: Pixels of the scene that a frame moves by, and of the whole scene's width a frame's.
STEP, SEEN = 2, 0.7
#: Frames of a drift up and down, and the deviation of the noise in levels of 255.
PERIOD, NOISE = 96, 2.5
STYLE, CITY = ROOT / "examples/night.jpg", ROOT / "examples/city.jpg"


def scene(width: int) -> Array:
    """The city at a width of which a frame sees a part."""
    pixels = cv2.imread(str(CITY))[:, :, ::-1]
    size = round(width / SEEN), round(width / SEEN * pixels.shape[0] / pixels.shape[1])
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float64)


def pan(path: Path, frames: int, width: int, stops: float) -> None:
    whole, rng, drift = scene(width), np.random.default_rng(0), 2**stops - 1
    height = width * 9 // 16 // 2 * 2
    top = (whole.shape[0] - height) // 3
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for n in range(frames):
            gain = 1 + drift * np.sin(2 * np.pi * n / PERIOD)
            part = whole[top : top + height, STEP * n : STEP * n + width] * gain
            shown = (part + rng.normal(0, NOISE, part.shape)).clip(0, 255).round()
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shown.astype(np.uint8), "rgb24")))
        file.mux(stream.encode(None))


def lab_frames(path: Path) -> list[Array]:
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    return [
        rgb_to_lab(torch.from_numpy(f.reshape(-1, 3) / 255)).numpy().reshape(f.shape)
        for f in frames
    ]


def changes(planes: list[Array]) -> list[Array]:
    """ΔE between neighbouring frames at the same places of the scene."""
    return [
        np.sqrt(np.square(one[:, STEP:] - other[:, :-STEP]).sum(axis=2))
        for one, other in itertools.pairwise(planes)
    ]


def smooth(plane: Array) -> Array:
    return cv2.GaussianBlur(plane, (0, 0), 0.04 * plane.shape[1])


def row(name: str, found: list[Array]) -> None:
    every = np.concatenate([x.ravel() for x in found])
    worst = max(float(x.mean()) for x in found)
    print(f"| {name} | {every.mean():.3f} | {np.percentile(every, 95):.3f} | {worst:.3f} |",
          flush=True)  # fmt: skip


def strip(path: Path, frames: list[Path], every: int) -> None:
    rows = []
    for film in frames:
        with av.open(str(film)) as file:
            shown = [f.to_ndarray(format="rgb24") for f in file.decode(video=0)][::every]
        rows.append(np.concatenate(shown, axis=1))
    cv2.imwrite(str(path), np.concatenate(rows)[:, :, ::-1])


def ways(
    folder: Path, clip: Path, options: argparse.Namespace
) -> dict[str, Callable[[Path], None]]:
    """What styles the clip, by name, into a path."""

    def film(**more: object) -> Callable[[Path], None]:
        def made(out: Path) -> None:
            stylize_film(clip, STYLE, options.preset, out=out, codec="ffv1", size=options.size,
                         **more)  # type: ignore[arg-type]  # fmt: skip

        return made

    def kept(out: Path) -> None:
        look = fit_look(STYLE, CITY, options.preset, size=options.size)
        runs = apply_look(look, clip, out=folder / "kept", codec="ffv1")
        runs.pictures[0].replace(out)

    def network(out: Path) -> None:
        applied = apply([clip], options.network, out=folder / "network", codec="ffv1")
        applied.done[0].replace(out)

    found = {
        "shot": film(),
        "shot, 3 key frames": film(key_frames=3),
        "whole": film(consistency="whole"),
        "frame": film(consistency="frame"),
        "a kept look": kept,
    }
    return found | ({"apply": network} if options.network else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--size", type=int, default=200, help="of the fits")
    parser.add_argument("--preset", default="color")
    parser.add_argument("--drift", type=float, default=1 / 3, metavar="STOPS")
    parser.add_argument("--network", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    folder = options.out or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / "pan.mkv"
    pan(clip, options.frames, options.width, options.drift)
    own = lab_frames(clip)
    print("| way | mean ΔE | 95th percentile | worst pair |\n|---|---|---|---|")
    row("(the content's own drift)", changes([smooth(x) for x in own]))
    films = [clip]
    for name, make in ways(folder, clip, options).items():
        films.append(folder / f"{name.replace(' ', '-').replace(',', '')}.mkv")
        make(films[-1])
        looks = [smooth(new - old) for new, old in zip(lab_frames(films[-1]), own, strict=True)]
        row(name, changes(looks))
    strip(folder / "strips.png", films, max(1, options.frames // 4))


if __name__ == "__main__":
    main()
