"""Photorealistic style transfer: the light, colour and mood of one photograph on another.

    import photostyle

    result = photostyle.stylize("city.jpg", "night.jpg", size=512)
    result.save("city-at-night.png")

Pictures are given as paths, PIL images, NumPy arrays or torch tensors, options as keywords. The
names below load torch when they are first used, not when the package is imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photostyle.api.batches import batch
    from photostyle.api.exporting import Exported, export
    from photostyle.api.filming import stylize_film
    from photostyle.api.judging import compare
    from photostyle.api.looking import apply_look
    from photostyle.api.many import post, sweep
    from photostyle.api.methods import Methods, compare_methods
    from photostyle.api.networks import Training, apply, train
    from photostyle.api.regions import Regions
    from photostyle.api.rivals import Rivals, compare_fast
    from photostyle.api.running import Running, RunningOptions, Runs
    from photostyle.api.styling import render, segment, stylize
    from photostyle.api.telling import info
    from photostyle.config.config import Config
    from photostyle.config.keywords import (
        Options,
        RenderOptions,
        SegmentationOptions,
        TrainingOptions,
    )
    from photostyle.config.presets import PRESETS, preset
    from photostyle.config.training import TrainingConfig
    from photostyle.errors import PhotostyleError
    from photostyle.feedforward.working import Applied
    from photostyle.films.restyling import FilmReport
    from photostyle.images.facts import Facts
    from photostyle.images.given import PictureLike
    from photostyle.images.picture import Metadata, Photo, load_image
    from photostyle.images.saving import save_image
    from photostyle.images.shown import Picture
    from photostyle.jobs.methods import Method
    from photostyle.looks.fitting import fit_look
    from photostyle.looks.look import Look
    from photostyle.looks.pairs import Learnt, learn_look
    from photostyle.matting.laplacian import matting_laplacian
    from photostyle.metrics import Scores
    from photostyle.result import Recipe, Result, load_recipe
    from photostyle.runtime.memory import Memory
    from photostyle.runtime.steps import Step, TrainStep
    from photostyle.runtime.updates import Progress, Update
    from photostyle.segmentation.arrays import MaskLike
    from photostyle.segmentation.masks import LabelMap, Masks, Region
    from photostyle.segmentation.segmenter import load_masks, segment_pair

_HOMES = {
    "photostyle.api.batches": ("batch",),
    "photostyle.api.filming": ("stylize_film",),
    "photostyle.api.judging": ("compare",),
    "photostyle.api.exporting": ("Exported", "export"),
    "photostyle.api.looking": ("apply_look",),
    "photostyle.api.many": ("post", "sweep"),
    "photostyle.api.methods": ("Methods", "compare_methods"),
    "photostyle.api.networks": ("Training", "apply", "train"),
    "photostyle.api.regions": ("Regions",),
    "photostyle.api.rivals": ("Rivals", "compare_fast"),
    "photostyle.api.running": ("Running", "RunningOptions", "Runs"),
    "photostyle.api.styling": ("render", "segment", "stylize"),
    "photostyle.api.telling": ("info",),
    "photostyle.config.config": ("Config",),
    "photostyle.config.keywords": (
        "Options", "RenderOptions", "SegmentationOptions", "TrainingOptions",
    ),
    "photostyle.config.presets": ("PRESETS", "preset"),
    "photostyle.config.training": ("TrainingConfig",),
    "photostyle.errors": ("PhotostyleError",),
    "photostyle.feedforward.working": ("Applied",),
    "photostyle.films.restyling": ("FilmReport",),
    "photostyle.images.facts": ("Facts",),
    "photostyle.images.given": ("PictureLike",),
    "photostyle.images.picture": ("Metadata", "Photo", "load_image"),
    "photostyle.images.saving": ("save_image",),
    "photostyle.images.shown": ("Picture",),
    "photostyle.jobs.methods": ("Method",),
    "photostyle.looks.fitting": ("fit_look",),
    "photostyle.looks.look": ("Look",),
    "photostyle.looks.pairs": ("Learnt", "learn_look"),
    "photostyle.matting.laplacian": ("matting_laplacian",),
    "photostyle.metrics": ("Scores",),
    "photostyle.result": ("Recipe", "Result", "load_recipe"),
    "photostyle.runtime.memory": ("Memory",),
    "photostyle.runtime.steps": ("Step", "TrainStep"),
    "photostyle.runtime.updates": ("Progress", "Update"),
    "photostyle.segmentation.arrays": ("MaskLike",),
    "photostyle.segmentation.masks": ("LabelMap", "Masks", "Region"),
    "photostyle.segmentation.segmenter": ("load_masks", "segment_pair"),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# Written out, as type checkers take no computed list for what a package exports.
__all__ = [
    "PRESETS", "Applied", "Config", "Exported", "Facts", "FilmReport", "LabelMap", "Learnt", "Look",
    "MaskLike", "Masks", "Memory", "Metadata", "Method", "Methods", "Options", "Photo",
    "PhotostyleError", "Picture", "PictureLike", "Progress", "Recipe", "Region", "Regions",
    "RenderOptions", "Result", "Rivals", "Running", "RunningOptions", "Runs", "Scores",
    "SegmentationOptions", "Step", "TrainStep", "Training", "TrainingConfig", "TrainingOptions",
    "Update", "apply", "apply_look", "batch", "compare", "compare_fast", "compare_methods",
    "export", "fit_look", "info", "learn_look", "load_image", "load_masks", "load_recipe",
    "matting_laplacian", "post", "preset", "render", "save_image", "segment", "segment_pair",
    "stylize", "stylize_film", "sweep", "train",
]  # fmt: skip


if not TYPE_CHECKING:  # to a checker it would mean that there is every name

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'photostyle' has no attribute {name!r}")
        return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOME_OF)
