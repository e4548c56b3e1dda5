"""What masks are worth: the same pairs with drawn masks, with clustering and with none.

    python tests/benchmarks/bench_masks.py --pairs DIR --ids 3 7 … [--presets photoreal-fast]
        [--segmenters cluster none labels] [--size 320] [--encoder FILE] --out FOLDER

DIR has content/, style/, content_mask/ and style_mask/ with equal names. Structure, edges and
colour distance are those of photostyle/metrics.py; colour is measured over the drawn regions,
whatever regions the run used, and over the run's own (what `photostyle run` prints). The pictures
go into FOLDER with one sheet for each preset.
"""

import argparse
from pathlib import Path

from torch import Tensor

from photostyle.config.presets import preset
from photostyle.images.picture import Photo, fit_size, image_size, load_image, resize
from photostyle.images.saving import save_image
from photostyle.images.sheets import contact_sheet
from photostyle.metrics import measure
from photostyle.pipeline import stylize
from photostyle.segmentation.segmenter import load_masks


def named(folder: Path, name: str) -> Path:
    """The picture of that name, whatever its suffix."""
    return next(iter(sorted(folder.glob(f"{name}.*"))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--ids", nargs="+", required=True)
    parser.add_argument("--presets", nargs="+", default=["photoreal-fast"])
    parser.add_argument("--segmenters", nargs="+", default=["cluster", "none", "labels"])
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print("| pair | preset | masks | regions | structure | edges | ΔE, drawn regions | ΔE, own |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.presets:
        rows = [compared(options, name, pair) for pair in options.ids]
        contact_sheet(rows, options.out / f"{name}.png")


def compared(options: argparse.Namespace, name: str, pair: str) -> list[tuple[str, Tensor]]:
    """Prints the rows of one pair; gives its row of the sheet."""
    files = [named(options.pairs / kind, pair) for kind in ("content", "style")]
    masks = [named(options.pairs / f"{kind}_mask", pair) for kind in ("content", "style")]
    photos = [load_image(path) for path in files]
    content, style = (fitted(photo, options.size) for photo in photos)
    drawn = load_masks(masks[0], masks[1], content, style)
    row: list[tuple[str, Tensor]] = [(f"{pair} content", content), ("style", style)]
    for segmenter in options.segmenters:
        given = dict(zip(("content_mask", "style_mask"), masks, strict=True))
        config = preset(name).with_options(
            {
                "size": options.size,
                "output_size": options.size,
                "encoder": options.encoder,
                "segmenter": segmenter,
            }
        )
        result = stylize(*photos, config, **(given if segmenter == "labels" else {}))
        over_drawn = measure(result.image, content, style, drawn.content, drawn.style)
        own = result.scores
        print(f"| {pair} | {name} | {segmenter} | {len(result.masks.regions)} | "
              f"{own.structure:.3f} | {own.edges:.3f} | {over_drawn.colour:.2f} | "
              f"{own.colour:.2f} |", flush=True)  # fmt: skip
        save_image(options.out / f"{pair}-{name}-{segmenter}.png", result.image)
        row.append((segmenter, result.image))
    return row


def fitted(photo: Photo, size: int) -> Tensor:
    return resize(photo.image, fit_size(image_size(photo.image), size))


if __name__ == "__main__":
    main()
