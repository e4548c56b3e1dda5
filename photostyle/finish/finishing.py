"""Post-processing as configured: the finished picture, and how it reaches any size."""

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.finish import postprocess
from photostyle.finish.rarity import kept_chroma, rarity
from photostyle.finish.shadows import lost_contrast
from photostyle.matting.maps import LocalAffine, Painted, fit_local_affine
from photostyle.optimize.canvas import EPSILON, RADIUS
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene


def finished(
    image: Tensor, start: Tensor, scene: Scene, config: Config, log: Log
) -> tuple[Tensor, LocalAffine | Painted]:
    """Stage 6: the finished picture at the working size, and what makes it of the content at any.

    Args:
        image: 1×3×H×W, what the solves left. start: what they began with.
        scene: its content has their size.
        config: its render.deliver says which, "maps" of the content's colours or the picture's
            own "pixels".
    """
    with log.stage("post-process"):
        return _finished(image, start, scene, config)


def _finished(
    image: Tensor, start: Tensor, scene: Scene, config: Config
) -> tuple[Tensor, LocalAffine | Painted]:
    options, deliver, content = config.postprocess, config.render.deliver, scene.content
    if options.postprocess == "guided":
        maps = _project(image, start, scene, config)
        image = maps.apply(content)
        if deliver == "maps":
            return image, maps
    elif options.postprocess == "affine":
        image = postprocess.smoothed_affine(
            image, content, options.affine_radius, options.affine_edge
        )
    elif options.postprocess == "bilateral":
        image = postprocess.bilateral(image, options.bilateral_diameter, options.bilateral_color)
    if deliver == "pixels":
        return image, Painted(image.cpu(), torch.ones(()))
    return image, fit_local_affine(image, content, RADIUS, EPSILON)


def _project(image: Tensor, start: Tensor, scene: Scene, config: Config) -> LocalAffine:
    """The guided maps, turned back towards the start's where the solves crushed the shadows, and
    towards the content's chroma where its colours are rare in their region."""
    options, content = config.postprocess, scene.content
    pictures = [image, start]
    if options.rare_colors > 0:
        share = options.rare_colors * rarity(content, scene.content_masks)
        pictures = [kept_chroma(x, content, share) for x in pictures]
    window = postprocess.loosened(
        options.guided_radius, options.guided_epsilon, config.objective.photoreal_weight
    )
    maps, before = (postprocess.guided(x, content, *window) for x in pictures)
    lost = lost_contrast(maps.apply(content), before.apply(content), options.shadow_recovery)
    return maps.mixed(before, lost.to(maps.coefficients.device))
