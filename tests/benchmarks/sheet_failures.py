"""A known failure before and after its cure: one pair twice, with the place where it shows.

    python tests/benchmarks/sheet_failures.py FAULT --content C --style S --content-mask M
        --style-mask N --crop LEFT TOP RIGHT BOTTOM [--size 512] [--encoder FILE] --out sheet.png

"Before" is the `photoreal` preset with the option that cures the fault switched off, "after" the
preset as it is. The crop is given in shares of the width and height.
"""

import argparse
from pathlib import Path

from torch import Tensor

from photostyle.config.presets import preset
from photostyle.images.picture import load_image
from photostyle.images.sheets import contact_sheet
from photostyle.pipeline import stylize

#: The options that switch each cure off.
FAULTS: dict[str, dict[str, object]] = {
    "flat-backdrop": {"plain_regions": "full", "drift_weight": 0.0},
    "drift": {"drift_weight": 0.0},
    "crushed-shadows": {"shadow_recovery": 0.0},
    "light": {"canvas": "affine-grid"},
    "texture": {"postprocess": "none"},
}


def cropped(image: Tensor, crop: list[float]) -> Tensor:
    """The part of a 1×3×H×W picture between (left, top) and (right, bottom), in shares of it."""
    height, width = image.shape[2:]
    (left, right), (top, bottom) = (
        (round(crop[i] * side), round(crop[i + 2] * side)) for i, side in ((0, width), (1, height))
    )
    return image[:, :, top : max(bottom, top + 1), left : max(right, left + 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fault", choices=sorted(FAULTS))
    for name in ("content", "style", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("content-mask", "style-mask"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--crop", type=float, nargs=4, default=[0.0, 0.0, 1.0, 1.0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--encoder", default="builtin")
    options = parser.parse_args()
    values = {"size": options.size, "output_size": options.size, "encoder": options.encoder}
    masks = {"content_mask": options.content_mask, "style_mask": options.style_mask}
    pictures = {name: load_image(getattr(options, name)).image for name in ("content", "style")}
    for name, off in (("before", FAULTS[options.fault]), ("after", {})):
        config = preset("photoreal").with_options({**values, **off})
        result = stylize(options.content, options.style, config, **masks)
        pictures[name] = result.image
        print(f"{name}: structure {result.scores.structure:.3f}, edges {result.scores.edges:.3f}, "
              f"style taken {result.scores.style_taken:.1%}", flush=True)  # fmt: skip
    switched = ", ".join(f"{name} {value}" for name, value in FAULTS[options.fault].items())
    labels = {"before": f"before: {switched}"}
    whole = [(labels.get(name, name), picture) for name, picture in pictures.items()]
    parts = [(name, cropped(pictures[name], options.crop)) for name in pictures if name != "style"]
    contact_sheet([whole, parts], options.out)


if __name__ == "__main__":
    main()
