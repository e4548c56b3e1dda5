"""The named configurations: every method is one of these, none has code of its own."""

import dataclasses

from photostyle.config import Config
from photostyle.errors import OptionError
from photostyle.stages import GRID, ObjectiveConfig, OptimizeConfig, PostprocessConfig, Solve

PRESETS: dict[str, Config] = {
    "photoreal": Config(),
    "photoreal-fast": Config(
        preset="photoreal-fast",
        objective=ObjectiveConfig(drift_weight=2.7),
        optimize=OptimizeConfig(
            solves=(dataclasses.replace(GRID, terms=("swd", "drift", "gamut")),)
        ),
        postprocess=PostprocessConfig(guided_radius=7, shadow_recovery=0.7),
    ),
    "color": Config(
        preset="color",
        optimize=OptimizeConfig(solves=()),
        postprocess=PostprocessConfig(guided_radius=10),
    ),
    # Luan et al. 2017 with the authors' published constants: stage one without the Laplacian, from
    # noise, then as long again with it.
    "dpst": Config(
        preset="dpst",
        objective=ObjectiveConfig(
            tv_weight=1e-3, gamut_weight=0.0, scaling="paper", plain_regions="full"
        ),
        optimize=OptimizeConfig(
            init="noise",
            solves=(
                Solve(terms=("content", "style", "tv"), steps=1000),
                Solve(terms=("content", "style", "photoreal", "tv"), steps=1000),
            ),
        ),
        postprocess=PostprocessConfig(postprocess="affine"),
    ),
}


def preset(name: str) -> Config:
    """The preset of that name.

    Raises:
        OptionError: there is none; the message lists those that exist.
    """
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise OptionError(f"--preset {name}: there is no such preset; choose from {known}.")
    return PRESETS[name]
