"""VGG-16 and VGG-19 of any width, from weights under torchvision's keys.

K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
arXiv 1409.1556, configurations D and E.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photostyle.encoders.base import Encoder
from photostyle.errors import OptionError, WeightsError

Pooling = Literal["max", "average"]
Padding = Literal["zeros", "reflect", "replicate"]
Preprocessing = Literal["imagenet", "caffe", "caffe-rgb"]
PREPROCESSINGS: tuple[Preprocessing, ...] = get_args(Preprocessing)

# Convolutions per block; they share the first seven, then VGG-19 goes on within the third block.
DEPTHS: dict[int, tuple[int, ...]] = {19: (2, 2, 4, 4, 4), 16: (2, 2, 3, 3, 3)}

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB, on [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, on 0-255
CAFFE_RGB_MEAN = (0.48235, 0.45882, 0.40784)  # RGB, on [0, 1], as in torchvision

# An average lies below the maximum of the same four activations: about half on photographs.
AVERAGE_POOLING_GAIN = 2.0

_KEY = re.compile(r"(?P<prefix>.*\.)?features\.(?P<index>\d+)\.(?:weight|bias)")


@dataclass(frozen=True)
class VggOptions:
    """How the weights are run; what is None is chosen by the weights themselves.

    Attributes:
        pooling: "max" as trained and as in DPST, or "average" as in Gatys et al. 2016.
        pooling_gain: Factor on average-pooled maps; `AVERAGE_POOLING_GAIN` keeps later activations
            near the size that the network was trained at. Without effect on "max".
        padding: Of every 3×3 convolution: "zeros", "reflect" or "replicate". None: "reflect" for
            weights with an input convolution of their own, else "zeros".
        preprocessing: "imagenet" (RGB minus mean, by deviation: torchvision's weights), "caffe"
            (BGR, 0-255, minus mean: the original ones) or "caffe-rgb" (the same in RGB: those that
            torchvision ported). None: the weights' own `input.*`, else "imagenet".
    """

    pooling: Pooling = "max"
    pooling_gain: float = 1.0
    padding: Padding | None = None
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        choices = {
            "pooling": ("max", "average"),
            "padding": ("zeros", "reflect", "replicate", None),
            "preprocessing": (*PREPROCESSINGS, None),
        }
        for option, allowed in choices.items():
            if getattr(self, option) not in allowed:
                names = ", ".join(name for name in allowed if name)
                raise OptionError(
                    f"encoder {option} must be one of {names}, got {getattr(self, option)!r}."
                )


class VggEncoder(Encoder):
    """A VGG network up to wherever its weights go, tapped at every layer.

    Layers are `conv{b}_{i}` (before the ReLU), `relu{b}_{i}` (after it) and `pool{b}` for every
    block b that is complete.

    Args:
        weights: `features.N.weight` (out×in×3×3) and `features.N.bias` (out) as in torchvision, any
            prefix before `features.`, and optionally `input.weight` (3×3×1×1) and `input.bias` (3),
            a 1×1 convolution on RGB in [0, 1]. Other keys are ignored. Depth and widths are read
            off the keys and shapes.
        options: See `VggOptions`.
        name: For people; a weight file's name, named in every error.

    Raises:
        WeightsError: For missing, superfluous, wrongly shaped or non-finite weights.
    """

    narrows = True
    apart = True

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        options: VggOptions | None = None,
        name: str = "vgg",
    ) -> None:
        super().__init__()
        options = options or VggOptions()
        reader = _Reader(weights, name)
        self.name = name
        self.pooling = options.pooling
        self.pooling_gain = options.pooling_gain
        self.padding: Padding = options.padding or ("reflect" if reader.has_input else "zeros")
        self.input = _input_convolution(reader, options.preprocessing)
        self.depth, convolutions = _read_convolutions(reader)
        self.convs = nn.ModuleDict(
            {conv: _convolution(*pair, self.padding) for conv, pair in convolutions.items()}
        )
        self.layer_names = _layer_names(self.depth, len(self.convs))
        self._freeze()

    @property
    def shape(self) -> str:
        """For people, such as "VGG-19 shape, 64-128-256-512-512 channels"."""
        widths = {name[4]: str(conv.out_channels) for name, conv in self.convs.items()}
        return f"VGG-{self.depth} shape, {'-'.join(widths.values())} channels"

    def weights(self, deepest: str | None = None) -> dict[str, Tensor]:
        """Its weights under torchvision's keys, up to a layer, of which it can be made again."""
        last = len(self.layer_names) if deepest is None else self.layer_names.index(deepest) + 1
        keys = {conv: index for index, conv in _layout(self.depth).convs.items()}
        kept = [name for name in self.layer_names[:last] if name in self.convs]
        parts = {f"features.{keys[name]}": self.convs[name] for name in kept}
        return {
            f"{key}.{name}": value
            for key, part in {"input": self.input, **parts}.items()
            for name, value in part.state_dict().items()
        }

    def least_side(self, layer: str) -> int:
        """See `Encoder.least_side`; reflection needs a map of two pixels to mirror."""
        block = int(layer[4])
        if layer.startswith("pool"):
            return 1 << block
        return (2 if self.padding == "reflect" else 1) << (block - 1)

    def reach(self, layer: str) -> int:
        """See `Encoder.reach`: a position further for every 3×3 convolution on the way."""
        before = self.layer_names[: self.layer_names.index(layer) + 1]
        return sum(self.stride(name) for name in before if name.startswith("conv"))

    def _taps(self, image: Tensor, wanted: frozenset[str], deepest: str) -> dict[str, Tensor]:
        taps: dict[str, Tensor] = {}
        x = self.input(image)
        for layer in self.layer_names[: self.layer_names.index(deepest) + 1]:
            if layer.startswith("conv"):
                x = self.convs[layer](x)
            elif layer.startswith("relu"):
                # In place, unless that would overwrite the map before the ReLU that is asked for.
                x = F.relu(x, inplace=f"conv{layer[4:]}" not in wanted)
            else:
                x = self._pool(x)
            if layer in wanted:
                taps[layer] = x
        return taps

    def _pool(self, x: Tensor) -> Tensor:
        if self.pooling == "max":
            return F.max_pool2d(x, 2)
        x = F.avg_pool2d(x, 2)
        return x if self.pooling_gain == 1.0 else self.pooling_gain * x


class _Layout(NamedTuple):
    """Names of the convolutions of one depth, by torchvision's index into `features`."""

    depth: int
    convs: dict[int, str]


class _Reader:
    """Takes checked tensors out of a state dictionary."""

    def __init__(self, weights: Mapping[str, Tensor], name: str) -> None:
        self.weights = weights
        self.name = name
        matches = [match for key in weights if (match := _KEY.fullmatch(key))]
        prefixes = sorted({match["prefix"] or "" for match in matches})
        if len(prefixes) != 1:
            found = f"several networks ({', '.join(prefixes)})" if prefixes else "no such key"
            raise WeightsError(
                f"{name} must hold one VGG network under torchvision's keys, "
                f"features.0.weight and so on, but has {found}."
            )
        self.prefix = prefixes[0]
        self.indices = sorted({int(match["index"]) for match in matches})
        self.has_input = f"{self.prefix}input.weight" in weights

    def convolution(self, key: str, inputs: int, kernel: int) -> tuple[Tensor, Tensor]:
        """Weight (out×inputs×kernel×kernel) and bias (out) of the convolution at `key`."""
        weight = self._tensor(f"{key}.weight")
        bias = self._tensor(f"{key}.bias")
        outputs = 3 if key == "input" else max(1, weight.shape[0] if weight.ndim else 1)
        self._check_shape(f"{key}.weight", weight, (outputs, inputs, kernel, kernel))
        self._check_shape(f"{key}.bias", bias, (outputs,))
        return weight, bias

    def _tensor(self, key: str) -> Tensor:
        tensor = self.weights.get(self.prefix + key)
        if tensor is None:
            raise WeightsError(f"{self.name} lacks {key}, which a VGG network needs here.")
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise WeightsError(f"{key} in {self.name} must be a tensor of floating-point numbers.")
        if not tensor.isfinite().all():
            raise WeightsError(f"{key} in {self.name} must be finite but has NaN or infinity.")
        return tensor if tensor.dtype == torch.float64 else tensor.float()

    def _check_shape(self, key: str, tensor: Tensor, expected: tuple[int, ...]) -> None:
        if tuple(tensor.shape) != expected:
            raise WeightsError(
                f"{key} in {self.name} must have shape {expected}, got {tuple(tensor.shape)}."
            )


def _layout(depth: int) -> _Layout:
    convs: dict[int, str] = {}
    index = 0
    for block, count in enumerate(DEPTHS[depth], start=1):
        for position in range(1, count + 1):
            convs[index] = f"conv{block}_{position}"
            index += 2  # its ReLU
        index += 1  # the pooling
    return _Layout(depth, convs)


def _read_convolutions(reader: _Reader) -> tuple[int, dict[str, tuple[Tensor, Tensor]]]:
    """Depth, and {conv name: (weight, bias)} from the first to the last that is there."""
    layouts = [_layout(depth) for depth in DEPTHS]
    layout = max(layouts, key=lambda layout: len(layout.convs.keys() & set(reader.indices)))
    strange = [index for index in reader.indices if index not in layout.convs]
    if strange:
        raise WeightsError(
            f"features.{strange[0]} in {reader.name} is no convolution of VGG-16 or VGG-19, whose "
            "plain form, without batch normalisation, is wanted."
        )
    convolutions: dict[str, tuple[Tensor, Tensor]] = {}
    channels = 3
    for index, conv in layout.convs.items():
        if index > reader.indices[-1]:
            break
        weight, bias = reader.convolution(f"features.{index}", channels, kernel=3)
        convolutions[conv] = weight, bias
        channels = len(bias)
    return layout.depth, convolutions


def _layer_names(depth: int, convolutions: int) -> tuple[str, ...]:
    names: list[str] = []
    for block, count in enumerate(DEPTHS[depth], start=1):
        present = min(count, convolutions)
        for position in range(1, present + 1):
            names += [f"conv{block}_{position}", f"relu{block}_{position}"]
        if present < count:
            break
        names.append(f"pool{block}")
        convolutions -= count
    return tuple(names)


def _convolution(weight: Tensor, bias: Tensor, padding: Padding) -> nn.Conv2d:
    outputs, inputs, kernel, _ = weight.shape
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode=padding)
    conv.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    conv.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    return conv


