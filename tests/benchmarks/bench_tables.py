"""How much of a look a 33³ table carries, on pairs with masks.

    python tests/benchmarks/bench_tables.py --pairs DIR [--preset color] [--size 256] [--limit N]

DIR has content/, style/, content_mask/ and style_mask/ with equal names. For every pair a look is
fitted with its masks and one without; the table of the whole, and tables by region held together by
the masks, are compared with the full look on the content (mean and 95th percentile of the distance
in CIELAB, 1976).
"""

import argparse
from pathlib import Path
from statistics import mean

import photostyle
from photostyle.images.picture import load_image
from photostyle.looks.exporting import Honesty, honesty
from photostyle.looks.look import Look
from photostyle.looks.lut import Lut
from photostyle.looks.regions import regions_for


def judged(look: Look, content: Path, mask: Path | None) -> Honesty:
    photo = load_image(content)
    tables = {name: Lut.of(look.colour_map(name)) for name in look.regions}
    masks, _ = regions_for(look, photo, mask)
    return honesty(look, Lut.of(look.colour_map()), [(photo, masks)], tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--preset", default="color")
    parser.add_argument("--size", type=int, default=256, help="long side in pixels")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    config = photostyle.preset(options.preset).with_options({"size": options.size, "device": "cpu"})
    found = []
    for content in sorted((options.pairs / "content").iterdir())[: options.limit]:
        style, mask, its = (
            next((options.pairs / role).glob(f"{content.stem}.*"))
            for role in ("style", "content_mask", "style_mask")
        )
        plain = judged(photostyle.fit_look(style, content, config), content, None)
        look = photostyle.fit_look(style, content, config, content_masks=mask, style_mask=its)
        drawn = judged(look, content, mask)
        found.append((*plain.figures(), *drawn.figures(), *drawn.figures(by_region=True)))
        print(content.stem, *(f"{x:.2f}" for x in found[-1]), flush=True)
    print("mean", *(f"{mean(column):.2f}" for column in zip(*found, strict=True)))


if __name__ == "__main__":
    main()
