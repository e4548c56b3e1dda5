"""The objective: image ↦ (total, {term: value}), the only place where terms are summed.

What is reported is what is minimised: the values that come back carry their weights and add up
to the total.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from photostyle.drift import Drift, activity, region_weights, style_contrast
from photostyle.encoders.base import Encoder
from photostyle.images import resize
from photostyle.lab import rgb_to_lab
from photostyle.losses import (
    RegionRows,
    as_rows,
    content_loss,
    gamut_loss,
    gram_loss,
    masked_gram,
    region_rows,
    tv_loss,
)
from photostyle.matting import LaplacianOperator, laplacian_energy
from photostyle.segmentation.masks import resize_masks
from photostyle.stages import EncoderConfig, ObjectiveConfig
from photostyle.wasserstein import RegionWasserstein

#: Pixels of the authors' 700 px pictures. Luan et al. sum the photorealism and TV terms over pixels
#: and average the others, so their weights belong to this size; under scaling "paper" both terms
#: are brought to it, whatever the picture's own size.
REFERENCE_PIXELS = 700 * 467

#: Under scaling "target" both are means over pixels in this unit, which puts the papers' weight
#: of 1e4 in the middle between distorted and unstyled.
PHOTOREAL_UNIT = 1 / 6

#: Squared ΔE in which the terms on colours count: ten ΔE, a plainly visible difference, is 1.
COLOR_UNIT = 10.0**2

#: How much more drift weighs on plain surfaces, where nothing hides it.
PLAIN_DRIFT = 50.0

T = TypeVar("T")

Features = Mapping[str, Tensor]
Value = Callable[[Tensor, Features], Tensor]


@dataclass(frozen=True)
class Scene:
    """Content and style at one working size.

    Attributes:
        content: 1×3×H×W image. style: 1×3×h×w image.
        content_masks: K×H×W, summing to 1 over K. style_masks: K×h×w.
    """

    content: Tensor
    style: Tensor
    content_masks: Tensor
    style_masks: Tensor

    def scaled(self, scale: float) -> "Scene":
        """The same scene with both pictures and their masks at `scale` times their size."""
        if scale == 1.0:
            return self
        content_size, style_size = (_scaled(x, scale) for x in (self.content, self.style))
        return Scene(
            resize(self.content, content_size),
            resize(self.style, style_size),
            resize_masks(self.content_masks, content_size),
            resize_masks(self.style_masks, style_size),
        )

    def to(self, device: torch.device) -> "Scene":
        tensors = (self.content, self.style, self.content_masks, self.style_masks)
        return Scene(*(x.to(device) for x in tensors))


def _scaled(image: Tensor, scale: float) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return max(1, round(height * scale)), max(1, round(width * scale))


@dataclass(frozen=True)
class Term:
    """One weighted term; `value` takes the image and the features of `layers`."""

    name: str
    weight: float
    layers: tuple[str, ...]
    value: Value


class Objective:
    """Sum of weighted terms over one pass through the encoder."""

    def __init__(self, encoder: Encoder | None, terms: Sequence[Term]) -> None:
        self.encoder = encoder
        self.terms = tuple(terms)
        self.layers = tuple(dict.fromkeys(name for term in terms for name in term.layers))

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Total and weighted terms of a 1×3×H×W image; scalars, differentiable once."""
        features = self.encoder(image, self.layers) if self.encoder and self.layers else {}
        values = {term.name: term.weight * term.value(image, features) for term in self.terms}
        total = torch.stack(list(values.values())).sum() if values else image.sum() * 0.0
        return total, values


