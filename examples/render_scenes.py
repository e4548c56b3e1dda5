"""Render the example photographs and their label pictures from procedural scenes.

    pip install mitsuba
    python examples/render_scenes.py --scene all

writes city.jpg, night.jpg to `examples/` and city.png, night.png to `masks/`. Geometry,
textures, skies and the camera's response are all made here; a path tracer (Mitsuba 3, LLVM
variant) computes the light. With LLVM 16 Mitsuba 3.9.1 ends in "Cannot select", with 19 it runs;
DRJIT_LIBLLVM_PATH names the library where it is not found. The same seed, size and sample count
give the same picture. With Mitsuba 3.9.1 at the default size, city took 14 and night 19 minutes
while both ran at once on 2 busy cores, 3.5 and 6 minutes of processor time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from types import ModuleType

import mitsuba as mi
import numpy as np
from PIL import Image

mi.set_variant("llvm_ad_rgb")

from scenes import camera as cameras  # noqa: E402  (Mitsuba's types exist from here on)
from scenes import city, denoise, develop, materials, night  # noqa: E402

# module, its own seed, paths per pixel, the most light one pass may bring by way of surfaces
SCENES: dict[str, tuple[ModuleType, int, int, float]] = {
    "city": (city, 7, 40, 2.5),
    "night": (night, 11, 64, 3.0),
}
ROOT = Path(__file__).resolve().parents[1]


def load(
    plan: materials.Scene, view: cameras.Camera, folder: Path
) -> tuple[mi.Scene, dict[str, int]]:
    """The Mitsuba scene of collected geometry, and each shape's class."""
    description = {"type": "scene", "sensor": view.sensor(), "sky": plan.emitter}
    classes = {}
    for name in plan.geometry.parts:
        path = folder / f"{name}.ply"
        plan.geometry.write(name, path)
        surface = dict(plan.surfaces[name])
        light = surface.pop("light", None)
        description[name] = {"type": "ply", "filename": str(path), "bsdf": surface}
        if light is not None:
            description[name]["light"] = light
        classes[name] = materials.label(name)
    return mi.load_dict(description), classes


def compose(frame: cameras.Frame, clear: np.ndarray, backdrop: np.ndarray | None) -> np.ndarray:
    """The picture's radiance (H, W, 3), the environment map's sky replaced by `backdrop`.

    clear (H, W) is the share of a pixel that only sky fills.
    """
    direct = frame.direct
    if backdrop is not None:
        rows = len(backdrop)
        direct = direct.copy()
        direct[:rows] = clear[:rows, :, None] * backdrop
    return denoise.denoise(frame) + direct


def render(name: str, width: int, samples: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(photograph, label picture), both uint8 (H, W, 3); samples None takes the scene's own."""
    module, own_seed, own_samples, ceiling = SCENES[name]
    rng = np.random.default_rng([seed, own_seed])
    view = module.camera(width, 2 * width // 3)
    plan = module.build(rng, view)
    with tempfile.TemporaryDirectory() as folder:
        scene, classes = load(plan, view, Path(folder))
    frame = cameras.radiance(scene, samples or own_samples, seed, ceiling)
    shares = cameras.shares(scene, classes, view)
    image = compose(frame, shares[materials.SKY], plan.backdrop)
    photograph = develop.develop(image, frame.distance, module.FILM, rng)
    return photograph, materials.PALETTE[shares.argmax(axis=0)]


def main() -> None:
    """Parse the command line and render."""
    parser = argparse.ArgumentParser(description="Render the example photographs.")
    parser.add_argument("--scene", choices=[*SCENES, "all"], default="all")
    parser.add_argument("--width", type=int, default=1280, help="pixels, long side")
    parser.add_argument("--samples", type=int, help="paths per pixel (city 40, night 64)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT, help="folder of examples/ and masks/")
    options = parser.parse_args()
    for name in SCENES if options.scene == "all" else [options.scene]:
        start = time.perf_counter()
        photograph, mask = render(name, options.width, options.samples, options.seed)
        for folder in ("examples", "masks"):
            (options.out / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph).save(
            options.out / "examples" / f"{name}.jpg", quality=92, subsampling=0, optimize=True
        )
        Image.fromarray(mask).save(options.out / "masks" / f"{name}.png", optimize=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
