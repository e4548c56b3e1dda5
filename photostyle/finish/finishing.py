"""Post-processing as configured: the finished picture, and how it reaches any size."""

import math

import torch
from torch import Tensor

from photostyle.color.regional import RegionalLook
from photostyle.config.config import Config
from photostyle.finish import postprocess
from photostyle.finish.distil import regional_look
from photostyle.finish.rarity import kept_chroma, rarity
from photostyle.finish.shadows import lost_contrast
from photostyle.matting.maps import LocalAffine, Painted, fit_local_affine
from photostyle.optimize.canvas import EPSILON, RADIUS
from photostyle.optimize.start import Start
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene

Maps = LocalAffine | Painted | RegionalLook

#: Photorealism weight at which a picture is distilled and no more; decades below it to the free
#: picture, and above it to the start.
MIDDLE, FREE, FIRM = 1e4, 2.0, 3.0


def finished(
    image: Tensor, start: Start, scene: Scene, config: Config, log: Log
) -> tuple[Tensor | None, Maps]:
    """Stage 6: the finished picture at the working size, None where it is the content under the
    maps and no more, and what makes it of the content at any.

    Args:
        image: 1×3×H×W, what the solves left. start: what they began with.
        scene: its content has their size.
        config: its render.deliver says which, "maps" of the content's colours or the picture's
            own "pixels".
    """
    with log.stage("post-process"):
        return _finished(image, start, scene, config)


def _finished(
    image: Tensor, start: Start, scene: Scene, config: Config
) -> tuple[Tensor | None, Maps]:
    options, deliver, content = config.postprocess, config.render.deliver, scene.content
    maps: Maps | None = None
    if options.postprocess == "distil":
        maps = _distil(image, start, scene, config)
    elif options.postprocess == "guided":
        maps = _project(image, start.picture, scene, config)
    elif options.postprocess == "affine":
        image = postprocess.smoothed_affine(
            image, content, options.affine_radius, options.affine_edge
        )
    elif options.postprocess == "bilateral":
        image = postprocess.bilateral(image, options.bilateral_diameter, options.bilateral_color)
    if maps is not None:
        if deliver == "maps":
            return None, maps
        image = maps.apply(content)
    if deliver == "pixels":
        return image, Painted(image.cpu(), torch.ones(()))
    return image, fit_local_affine(image, content, RADIUS, EPSILON)


def _distil(image: Tensor, start: Start, scene: Scene, config: Config) -> Maps:
    """The picture distilled; under a large photorealism weight rather the start, under a small one
    rather the picture as it is, both by decades. Rare colours change in place, which only local
    maps can."""
    free = min(1.0, max(0.0, -_decades(config) / FREE))
    goal = firmed(image, start, config)
    look = regional_look(goal, start.matches, scene, config.segmentation.unguided)
    if free == 0 and config.postprocess.rare_colors == 0:
        return look
    return _project(
        torch.lerp(look.apply(scene.content), image, free), start.picture, scene, config
    )


def firmed(image: Tensor, start: Start, config: Config) -> Tensor:
    """What is distilled: the solved picture, under a large photorealism weight rather the start."""
    return torch.lerp(image, start.picture, min(1.0, max(0.0, _decades(config) / FIRM)))


def _decades(config: Config) -> float:
    return math.log10(max(config.objective.photoreal_weight, 1e-9) / MIDDLE)


def _project(image: Tensor, start: Tensor, scene: Scene, config: Config) -> LocalAffine:
    """The guided maps, turned back towards the start's where the solves crushed the shadows, and
    towards the content's chroma where its colours are rare in their region."""
    options, content = config.postprocess, scene.content
    pictures = [image, start]
    if options.rare_colors > 0:
        share = options.rare_colors * rarity(content, scene.content_masks, scene.weights[0])
        pictures = [kept_chroma(x, content, share) for x in pictures]
    window = postprocess.loosened(
        options.guided_radius, options.guided_epsilon, config.objective.photoreal_weight
    )
    maps, before = (postprocess.guided(x, content, *window) for x in pictures)
    lost = lost_contrast(maps.apply(content), before.apply(content), options.shadow_recovery)
    return maps.mixed(before, lost.to(maps.coefficients.device))
