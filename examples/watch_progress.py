"""A function that is told of progress, and that ends a run when it has seen enough.

python examples/watch_progress.py [--size 400] [--out out/watched.png]
"""

import argparse
from pathlib import Path

import photostyle

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=400, help="long side in pixels")
    parser.add_argument("--out", type=Path, default=Path("out/watched.png"))
    options = parser.parse_args()

    totals: list[float] = []

    def told(update: photostyle.Update) -> None:
        if update.step is None:
            print(f"{update.stage} {update.note}".rstrip())
            return
        totals.append(update.step.total)
        print(f"{update.done}/{update.total}: {update.step.total:.4g}")
        if len(totals) > 5 and totals[-1] > 0.98 * totals[-2]:
            raise KeyboardInterrupt  # the best picture until now comes back

    result = photostyle.stylize(
        HERE / "city.jpg", HERE / "night.jpg", "photoreal-fast",
        size=options.size, output_size=1024, progress=told,
    )  # fmt: skip
    print(result)
    result.save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()
