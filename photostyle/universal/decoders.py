"""An encoder's levels as transforms, each with a decoder that was trained to invert it.

Li et al. 2017, "Universal Style Transfer via Feature Transforms": the encoder's layers in reverse
order, nearest neighbours in place of pooling, reflection in place of zeros. What pooling threw away
no decoder knows, so unlike the other transforms these lose some of the picture on every way.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photostyle.encoders.vgg import VggEncoder
from photostyle.images.picture import image_size
from photostyle.universal.latents import Latents, cut, padded

TINY = 1e-6


class Decoder(nn.Module):
    """From the maps of one layer to the picture.

    Args:
        encoder: whose layer it is. layer: such as "relu4_1".

    Attributes:
        scale: deviation of the maps, of hundreds with weights that expect 0 to 255.
    """

    scale: Tensor

    def __init__(self, encoder: VggEncoder, layer: str) -> None:
        super().__init__()
        names = encoder.layer_names
        convolutions: list[nn.Module] = []
        self.enlarged: list[int] = []
        for name in reversed(names[: names.index(layer) + 1]):
            if name.startswith("pool"):
                self.enlarged.append(len(convolutions))
            elif name.startswith("conv"):
                like = encoder.convs[name]
                inputs = 3 if name == "conv1_1" else like.in_channels
                convolutions.append(nn.Conv2d(like.out_channels, inputs, 3))  # type: ignore[arg-type]
        self.convs = nn.ModuleList(convolutions)
        nn.init.constant_(cast(Tensor, convolutions[-1].bias), 0.5)  # a grey picture
        self.register_buffer("scale", torch.ones(()))

    def forward(self, maps: Tensor) -> Tensor:
        """N×3×H×W pictures of N×C×h×w maps, not clipped."""
        maps, last = maps / self.scale, len(self.convs) - 1
        for number, convolution in enumerate(self.convs):
            if number in self.enlarged:
                maps = F.interpolate(maps, scale_factor=2, mode="nearest")
            # One pixel wide maps have nothing to be mirrored.
            mode = "reflect" if min(maps.shape[2:]) > 1 else "replicate"
            maps = convolution(F.pad(maps, (1, 1, 1, 1), mode=mode))
            if number < last:
                maps = F.relu(maps)
        return maps


class EncoderLevel:
    """One layer of an encoder and its decoder; see `Transform`."""

    linear = False

    def __init__(self, encoder: VggEncoder, layer: str, decoder: Decoder) -> None:
        self.encoder, self.layer, self.decoder = encoder, layer, decoder

    def encode(self, image: Tensor) -> Latents:
        """See `Transform`."""
        room = max(self.encoder.stride(self.layer), self.encoder.least_side(self.layer))
        maps = self.encoder(padded(image, room), (self.layer,))[self.layer]
        return Latents(maps, image_size(image), self.encoder.stride(self.layer))

    def decode(self, latents: Latents) -> Tensor:
        """See `Transform`."""
        return cut(self.decoder(latents.maps), latents.size)


class DecoderNetwork(nn.Module):
    """Decoders for several layers of one encoder, which stays as it is.

    Args:
        layers: of the encoder, shallow to deep or in any order.
    """

    def __init__(self, encoder: VggEncoder, layers: Sequence[str]) -> None:
        super().__init__()
        encoder.check_layers(layers)
        self.layers = tuple(layers)
        self.decoders = nn.ModuleList([Decoder(encoder, layer) for layer in layers])
        self._frozen = (encoder,)  # in a tuple, where torch does not look for weights to train
        self.to(memory_format=torch.channels_last)

    @property
    def encoder(self) -> VggEncoder:
        """Whose maps are decoded."""
        return self._frozen[0]

    @torch.no_grad()
    def begin(self, images: Tensor) -> None:
        """Takes the scales of the maps from a batch of pictures."""
        maps = self.encoder(images, self.layers)
        for layer, decoder in zip(self.layers, self.decoders, strict=True):
            cast(Decoder, decoder).scale.copy_(maps[layer].std() + TINY)

    def forward(self, images: Tensor) -> Tensor:
        """N×3·L×H×W: the N×3×H×W pictures encoded and decoded by each of the L layers."""
        with torch.no_grad():
            maps = self.encoder(images, self.layers)
        size = image_size(images)
        pictures = [
            cut(decoder(maps[layer]), size)
            for layer, decoder in zip(self.layers, self.decoders, strict=True)
        ]
        return torch.cat(pictures, dim=1)

    def transforms(self) -> list[EncoderLevel]:
        """Of every layer, the deepest first."""
        pairs = zip(self.layers, self.decoders, strict=True)
        order = self.encoder.layer_names.index
        ranked = sorted(pairs, key=lambda pair: order(pair[0]), reverse=True)
        return [EncoderLevel(self.encoder, layer, decoder) for layer, decoder in ranked]  # type: ignore[arg-type]
