"""What every encoder promises: a picture in, named feature maps out."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from photostyle.errors import ImageError, OptionError
from photostyle.runtime.memory import Memory


class Encoder(nn.Module):
    """A frozen network or filter bank whose maps the losses compare.

    Attributes:
        name: What the user knows it by: a built-in name or the weight file's name.
        fingerprint: SHA-256 (hexadecimal) of the weights, see `fingerprint_of`.
        layer_names: Every layer that can be asked for, shallow to deep, named as in the papers
            (`relu4_2`).
        style_unit, content_unit: Relative squared distances of Gram matrices and of features that
            count as 1 in the objective, so that its weights mean the same look for every encoder.
            VGG networks define 1.
        narrows: Its maps stand bfloat16's precision.
        apart: Its maps lie one behind the other, and the gradient of each comes in a buffer of its
            own.
        memory: Keeps what `remembered` gives, where there is one.

    Weights never require a gradient; weights and maps are laid out channels-last.
    """

    name: str
    fingerprint: str
    layer_names: tuple[str, ...]
    style_unit: float = 1.0
    content_unit: float = 1.0
    narrows: bool = False
    apart: bool = False
    memory: Memory | None = None

    def __call__(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """See `forward`; here so that callers are typed."""
        features: dict[str, Tensor] = super().__call__(image, layers)
        return features

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The maps of `layers`, computed no deeper than the deepest of them.

        Args:
            image: N×3×H×W, RGB, sRGB-encoded, [0, 1] (values outside are not clipped), in the
                encoder's dtype (float32 unless converted) and on its device.
            layers: Names out of `layer_names`, in any order; none gives an empty dictionary.

        Returns:
            {layer: N×C×h×w}, in the order asked for, differentiable with respect to the image.

        Raises:
            OptionError: For a name that this encoder does not have.
            ImageError: For a picture of another shape, or too small for the deepest layer.
        """
        self.check_layers(layers)
        if not layers:
            return {}
        deepest = max(layers, key=self.layer_names.index)
        self._check_image(image, deepest)
        image = image.contiguous(memory_format=torch.channels_last)
        taps = self._taps(image, frozenset(layers), deepest)
        return {layer: taps[layer] for layer in layers}

    @torch.no_grad()
    def remembered(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """`forward` without gradient, for a picture that other runs may encode as well."""
        if self.memory is None:
            return self(image, layers)
        key = self.memory.name(image), tuple(layers)
        return self.memory.get(key, lambda: self(image, layers))

    def check_layers(self, layers: Collection[str]) -> None:
        """Raise OptionError, with the right names, if `layers` has a name this encoder lacks."""
        unknown = [layer for layer in layers if layer not in self.layer_names]
        if unknown:
            raise OptionError(
                f"encoder {self.name} has no layer {', '.join(map(repr, unknown))}; "
                f"it has {', '.join(self.layer_names)}."
            )

    def least_side(self, layer: str) -> int:
        """The least height and width in pixels for which `layer` still has a map."""
        raise NotImplementedError

    def stride(self, layer: str) -> int:
        """How many pixels high and wide a position of `layer` is."""
        return 1 << (int(layer[4]) if layer.startswith("pool") else int(layer[4]) - 1)

    def reach(self, layer: str) -> int:
        """How many pixels beyond its own a position of `layer` sees, on every side."""
        raise NotImplementedError

    def _taps(self, image: Tensor, wanted: frozenset[str], deepest: str) -> Mapping[str, Tensor]:
        """At least the wanted maps of a checked, channels-last image; stops after `deepest`."""
        raise NotImplementedError

    def _freeze(self) -> None:
        """Ends every constructor: fixes weights and layout, and takes the fingerprint."""
        self.requires_grad_(False)
        self.eval()
        self.to(memory_format=torch.channels_last)
        self.fingerprint = fingerprint_of(self.state_dict())

    def _check_image(self, image: Tensor, deepest: str) -> None:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ImageError(
                f"encoder {self.name} takes pictures of shape N×3×H×W, got {tuple(image.shape)}."
            )
        height, width = image.shape[2:]
        least = self.least_side(deepest)
        if min(height, width) < least:
            raise ImageError(
                f"the picture of {width}×{height} pixels is too small for layer {deepest} of "
                f"encoder {self.name}, which needs at least {least}×{least}."
            )


def fingerprint_of(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 (hexadecimal) over names, shapes and bytes of the tensors, sorted by name.

    The same whatever the file format, device and memory layout that the weights came in.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}:".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
