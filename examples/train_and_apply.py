"""A network for one style, trained for a moment only, applied to a picture and exported.

python examples/train_and_apply.py [--size 128] [--steps 200] [--out out/network]
"""

import argparse
from pathlib import Path

import photostyle

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128, help="side of the crops in pixels")
    parser.add_argument("--steps", type=int, default=200, help="40000 make a good network")
    parser.add_argument("--out", type=Path, default=Path("out/network"))
    options = parser.parse_args()

    trained = photostyle.train(
        HERE / "night.jpg", out=options.out / "night.safetensors", steps=options.steps,
        size=options.size, style_size=options.size, width=0.25, blocks=2, batch=1, workers=0,
        encoder="builtin", progress=True,
    )  # fmt: skip
    print(trained)
    styled = photostyle.apply(HERE / "city.jpg", trained.network)
    styled.save(options.out / "city.jpg")
    print(photostyle.export(trained.network, format="torchscript"))


if __name__ == "__main__":
    main()
