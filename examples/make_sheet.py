"""The same pair under every preset that takes seconds, on one sheet.

python examples/make_sheet.py [--size 256] [--out out/presets.png]
"""

import argparse
from pathlib import Path

import photostyle
from photostyle.images.sheets import contact_sheet

ROOT = Path(__file__).resolve().parents[1]
PRESETS = ("color", "photoreal-fast", "photoreal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="long side in pixels")
    parser.add_argument("--out", type=Path, default=Path("out/presets.png"))
    options = parser.parse_args()
    masks = {"content_mask": ROOT / "masks/city.png", "style_mask": ROOT / "masks/night.png"}
    pair = ROOT / "examples/city.jpg", ROOT / "examples/night.jpg"
    row = [(path.stem, photostyle.load_image(path).image) for path in pair]
    for name in PRESETS:
        config = photostyle.preset(name).with_options({"size": options.size, "output_size": 1024})
        result = photostyle.stylize(*pair, config, **masks)
        row.append((f"{name}, style taken {result.scores.style_taken:.0%}", result.image))
    contact_sheet([row[:2], row[2:]], options.out)
    print(options.out)


if __name__ == "__main__":
    main()
