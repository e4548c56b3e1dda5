"""What the networks for any style are trained on: terms between a result and its two pictures.

All are relative to the size of what they compare, so that their weights mean the same with every
encoder; the papers' sums have their meaning with VGG-19 alone.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from photostyle.config.stages import ObjectiveConfig
from photostyle.encoders.base import Encoder
from photostyle.objective.losses import gamut_loss
from photostyle.universal.transfers import adain

Terms = dict[str, Tensor]
TINY = 1e-12


class StylingObjective:
    """ArtFlow's terms (An et al. 2021, section 4): the content at a deep layer, against the
    content's own maps under AdaIN by the style's, and means and deviations of the style at several.

    Args:
        content_layers, style_layers: of the encoder.
        weights: of the terms "content", "style", "tv" and "gamut".
    """

    def __init__(
        self,
        encoder: Encoder,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        weights: ObjectiveConfig,
    ) -> None:
        self.encoder, self.weights = encoder, weights
        self.content_layers, self.style_layers = tuple(content_layers), tuple(style_layers)
        self.names: Sequence[str] = [
            n for n in ("content", "style", "tv", "gamut") if weights.weight(n) > 0
        ]

    def __call__(self, images: Tensor, contents: Tensor) -> tuple[Tensor, Terms]:
        """Total and weighted terms of N×3×H×W results of N×6×H×W contents with their styles."""
        layers = tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))
        found = _encoded(self.encoder, images, layers)
        with torch.no_grad():
            own = _encoded(self.encoder, contents[:, :3], self.content_layers)
            styles = _encoded(self.encoder, contents[:, 3:], layers)
        with torch.autocast(images.device.type, enabled=False):
            parts = {
                "content": lambda: self._content(found, own, styles),
                "style": lambda: self._style(found, styles),
                "tv": lambda: _variation(images.float()),
                "gamut": lambda: gamut_loss(images.float()) / len(images),
            }
            terms = {name: self.weights.weight(name) * parts[name]() for name in self.names}
            return torch.stack(list(terms.values())).sum(), terms

    def _content(
        self, found: Mapping[str, Tensor], contents: Mapping[str, Tensor],
        styles: Mapping[str, Tensor],
    ) -> Tensor:  # fmt: skip
        parts = [
            _misfit(found[layer], adain(contents[layer], styles[layer]))
            for layer in self.content_layers
        ]
        return torch.stack(parts).mean()

    def _style(self, found: Mapping[str, Tensor], styles: Mapping[str, Tensor]) -> Tensor:
        parts = [_misfit(_moments(found[x]), _moments(styles[x])) for x in self.style_layers]
        return torch.stack(parts).mean()


class InversionObjective:
    """A decoder's terms (Li et al. 2017, eq. 1): the picture's pixels, and its maps at the layer
    that is inverted.

    Args:
        layers: whose pictures are given, in their order.
        weights: of "content", which is the pixels', and "style", the maps'.
    """

    names = ("pixels", "features")

    def __init__(self, encoder: Encoder, layers: Sequence[str], weights: ObjectiveConfig) -> None:
        self.encoder, self.layers, self.weights = encoder, tuple(layers), weights

    def __call__(self, images: Tensor, contents: Tensor) -> tuple[Tensor, Terms]:
        """Total and weighted terms of N×3·L×H×W pictures, as `DecoderNetwork` gives them."""
        with torch.no_grad():
            wanted = _encoded(self.encoder, contents, self.layers)
        pixels, features = [], []
        for layer, picture in zip(self.layers, torch.split(images, 3, dim=1), strict=True):
            found = _encoded(self.encoder, picture, (layer,))[layer]
            with torch.autocast(images.device.type, enabled=False):
                pixels.append((picture.float() - contents).square().mean())
                features.append(_misfit(found, wanted[layer]))
        own = (torch.stack(pixels).mean(), torch.stack(features).mean())
        shares = (self.weights.weight("content"), self.weights.weight("style"))
        terms = {n: w * x for n, w, x in zip(self.names, shares, own, strict=True)}
        return terms["pixels"] + terms["features"], terms


def _encoded(encoder: Encoder, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    return {name: maps.float() for name, maps in encoder(images, layers).items()}


def _misfit(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared distance of N tensors over the squares of what is wanted, mean over N."""
    away = (found - wanted).square().flatten(1).sum(dim=1)
    return (away / (wanted.square().flatten(1).sum(dim=1) + TINY)).mean()


def _moments(maps: Tensor) -> Tensor:
    """N×2C means and deviations of the channels."""
    return torch.cat([maps.mean(dim=(2, 3)), (maps.var(dim=(2, 3)) + 1e-8).sqrt()], dim=1)


def _variation(images: Tensor) -> Tensor:
    across, down = images.diff(dim=3), images.diff(dim=2)
    return across.square().mean() + down.square().mean()