def _input_convolution(reader: _Reader, preprocessing: Preprocessing | None) -> nn.Conv2d:
    """The preprocessing as one 1×1 convolution, kept apart from conv1_1.

    Folding it into conv1_1 would be exact only without zero padding, which pads the preprocessed
    picture: black there is the mean colour here.
    """
    if preprocessing is None and reader.has_input:
        return _convolution(*reader.convolution("input", 3, kernel=1), "zeros")
    if preprocessing == "caffe":
        matrix = 255 * torch.eye(3, dtype=torch.float64).flip(0)
        bias = -torch.tensor(CAFFE_MEAN, dtype=torch.float64)
    elif preprocessing == "caffe-rgb":
        matrix = 255 * torch.eye(3, dtype=torch.float64)
        bias = -255 * torch.tensor(CAFFE_RGB_MEAN, dtype=torch.float64)
    else:
        deviation = torch.tensor(IMAGENET_STD, dtype=torch.float64)
        matrix = torch.diag(1 / deviation)
        bias = -torch.tensor(IMAGENET_MEAN, dtype=torch.float64) / deviation
    weight = matrix[:, :, None, None]  # out×in -> out×in×1×1
    dtype = reader.convolution("features.0", 3, kernel=3)[0].dtype
    return _convolution(weight.to(dtype), bias.to(dtype), "zeros")