def build_objective(
    scene: Scene,
    encoder: Encoder | None,
    taps: EncoderConfig,
    weights: ObjectiveConfig,
    terms: Sequence[str],
    laplacian: LaplacianOperator | None,
) -> Objective:
    """Targets and weights of the terms named in `terms`; weight 0 leaves a term out.

    Args:
        scene: pictures and masks at the size of the solve.
        encoder: may be None when neither "content" nor "style" is in use.
        laplacian: of `scene.content`; may be None when "photoreal" is not in use.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    pixels = scene.content.shape[2] * scene.content.shape[3]
    active = activity(scene.content, scene.content_masks)
    damped = weights.plain_regions == "damped"
    whole = active.new_ones(len(active))
    take = region_weights(active, scene.content_masks) if damped else whole
    give = style_contrast(scene.style, scene.style_masks) if damped else whole
    makers: dict[str, Callable[[], tuple[tuple[str, ...], Value]]] = {
        "content": lambda: _content(scene, _given(encoder), taps, weights.scaling),
        "style": lambda: _style(scene, _given(encoder), taps, weights.scaling, take * give),
        "swd": lambda: ((), _swd(scene, take)),
        "drift": lambda: ((), _drift(scene, active)),
        "photoreal": lambda: (
            (),
            _photoreal(_given(laplacian), _per_pixel(weights.scaling, pixels)),
        ),
        "tv": lambda: ((), _tv(_per_pixel(weights.scaling, pixels) * pixels)),
        "gamut": lambda: ((), lambda image, _: gamut_loss(image)),
    }
    used = []
    for name, make in makers.items():
        weight = getattr(weights, f"{name}_weight")
        if name in terms and weight > 0:
            used.append(Term(name, weight, *make()))
    return Objective(encoder, used)


def needs_encoder(weights: ObjectiveConfig, terms: Sequence[str]) -> bool:
    """Whether a term on features is in use, so that weights are loaded only then."""
    return any(n in terms and getattr(weights, f"{n}_weight") > 0 for n in ("content", "style"))


def needs_laplacian(weights: ObjectiveConfig, terms: Sequence[str]) -> bool:
    """Whether the photorealism term is in use, so that L is built only then."""
    return "photoreal" in terms and weights.photoreal_weight > 0


def _given(thing: T | None) -> T:
    if thing is None:
        raise ValueError("a term in use needs an encoder or a Laplacian that was not given")
    return thing


def _per_pixel(scaling: str, pixels: int) -> float:
    return PHOTOREAL_UNIT / pixels if scaling == "target" else REFERENCE_PIXELS / pixels


def _photoreal(laplacian: LaplacianOperator, scale: float) -> Value:
    return lambda image, _: scale * laplacian_energy(image, laplacian)


def _tv(scale: float) -> Value:
    return lambda image, _: scale * tv_loss(image)


def _swd(scene: Scene, take: Tensor) -> Value:
    distance = RegionWasserstein(scene.style, scene.content_masks, scene.style_masks, take)
    return lambda image, _: distance(_lab_rows(image)) / COLOR_UNIT


def _drift(scene: Scene, active: Tensor) -> Value:
    drift = Drift(scene.content, scene.content_masks, active, PLAIN_DRIFT)
    return lambda image, _: drift(_lab_rows(image)) / COLOR_UNIT


def _lab_rows(image: Tensor) -> Tensor:
    return rgb_to_lab(image[0].reshape(3, -1).T)  # 1×3×H×W -> H·W×3


@torch.no_grad()
def _content(
    scene: Scene, encoder: Encoder, taps: EncoderConfig, scaling: str
) -> tuple[tuple[str, ...], Value]:
    layers = taps.content_layers
    encoder.check_layers(layers)
    targets = encoder(scene.content, layers)
    relative = scaling == "target"
    share = 1.0 / encoder.content_unit if relative else 1.0

    def value(_: Tensor, features: Features) -> Tensor:
        losses = [content_loss(features[n], targets[n], relative=relative) for n in layers]
        return share * torch.stack(losses).mean()

    return layers, value


@dataclass(frozen=True)
class _GramTarget:
    regions: tuple[RegionRows, ...]
    shares: Tensor  # K
    grams: Tensor  # K×C×C


@torch.no_grad()
def _style(
    scene: Scene, encoder: Encoder, taps: EncoderConfig, scaling: str, take: Tensor
) -> tuple[tuple[str, ...], Value]:
    layers = taps.style_layers
    encoder.check_layers(layers)
    relative = scaling == "target"
    content, style = encoder(scene.content, layers), encoder(scene.style, layers)
    targets = {n: _gram_target(scene, style[n], content[n].shape, scaling, take) for n in layers}
    # Luan et al. add the layers up; the mean keeps the weight's meaning for any choice of layers.
    share = 1.0 / (len(layers) * encoder.style_unit) if relative else 1.0

    def value(_: Tensor, features: Features) -> Tensor:
        losses = []
        for name, target in targets.items():
            grams = masked_gram(as_rows(features[name]), target.regions)
            losses.append(gram_loss(grams, target.grams, target.shares, relative=relative))
        return share * torch.stack(losses).sum()

    return layers, value


def _gram_target(
    scene: Scene, style: Tensor, content_shape: torch.Size, scaling: str, take: Tensor
) -> _GramTarget:
    channels = style.shape[1]
    content_masks = resize_masks(scene.content_masks, tuple(content_shape[2:]))
    style_masks = resize_masks(scene.style_masks, tuple(style.shape[2:]))
    rows = as_rows(style)
    regions, grams, shares = [], [], []
    for content_mask, style_mask, share in zip(content_masks, style_masks, take, strict=True):
        region = region_rows(content_mask, scaling=scaling, channels=channels)
        source = region_rows(style_mask, scaling=scaling, channels=channels)
        if region is None or source is None:
            continue  # an empty side has no statistics: a zero target would drain the colour
        regions.append(region)
        grams.append(masked_gram(rows, [source])[0])
        shares.append(content_mask.mean() * share)
    return _GramTarget(tuple(regions), torch.stack(shares), torch.stack(grams))
