"""Photorealistic style transfer: the light, colour and mood of one photograph on another.

The names below load torch when they are first used, not when the package is imported.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "stylize": "photostyle.pipeline",
    "fit_look": "photostyle.looks.fitting",
    "learn_look": "photostyle.looks.pairs",
    "Look": "photostyle.looks.look",
    "Result": "photostyle.result",
    "Config": "photostyle.config.config",
    "PRESETS": "photostyle.config.presets",
    "preset": "photostyle.config.presets",
    "load_image": "photostyle.images.picture",
    "save_image": "photostyle.images.saving",
    "matting_laplacian": "photostyle.matting.laplacian",
    "load_masks": "photostyle.segmentation.segmenter",
    "segment_pair": "photostyle.segmentation.segmenter",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'photostyle' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
