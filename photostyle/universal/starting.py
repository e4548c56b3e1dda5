"""A run's start by latents: the content in one pass as the transform and the transfer make it."""

from collections.abc import Hashable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.errors import OptionError
from photostyle.images.hashing import file_stamp
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene
from photostyle.universal.files import load_universal
from photostyle.universal.latents import Transform
from photostyle.universal.photoreal import low_bands_moved
from photostyle.universal.styling import stylist
from photostyle.universal.wavelets import WaveletPackets


def check_latents(config: Config) -> None:
    """Raises OptionError or ModelError where latents start a run and their network is not given, or
    cannot be used."""
    if config.optimize.init != "latents" or config.latents.transform == "wavelet":
        return
    method = config.latents.transform
    if config.network.model is None:
        raise OptionError(
            f"--preset {config.preset} needs a trained network; give --model FILE, as "
            f"`photostyle train --method {method}` writes it."
        )
    load_universal(Path(config.network.model), method)


def latents_key(config: Config) -> tuple[Hashable, ...]:
    """What the start depends on besides the scene."""
    model = config.network.model
    stamp = None if model is None else file_stamp(Path(model))
    return "latents", config.latents, stamp, config.objective.style_blend


@torch.no_grad()
def latents_start(scene: Scene, config: Config, log: Log) -> Tensor:
    """The picture 1×3×H×W in [0, 1]."""
    options, blend = config.latents, config.objective.style_blend
    if options.transform == "wavelet" and options.bands == "low":
        return low_bands_moved(scene, options, blend)
    transforms: Sequence[Transform] = [WaveletPackets(options.levels)]
    if options.transform != "wavelet":
        model = load_universal(
            Path(config.network.model or ""), options.transform, scene.content.device
        )
        log.note("start", f"network: {config.network.model}")
        transforms = model.transforms
    made = stylist(transforms, scene.references(blend), options)
    picture = made.picture(scene.content, scene.content_masks, scene.weights[0])
    return picture.contiguous()  # the networks leave channels last
