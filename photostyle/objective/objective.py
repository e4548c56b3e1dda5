"""The objective: image ↦ (total, {term: value}), the only place where terms are summed.

What is reported is what is minimised: the values that come back carry their weights and add up
to the total.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders.base import Encoder
from photostyle.errors import OptionError
from photostyle.matting.product import LaplacianOperator, laplacian_energy
from photostyle.objective.content_term import content_term
from photostyle.objective.drift import Drift, activity, region_weights, style_contrast
from photostyle.objective.losses import gamut_loss, tv_loss
from photostyle.objective.patch_term import patch_term
from photostyle.objective.style_term import style_term
from photostyle.objective.terms import FeatureTerm
from photostyle.objective.tiling import Tile, tiled_sums, tiles
from photostyle.objective.wasserstein import RegionWasserstein
from photostyle.segmentation.scene import Scene

#: Pixels of the authors' 700 px pictures. Luan et al. sum the photorealism and TV terms over pixels
#: and average the others, so their weights belong to this size; under scaling "dpst" both terms
#: are brought to it, whatever the picture's own size.
REFERENCE_PIXELS = 700 * 467

#: Under scaling "target" both are means over pixels in this unit, which puts the papers' weight
#: of 1e4 in the middle between distorted and unstyled.
PHOTOREAL_UNIT = 1 / 6

#: Squared ΔE in which the terms on colours count: ten ΔE, a plainly visible difference, is 1.
COLOR_UNIT = 10.0**2

#: How much more drift weighs on plain surfaces, where nothing hides it.
PLAIN_DRIFT = 50.0

#: Under scaling "gatys" TV is a sum over the pixels of a picture of 512×512, as in the paper,
#: whatever the picture's own size.
GATYS_PIXELS = 512 * 512

#: Terms that read the encoder's features.
ENCODED = ("content", "style")

#: Terms that are means over the whole picture, seen or not.
SPREAD = ("content", "photoreal", "tv", "gamut")

ImageValue = Callable[[Tensor], Tensor]
T = TypeVar("T")


@dataclass(frozen=True)
class Term:
    """One weighted term, on the image or on features."""

    name: str
    weight: float
    source: ImageValue | FeatureTerm


class Objective:
    """Sum of weighted terms over one pass through the encoder.

    Args:
        terms: at most one of each name.
        tile: side in pixels of the tiles in which the picture is encoded; 0 for no tiles.
        precision: of the maps of an encoder that stands it, "float32" or "bfloat16"; what is
            gathered from them is float32.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        terms: Sequence[Term],
        tile: int = 0,
        precision: str = "float32",
    ) -> None:
        self.narrow = precision == "bfloat16" and encoder is not None and encoder.narrows
        self.encoder = encoder
        self.terms = tuple(terms)
        self.tile = tile
        #: (term, layer) of everything that is gathered from features, in order.
        self.wanted = [
            (term.source, layer)
            for term in self.terms
            if not callable(term.source)
            for layer in term.source.layers
        ]
        if tile and not all(source.additive for source, _ in self.wanted):
            raise OptionError(
                f"--tile-size {tile}: --style-term mrf needs the whole picture; set 0."
            )
        self.layers = tuple(dict.fromkeys(layer for _, layer in self.wanted))

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Total and weighted terms of a 1×3×H×W image; scalars, differentiable once."""
        return self.weighed(image, self._gathered(image))

    def weighed(
        self, image: Tensor, gathered: Sequence[Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Total and weighted terms from what `wanted` gathered of the picture's features."""
        found = iter(gathered)
        values = {}
        for term in self.terms:
            if callable(term.source):
                value = term.source(image)
            else:
                value = term.source.value({layer: next(found) for layer in term.source.layers})
            values[term.name] = term.weight * value
        # With all weights 0 it is still a function of the picture, if one that is flat.
        nothing = image.new_zeros(()) if values else 0.0 * image.sum()
        return sum(values.values(), nothing), values

    def _gathered(self, image: Tensor) -> Sequence[Tensor]:
        """For every (term, layer) what it needs of the picture's features."""
        if self.encoder is None or not self.wanted:
            return []
        size = (image.shape[2], image.shape[3])
        if self.tile and max(size) > self.tile:
            deepest = max(self.layers, key=self.encoder.layer_names.index)
            parts = tiles(size, self.tile, self.encoder.reach(deepest))
            return tiled_sums(image, self._of_tile, parts)
        features = self._features(image)
        return [term.gather(layer, features[layer], None) for term, layer in self.wanted]

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        assert self.encoder is not None
        if not self.narrow:
            return self.encoder(image, self.layers)
        with torch.autocast(image.device.type, torch.bfloat16):
            found = self.encoder(image, self.layers)
        return {name: x.to(image.dtype) for name, x in found.items()}

    def _of_tile(self, piece: Tensor, tile: Tile) -> list[Tensor]:
        assert self.encoder is not None
        features = self._features(piece)
        cut = {name: tile.cut(x, self.encoder.stride(name)) for name, x in features.items()}
        return [term.gather(layer, cut[layer], tile) for term, layer in self.wanted]


