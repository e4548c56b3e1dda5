"""A PIL image in, a mask from an array, a PIL image out: no file but the last.

python examples/pictures_in_memory.py [--size 400] [--out out/memory.png]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import photostyle

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=400, help="long side in pixels")
    parser.add_argument("--out", type=Path, default=Path("out/memory.png"))
    options = parser.parse_args()

    content = Image.open(HERE / "city.jpg")
    content.thumbnail((options.size, options.size))
    style = np.asarray(Image.open(HERE / "night.jpg"))  # H×W×3 uint8

    # The upper part is sky, in both; any array of integers is a mask.
    above = np.arange(content.height) < 0.4 * content.height
    mine = np.repeat(above.astype(int)[:, None], content.width, axis=1)
    its = np.zeros(style.shape[:2], int)
    its[: int(0.4 * len(its))] = 1

    result = photostyle.stylize(
        content, style, "photoreal-fast", size=options.size, content_mask=mine, style_mask=its
    )
    print(result)
    softer = photostyle.render(result, strength=0.6)
    print(softer.to_numpy("uint16").shape, softer.to_pil().mode)
    softer.save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()
