"""Many photographs after one style, each with options of its own, then softened together.

python examples/many_photographs.py [--size 256] [--out out/many]
"""

import argparse
from pathlib import Path

from PIL import Image, ImageOps

import photostyle

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="long side in pixels")
    parser.add_argument("--out", type=Path, default=Path("out/many"))
    options = parser.parse_args()

    city = Image.open(HERE / "city.jpg")
    city.thumbnail((2 * options.size, 2 * options.size))
    runs = photostyle.batch(
        [
            {"content": city, "style": HERE / "night.jpg", "name": "city"},
            {"content": ImageOps.mirror(city), "style": HERE / "night.jpg", "name": "mirrored",
             "strength": 0.7},
        ],
        out=options.out, config="color", size=options.size,
    )  # fmt: skip
    print(runs.summary)
    soft = photostyle.post(runs.pictures, "bilateral:d=5", out=options.out / "soft")
    print(soft.summary)
    scores = photostyle.compare(runs.pictures[0], city, HERE / "night.jpg")
    for name, score in scores.items():
        print(f"{Path(name).name}: {score}")


if __name__ == "__main__":
    main()
