"""What a training can be told: the network, the objective and the schedule, as plain values.

The options of `photostyle train` are made from the fields. Imports no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from photostyle.config.config import Staged, stages
from photostyle.config.options import Stage, option
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.config.universal import METHODS, FlowConfig

#: Terms that are learned; the others belong to one content picture.
TERMS = ("content", "style", "tv", "gamut")
#: Options of the encoder and the objective that have no part in a training.
WITHOUT = (
    "tile_size", "activations", "style_blend", "photoreal_weight", "swd_weight", "drift_weight",
    "plain_regions",
)  # fmt: skip
#: Options that say how a training is run and watched, and not what comes out of it.
INCIDENTAL = ("device", "workers", "log_every", "checkpoint_every", "preview_every")


@dataclass(frozen=True)
class NetworkConfig(Stage):
    """The image transformation network."""

    norm: str = option(
        "instance", "Normalisation after every convolution.", choices=("instance", "batch")
    )
    upsampling: str = option(
        "resize",
        "resize (nearest neighbour, then a convolution) or transposed (convolution).",
        choices=("resize", "transposed"),
    )
    width: float = option(
        1.0, "Channels as a share of the paper's 32, 64 and 128.", low=0.05, high=4.0
    )
    blocks: int = option(5, "Residual blocks.", low=0, high=50)


@dataclass(frozen=True)
class TrainConfig(Stage):
    """Data, schedule and machine of a training."""

    method: str = option(
        "fast",
        "What is trained: fast (a network for one style), artflow (a reversible network for any "
        "style; --style is a folder of them) or decoder (an encoder's levels inverted, for "
        "--preset wct; needs no style).",
        choices=METHODS,
    )
    size: int = option(256, "Side of the square crops in pixels.", low=32, high=4096)
    zoom: float = option(
        1.25,
        "Crops come from pictures whose short side is 1 to so many crops long: 1 for whole "
        "pictures, as in the paper.",
        low=1.0,
        high=100.0,
    )
    batch: int = option(4, "Crops in a step, over all processes.", low=1)
    steps: int = option(40000, "Steps of the whole training.", low=1)
    optimizer: str = option(
        "muon",
        "muon (on the kernels, with Adam on the rest), which gets lower in the same time, or adam, "
        "the paper's.",
        choices=("muon", "adam"),
    )
    learning_rate: float = option(
        1e-3, "Step of the optimiser, the same for both.", low=1e-9, high=1.0
    )
    schedule: str = option(
        "cosine",
        "Learning rate over the steps: cosine (down to a hundredth) or constant.",
        choices=("cosine", "constant"),
    )
    style_size: int = option(256, "Long side at which the style is learned.", low=32)
    scenes: float | None = option(
        None,
        "Share of generated scenes among the crops; without it, all without --data and none with.",
        low=0.0,
        high=1.0,
    )
    precision: str = option(
        "auto",
        "float32, mixed (bfloat16 where it suffices), or auto: mixed where the device has it.",
        choices=("auto", "float32", "mixed"),
    )
    seed: int = option(0, "Seed of everything random.", low=0, high=2**63 - 1)
    device: str = option("auto", "Device: auto, cpu, cuda, cuda:N or mps.")
    workers: int | None = option(
        None, "Processes that read pictures; without it, as the cores allow.", low=0, high=128
    )
    log_every: int = option(
        50, "Steps between the losses that are written down, from the first on.", low=1
    )
    checkpoint_every: int = option(
        500, "Steps between checkpoints; a minute passes between them at most.", low=1
    )
    preview_every: int = option(1000, "Steps between previews; 0 for none.", low=0)


@dataclass(frozen=True)
class TrainingConfig(Staged):
    """Everything that a training can be told, apart from its files.

    The layers are the paper's (content at relu3_3; VGG-16 there), the terms those of this project's
    own objective, relative to their targets.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    universal: FlowConfig = field(default_factory=FlowConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    encoder: EncoderConfig = field(
        default_factory=lambda: EncoderConfig(
            content_layers=("relu3_3",),
            style_layers=("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
        )
    )
    objective: ObjectiveConfig = field(
        default_factory=lambda: ObjectiveConfig(
            content_weight=15.0,
            style_weight=100.0,
            tv_weight=3e-2,
            gamut_weight=0.0,
            plain_regions="full",
        )
    )


#: By --method. An et al. 2021: Adam at 1e-4, batches of two, 60,000 steps, relu4_1 for the content,
#: weights 0.1 and 1 of their sums, which with relative terms are about these.
TRAININGS = {
    "fast": TrainingConfig(),
    "artflow": TrainingConfig(
        train=TrainConfig(
            method="artflow", batch=2, steps=60000, optimizer="adam", learning_rate=1e-4,
            schedule="constant",
        ),
        encoder=EncoderConfig(
            content_layers=("relu4_1",),
            style_layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        ),
        objective=ObjectiveConfig(
            content_weight=0.3, style_weight=1.0, gamut_weight=0.0, plain_regions="full"
        ),
    ),
    "decoder": TrainingConfig(
        train=TrainConfig(method="decoder"),
        objective=ObjectiveConfig(
            content_weight=10.0, style_weight=1.0, gamut_weight=0.0, plain_regions="full"
        ),
    ),
}  # fmt: skip


def training_config(tables: Mapping[str, Mapping[str, Any]]) -> TrainingConfig:
    """The TrainingConfig that `to_dict` wrote.

    Raises:
        OptionError: a value that does not fit its option.
        KeyError, TypeError: a stage or an option that there is not.
    """
    kinds = dict(stages(TrainingConfig))
    return TrainingConfig(**{name: kinds[name](**table) for name, table in tables.items()})  # type: ignore[arg-type]
