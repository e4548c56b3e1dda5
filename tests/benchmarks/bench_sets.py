"""One look over a shoot: how well a set of photographs of one scene keeps together.

    python tests/benchmarks/bench_sets.py [--vary light|frame] [--preset color] [--size 200]
        [--out FOLDER]

Twelve photographs are made of examples/city.jpg. `light`: four exposures (−1, −½, 0 and +⅓ stops of
light) by three white balances (red and blue by ±12 % of light, against each other). `frame`: twelve
crops of 70 % a side, of which what all have in common is measured. They go to
examples/night.jpg in three ways: each for itself (`run`), under one look fitted on them all, and
under a look fitted on a middle one alone. Spread is the root mean square distance in CIELAB of the
pictures' mean colours from their common mean; "unlike" the same of every pixel from its mean over
the twelve, which also sees what changed in one picture and not in another.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import photostyle
from photostyle.color.lab import light_of, rgb_to_lab, srgb_of
from photostyle.images.picture import Photo, fit_size, image_size, resize
from photostyle.images.sheets import contact_sheet

ROOT = Path(__file__).resolve().parents[2]
CROP = 0.7
STOPS, WARMTHS = (-1.0, -0.5, 0.0, 1 / 3), (0.88, 1.0, 1.12)


def shoot(photo: Photo) -> list[Photo]:
    """The twelve, from the darkest to the lightest."""
    made = []
    for stops in STOPS:
        for warmth in WARMTHS:
            gains = 2**stops * torch.tensor([warmth, 1.0, 2 - warmth])[None, :, None, None]
            image = srgb_of(light_of(photo.image) * gains).clamp(0, 1)
            made.append(replace(photo, image=image, sha256=f"{photo.sha256} {stops} {warmth}"))
    return made


def frames(photo: Photo) -> list[Photo]:
    """The twelve crops, row by row."""
    made = []
    for down in np.linspace(0, 1 - CROP, 3):
        for across in np.linspace(0, 1 - CROP, 4):
            image = _cut(photo.image, (down, down + CROP), (across, across + CROP))
            made.append(replace(photo, image=image, sha256=f"{photo.sha256} {down} {across}"))
    return made


def common(images: list[Tensor]) -> list[Tensor]:
    """What every crop shows, of each."""
    starts = [(down, across) for down in np.linspace(0, 1 - CROP, 3)
              for across in np.linspace(0, 1 - CROP, 4)]  # fmt: skip
    low, high = 1 - CROP, CROP
    found = []
    for image, (down, across) in zip(images, starts, strict=True):
        rows, columns = (((low - x) / CROP, (high - x) / CROP) for x in (down, across))
        found.append(_cut(image, rows, columns))
    sides = [min(x.shape[axis] for x in found) for axis in (2, 3)]
    return [x[:, :, : sides[0], : sides[1]] for x in found]


def _cut(image: Tensor, rows: tuple[float, float], columns: tuple[float, float]) -> Tensor:
    (top, bottom), (left, right) = (
        [round(end * n) for end in ends]
        for ends, n in zip((rows, columns), image.shape[2:], strict=True)
    )
    return image[:, :, top:bottom, left:right].contiguous()


def spread(images: list[Tensor]) -> tuple[float, float]:
    """Spread of the mean colours, and how unlike the pixels are."""
    labs = torch.stack([rgb_to_lab(x[0].flatten(1).T) for x in images])  # 12×N×3
    off = labs - labs.mean(dim=0)
    means = off.mean(dim=1)
    return float(means.square().sum(-1).mean().sqrt()), float(off.square().sum(-1).mean().sqrt())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vary", choices=("light", "frame"), default="light")
    parser.add_argument("--preset", default="color")
    parser.add_argument("--size", type=int, default=200, help="long side in pixels")
    parser.add_argument("--out", type=Path, help="folder of a contact sheet")
    options = parser.parse_args()
    config = photostyle.preset(options.preset).with_options({"size": options.size, "device": "cpu"})
    night = photostyle.load_image(ROOT / "examples/night.jpg")
    city = photostyle.load_image(ROOT / "examples/city.jpg")
    small = resize(city.image, fit_size(image_size(city.image), options.size))
    vary = {"light": shoot, "frame": frames}[options.vary]
    contents = vary(replace(city, image=small))
    joint, single = (photostyle.fit_look(night, x, config) for x in (contents, contents[7]))
    sets = {
        "photographs": [one.image for one in contents],
        "each for itself": [photostyle.stylize(one, night, config).image for one in contents],
        "one look, of all": [joint.apply(one).image for one in contents],
        "one look, of the middle": [single.apply(one).image for one in contents],
    }
    for name, images in sets.items():
        means, pixels = spread(common(images) if options.vary == "frame" else images)
        print(f"{name}: spread {means:.2f}, unlike {pixels:.2f}", flush=True)
    if options.out:
        rows = [[(name, image) for image in images] for name, images in sets.items()]
        contact_sheet(rows, options.out / "shoot.png", height=120)
        print(options.out / "shoot.png")


if __name__ == "__main__":
    main()
