"""A sweep from Python: one pair under several weights, its sheet and its scores.

python examples/find_weights.py [--size 256] [--out out/weights]
"""

import argparse
from pathlib import Path

import photostyle

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="long side in pixels")
    parser.add_argument("--out", type=Path, default=Path("out/weights"))
    options = parser.parse_args()

    runs = photostyle.sweep(
        HERE / "city.jpg", HERE / "night.jpg",
        {"drift_weight": [0.3, 2.7], "strength": [0.5, 1.0]},
        out=options.out, config="photoreal-fast", size=options.size, output_size=options.size,
        progress=lambda update: print(update.note),
    )  # fmt: skip
    for row in runs.rows():
        print(f"{row['name']}: structure {row['structure']:.3f}, style {row['style_taken']:.0%}")
    print(runs.files[-1])


if __name__ == "__main__":
    main()
