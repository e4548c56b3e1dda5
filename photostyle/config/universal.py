"""The options of networks and transforms for any style, in a run and in a training."""

from dataclasses import dataclass

from photostyle.config.options import Stage, option
from photostyle.errors import OptionError

TRANSFORMS = ("wavelet", "artflow", "decoder")
#: What a training makes.
METHODS = ("fast", "artflow", "decoder")


@dataclass(frozen=True)
class LatentsConfig(Stage):
    """Stage 5, the start of --init latents: statistics moved in the latents of a transform."""

    transform: str = option(
        "wavelet",
        "What makes latents of pictures: wavelet (orthonormal wavelet packets, no weights), "
        "artflow or decoder (a network of `photostyle train --method`, given by --model).",
        choices=TRANSFORMS,
    )
    transfer: str = option(
        "wct",
        "What is moved to the style's: adain (mean and deviation of each channel) or wct (their "
        "whole covariance).",
        choices=("adain", "wct"),
    )
    alpha: float = option(
        1.0, "Share of the transferred latents against the content's own.", low=0.0, high=1.0
    )
    cutoff: float = option(
        1e-5, "Variance below which wct leaves a direction of the latents out.", low=1e-12, high=1e6
    )
    bands: str = option(
        "low",
        "Bands of wavelet that take the style: low (the picture at a small size, in light and "
        "colour; finer bands are the content's own, at its new contrast) or all.",
        choices=("low", "all"),
    )
    levels: int = option(
        3, "Levels of wavelet, each half as large as the one before.", low=0, high=6
    )


@dataclass(frozen=True)
class FlowConfig(Stage):
    """The networks of --method artflow and decoder."""

    flow_blocks: int = option(
        2, "Of artflow: halvings of the picture, each with its flows.", low=1, high=4
    )
    flows: int = option(8, "Of artflow: flows in each block.", low=1, high=64)
    flow_width: int = option(256, "Of artflow: channels within the couplings.", low=4, high=2048)
    recompute: str = option(
        "on",
        "Of artflow: on, what goes into the flows is computed again from what comes out, so that "
        "memory does not grow with their number; off keeps it, which is quicker.",
        choices=("on", "off"),
    )
    decoder_layers: tuple[str, ...] = option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        "Of decoder: layers of the encoder that are inverted.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.decoder_layers or len(set(self.decoder_layers)) != len(self.decoder_layers):
            raise OptionError("--decoder-layers needs one or more, each once, such as relu1_1.")