def build_objective(
    scene: Scene,
    encoder: Encoder | None,
    taps: EncoderConfig,
    weights: ObjectiveConfig,
    terms: Sequence[str],
    laplacian: LaplacianOperator | None,
    tile: int = 0,
    precision: str = "float32",
) -> Objective:
    """The objective of one solve.

    Args:
        encoder: may be None when neither "content" nor "style" is in use.
        terms: names out of `stages.TERMS`; those of weight 0 are left out.
        laplacian: of `scene.content`; may be None when "photoreal" is not in use.
        tile: side of the encoder's tiles, 0 for none.
        precision: see `Objective`.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    makers: dict[str, Callable[[], ImageValue | FeatureTerm]] = {
        "content": lambda: content_term(
            scene.content, _given(encoder), taps.content_layers, weights.scaling, tile
        ),
        "style": lambda: _style(
            scene, _given(encoder), taps, weights, tile, direct=precision == "float32"
        ),
        "swd": lambda: _swd(scene, _take(scene, weights)),
        "drift": lambda: _drift(scene),
        "photoreal": lambda: _photoreal(_given(laplacian), _per_pixel(scene, weights)),
        "tv": lambda: _tv(_per_pixel(scene, weights) * _pixels(scene), weights.tv_form),
        "gamut": lambda: gamut_loss,
    }
    used = [
        Term(name, weights.weight(name) / _seen(scene, name), make())
        for name, make in makers.items()
        if name in terms and weights.weight(name) > 0
    ]
    return Objective(encoder, used, tile, precision)


def needs_encoder(weights: ObjectiveConfig, terms: Sequence[str]) -> bool:
    """Whether a term on features is in use, so that weights are loaded only then."""
    return any(name in terms and weights.weight(name) > 0 for name in ENCODED)


def needs_laplacian(weights: ObjectiveConfig, terms: Sequence[str]) -> bool:
    """Whether the photorealism term is in use, so that L is built only then."""
    return "photoreal" in terms and weights.photoreal_weight > 0


def _seen(scene: Scene, name: str) -> float:
    """The share of the content that a term is a mean over, but should not be."""
    weight = scene.weights[0]
    if weight is None or name not in (*SPREAD, "style"):
        return 1.0
    return float((weight if name == "style" else weight > 0).float().mean())


def _given(thing: T | None) -> T:
    if thing is None:
        raise ValueError("a term in use needs an encoder or a Laplacian that was not given")
    return thing


def _pixels(scene: Scene) -> int:
    return scene.content.shape[2] * scene.content.shape[3]


def _per_pixel(scene: Scene, weights: ObjectiveConfig) -> float:
    units = {"target": PHOTOREAL_UNIT, "dpst": REFERENCE_PIXELS, "gatys": GATYS_PIXELS}
    return units[weights.scaling] / _pixels(scene)


def _take(scene: Scene, weights: ObjectiveConfig) -> Tensor:
    """K factors on the regions' shares in the terms that take from the style."""
    if weights.plain_regions == "full":
        return scene.content.new_ones(len(scene.content_masks))
    return region_weights(activity(scene.content, scene.counted), scene.counted)


def _photoreal(laplacian: LaplacianOperator, scale: float) -> ImageValue:
    return lambda image: scale * laplacian_energy(image, laplacian)


def _tv(scale: float, form: str) -> ImageValue:
    return lambda image: scale * tv_loss(image, form)


def _swd(scene: Scene, take: Tensor) -> ImageValue:
    distance = RegionWasserstein(scene.style, scene.counted, scene.style_masks, take)
    return lambda image: distance(_lab_rows(image)) / COLOR_UNIT


def _drift(scene: Scene) -> ImageValue:
    active = activity(scene.content, scene.counted)
    drift = Drift(scene.content, scene.counted, active, PLAIN_DRIFT)
    return lambda image: drift(_lab_rows(image)) / COLOR_UNIT


def _lab_rows(image: Tensor) -> Tensor:
    return rgb_to_lab(image[0].reshape(3, -1).T)  # 1×3×H×W -> H·W×3


def _style(
    scene: Scene,
    encoder: Encoder,
    taps: EncoderConfig,
    weights: ObjectiveConfig,
    tile: int,
    *,
    direct: bool,
) -> FeatureTerm:
    layers = _layer_weights(taps, weights.scaling)
    size = scene.content.shape[2], scene.content.shape[3]
    references = scene.references(weights.style_blend)
    if weights.style_term == "mrf":
        return patch_term(
            size, scene.counted, references[0], encoder, layers, scaling=weights.scaling
        )
    take = _take(scene, weights)
    if weights.plain_regions == "damped":
        take = take * style_contrast(scene.style, scene.style_masks)
    return style_term(
        size,
        scene.counted,
        references,
        encoder,
        layers,
        take,
        kind=weights.style_term,
        scaling=weights.scaling,
        tile=tile,
        direct=direct,
    )


def _layer_weights(taps: EncoderConfig, scaling: str) -> dict[str, float]:
    """By layer. Luan et al. add the layers up; the mean keeps the weight's meaning for any choice
    of layers, and is Gatys et al.'s."""
    layers = taps.style_layers
    default = 1.0 if scaling == "dpst" else 1.0 / len(layers)
    return dict(zip(layers, taps.style_layer_weights or [default] * len(layers), strict=True))
