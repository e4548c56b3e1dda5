"""Several methods on one pair, each measured: its time, its calls, its memory, and the scores that
make sense for its kind.

Photographs are judged by what is left of the content and by the style's colours. Paintings repaint
the content on purpose, so they are judged by the style's statistics, in the maps of an encoder
that none of the methods optimised: each would win by its own.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from photostyle.brief import Brief
from photostyle.config.config import Config
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders import cache
from photostyle.encoders.base import Encoder
from photostyle.encoders.registry import ENTRIES
from photostyle.encoders.untrained import untrained
from photostyle.encoders.weights import load_encoder
from photostyle.errors import OptionError
from photostyle.feedforward.style_model import load_model
from photostyle.images.photograph import Photograph, unframed
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.loading import LEAST_SIDE
from photostyle.metrics import LONG_SIDE
from photostyle.objective.features import configured_encoder, uses_encoder
from photostyle.objective.objective import build_objective
from photostyle.objective.styles import resized_style
from photostyle.result import Result
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Scene

PHOTOGRAPH, PAINTING = "photograph", "painting"
#: Layers whose statistics are judged; every judge has them.
JUDGED = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
#: Judges, the best first, of which the first that is here and was not optimised is taken; after
#: them the network that nothing was trained with.
JUDGES = ("vgg16", "vgg19", "vgg16-caffe", "vgg19-caffe", "builtin")
#: Scores of a kind, of those that a table has.
SCORES = {
    PHOTOGRAPH: ("structure", "edges", "style_taken", "stain"),
    PAINTING: ("edges", "statistics"),
}


@dataclass(frozen=True)
class Method(Brief):
    """A method and what came of it.

    Attributes:
        name: of the preset or the configuration.
        kind: "photograph" or "painting".
        result: of the run.
        seconds: that it took. calls: of the objective, with its gradient.
        peak: bytes of memory at most, of the whole process, or on the GPU; None where the system
            does not tell.
        statistics: share of the style's statistics that was taken, in [0, 1], higher is better;
            of a painting, else None.
    """

    name: str
    kind: str
    result: Result = field(repr=False)
    seconds: float
    calls: int
    peak: int | None
    statistics: float | None = None

    @property
    def scores(self) -> dict[str, float]:
        """The scores that make sense for its kind, by name."""
        found = {**vars(self.result.scores), "statistics": self.statistics}
        return {name: found[name] for name in SCORES[self.kind] if found[name] is not None}

    def row(self) -> dict[str, Any]:
        """Everything but the result, as JSON types."""
        height, width = image_size(self.result.image)
        return {
            "method": self.name, "kind": self.kind, "size": [width, height],
            "encoder": self.result.encoder, "seconds": round(self.seconds, 3),
            "calls": self.calls, "peak_bytes": self.peak, **self.scores,
        }  # fmt: skip


def kind_of(config: Config) -> str:
    """Whether a configuration makes a photograph or a painting."""
    return PAINTING if config.render.deliver == "pixels" else PHOTOGRAPH


@dataclass(frozen=True)
class Judge:
    """An encoder by whose maps paintings are judged; all of a picture counts alike."""

    encoder: Encoder
    content: Photograph
    style: Photograph

    def taken(self, image: Tensor) -> float:
        """The share of the style's statistics that a result 1×3×H×W has: 1 less its distance to the
        style as a share of the content's; the root of the squared relative distances of the Gram
        matrices. A small result is not enlarged, but compared at its size."""
        size = fit_size(image_size(self.content.image), min(LONG_SIDE, max(image_size(image))))
        content = resize(self.content.image, size)
        style = resized_style(self.style.image, content, 1.0, LEAST_SIDE)
        weights = self.content.weight_at(size), self.style.weight_at(image_size(style))
        mine, its = (
            counted(x.new_ones(1, *image_size(x)), weight)
            for x, weight in zip((content, style), weights, strict=True)
        )
        objective = build_objective(
            Scene(content, style, mine, its, weights=weights), self.encoder,
            EncoderConfig(style_layers=JUDGED), ObjectiveConfig(plain_regions="full"),
            ("style",), None,
        )  # fmt: skip
        result = resize(unframed(image.cpu(), self.content), size)
        far, none = (objective(x)[0].item() for x in (result, content))
        return max(0.0, 1 - math.sqrt(far / none)) if none > 0 else 1.0


def judge_of(name: str | None, configs: Mapping[str, Config]) -> Encoder:
    """The encoder that judges, one that none of the methods optimised.

    Args:
        name: one that was asked for, as an encoder is; None for the best that is here.
        configs: of the methods, by name.

    Raises:
        OptionError: a method optimised the one that was asked for.
        WeightsError: it is not here, or an encoder of a method is not.
    """
    used = {method: set(_optimised(config)) for method, config in configs.items()}
    if name is None:
        return next(_unused(set().union(*used.values())), untrained())
    encoder, _ = load_encoder(name)
    for method, found in used.items():
        if encoder.fingerprint in found:
            raise OptionError(
                f"--judge {name} is the encoder that {method} optimised, so it would judge in its "
                "favour; give another, or leave it out."
            )
    encoder.check_layers(JUDGED)
    return encoder


def _optimised(config: Config) -> Iterator[str]:
    """Fingerprints of the encoders whose maps a method lowered distances in."""
    if uses_encoder(config):
        yield configured_encoder(config.encoder)[0].fingerprint
    if config.network.model and any(s.canvas == "network" for s in config.optimize.chosen):
        yield load_model(Path(config.network.model)).info.encoder_sha256


def _unused(used: Collection[str]) -> Iterator[Encoder]:
    for name in JUDGES:
        if name in ENTRIES and cache.find(ENTRIES[name]) is None:
            continue
        encoder, _ = load_encoder(name)
        if encoder.fingerprint not in used:
            yield encoder
