"""The side of the tiles in which the encoder sees a picture that is too large for the memory."""

from photostyle.config.config import Config
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders.base import Encoder
from photostyle.images.picture import image_size
from photostyle.objective.tiling import ALIGNMENT, LEAST_SIDE, MOST_SIDE, tile_side
from photostyle.optimize.lbfgs import HISTORY
from photostyle.runtime.device import free_memory
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene

#: Pictures that L-BFGS and the evaluator keep: two a pair of its history, and a few points.
OPTIMISER_PICTURES = 2 * HISTORY + 10


def tiled(config: Config, encoder: Encoder | None, scene: Scene, log: Log) -> Config:
    """The configuration with the side of the encoder's tiles, chosen here if it was left open, so
    that the manifest repeats this run whatever memory is free then."""
    if encoder is None or config.encoder.tile_size is not None:
        return config
    size, free = image_size(scene.content), free_memory(scene.content.device)
    side = chosen_tile(encoder, config.encoder, config.objective, size, free)
    if side:
        log.note("start", f"The encoder's maps of the whole picture do not fit into the free "
                 f"memory; it works in tiles of {side} pixels, with the same result.")  # fmt: skip
    return config.with_options({"tile_size": side})


def chosen_tile(
    encoder: Encoder,
    taps: EncoderConfig,
    weights: ObjectiveConfig,
    size: tuple[int, int],
    free: int | None,
) -> int:
    """The side of the tiles in which a picture is encoded, 0 for none, as the free memory asks.

    Args:
        size: (height, width) of the picture.
        free: bytes; None where that is not known.
    """
    if weights.style_term == "mrf":  # patches are matched over all of a map
        return 0
    wanted = dict.fromkeys((*taps.content_layers, *taps.style_layers))
    layers = [name for name in wanted if name in encoder.layer_names]
    if free is not None:  # what the optimiser keeps is not there for the encoder
        free = max(0, free - OPTIMISER_PICTURES * 3 * 4 * size[0] * size[1])
    return tile_side(encoder, layers, size, free)


def smaller_tile(config: Config, encoder: Encoder | None, size: tuple[int, int]) -> int:
    """A side of tiles that need less memory than the configuration's, 0 where there is none.

    Args:
        size: (height, width) of the picture.
    """
    if encoder is None or config.objective.style_term == "mrf":
        return 0
    now = min(config.encoder.tile_size or MOST_SIDE, max(size))
    half = max(LEAST_SIDE, now // 2 // ALIGNMENT * ALIGNMENT)
    return half if half < now else 0
