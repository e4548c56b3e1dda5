"""The image transformation network: one picture in, the picture in the network's style out.

9×9 convolution to 32 channels, two of stride 2 to 64 and 128, five residual blocks, two
upsamplings, 9×9 convolution to RGB, (tanh + 1)/2; reflection padding, and a normalisation after
every convolution but the last.

Two convolutions are computed in another form than they are defined in, to the same values: an
upsampling by nearest neighbour with a 3×3 convolution after it is one transposed 4×4 convolution,
a quarter of the work; and the last layer makes 2×2 pixels at a time, as vector units want more
than three output channels.

Sources: Johnson, Alahi, Fei-Fei 2016 and its supplement (which pads once, by 40 pixels; here every
convolution pads for itself) · Ulyanov, Vedaldi, Lempitsky 2016, instance normalisation · Odena,
Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts", for the resize-convolution.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Channels after the first three convolutions at width 1.
CHANNELS = (32, 64, 128)
#: Every picture is worked on at least so large, so that each map has room to be reflected.
LEAST_SIDE = 16
#: Added to variances.
NORM_EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """Every channel of every picture to mean 0 and variance 1, then scaled and shifted.

    Computed as a group normalisation with a channel per group: the same sums, and the kernel that
    keeps channels-last maps as they are, three times as fast on a CPU.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.weight.numel(), self.weight, self.bias, NORM_EPSILON)


class Layer(nn.Module):
    """A convolution with its padding, and the normalisation and ReLU after it.

    `forward` is for whole maps; `source_rows` and `convolve` are for strips of them.

    Attributes:
        padding: how `convolve` wants its input padded (left, right, top, bottom).
        padding_mode: of torch's `pad`.
        up: whether the map grows to twice its size.
    """

    padding: tuple[int, int, int, int] = (1, 1, 1, 1)
    padding_mode: str = "reflect"
    up: bool = False

    def __init__(self, inputs: int, outputs: int, kernel: int, norm: str, relu: bool) -> None:
        super().__init__()
        like = nn.Conv2d(inputs, outputs, kernel)  # for its initial weights
        self.weight = like.weight
        self.bias = None if norm else like.bias  # a normalisation would take it away again
        self.norm = _norm(norm, outputs)
        self.relu = relu

    def forward(self, x: Tensor, like: Tensor | None = None) -> Tensor:
        """The layer's map of a whole map, cropped to the height and width of `like`."""
        y = self.convolve(F.pad(x, self.padding, mode=self.padding_mode))
        if like is not None:
            y = y[:, :, : like.shape[2], : like.shape[3]]
        return self.finish(y)

    def finish(self, x: Tensor) -> Tensor:
        """What comes after the convolution."""
        y: Tensor = self.norm(x)
        return F.relu(y) if self.relu else y

    def convolve(self, padded: Tensor) -> Tensor:
        """The convolution of a padded map, or of a padded strip of rows."""
        raise NotImplementedError

    def source_rows(self, first: int, end: int) -> tuple[int, int, int]:
        """What output rows [first, end) are made of.

        Returns:
            Rows [low, high) of the input, beyond its borders where they are padding, and how many
            rows `convolve` gives for them ahead of `first`.
        """
        raise NotImplementedError


class Convolution(Layer):
    """k×k convolution at stride 1 or 2; halves are rounded up."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, norm: str, *, stride: int = 1,
        relu: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(inputs, outputs, kernel, norm, relu)
        self.stride, self.margin = stride, kernel // 2
        self.padding = (self.margin,) * 4

    def convolve(self, padded: Tensor) -> Tensor:
        return F.conv2d(padded, self.weight, self.bias, stride=self.stride)

    def source_rows(self, first: int, end: int) -> tuple[int, int, int]:
        low, last = first * self.stride - self.margin, (end - 1) * self.stride - self.margin
        return low, last + self.weight.shape[2], 0


class Upsampling(Layer):
    """To twice the size, as one transposed convolution by 4×4 at stride 2.

    "resize": nearest neighbour and a 3×3 convolution. Each output pixel sees 2×2 different input
    pixels, so the nine weights become four by sums that depend on its place in the 2×2 block; and
    reflection of the enlarged map is replication of the small one.

    "transposed": a 3×3 kernel, padded with zeros to 4×4.
    """

    up = True

    def __init__(self, inputs: int, outputs: int, norm: str, upsampling: str) -> None:
        super().__init__(inputs, outputs, 3, norm, relu=True)
        self.resize = upsampling == "resize"
        self.padding_mode = "replicate" if self.resize else "constant"

    def kernel(self) -> Tensor:
        """inputs×outputs×4×4, for torch's transposed convolution."""
        weight = self.weight.transpose(0, 1)
        if not self.resize:
            return F.pad(weight, (0, 1, 0, 1))
        return _spread(_spread(weight, 2), 3)

    def convolve(self, padded: Tensor) -> Tensor:
        return F.conv_transpose2d(padded, _channels_last(self.kernel()), self.bias, 2, 3)

    def source_rows(self, first: int, end: int) -> tuple[int, int, int]:
        return first // 2 - 1, (end + 1) // 2 + 1, first % 2


class Output(Layer):
    """k×k convolution to RGB, 2×2 pixels at a time, and (tanh + 1)/2."""

    def __init__(self, inputs: int, kernel: int) -> None:
        super().__init__(inputs, 3, kernel, "", relu=False)
        self.margin = kernel // 2
        self.padding = (self.margin, self.margin + 1) * 2  # one more, for odd sizes

    def convolve(self, padded: Tensor) -> Tensor:
        assert self.bias is not None
        shifts = [(b, 1 - b, a, 1 - a) for a in (0, 1) for b in (0, 1)]
        four = torch.stack([F.pad(self.weight, shift) for shift in shifts], 1)  # 3×4×C×(k+1)×(k+1)
        bias = self.bias.repeat_interleave(4)
        blocks = F.conv2d(padded, _channels_last(four.flatten(0, 1)), bias, stride=2)
        return F.pixel_shuffle(blocks, 2)  # N×12×h×w -> N×3×2h×2w

    def finish(self, x: Tensor) -> Tensor:
        return 0.5 * (torch.tanh(x) + 1.0)

    def source_rows(self, first: int, end: int) -> tuple[int, int, int]:
        low, high = first // 2 * 2, (end + 1) // 2 * 2
        return low - self.margin, high + self.margin, first % 2


class Residual(nn.Module):
    """Two 3×3 convolutions, added to what came in."""

    def __init__(self, channels: int, norm: str) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, 3, norm)
        self.second = Convolution(channels, channels, 3, norm, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(self.first(x))
        return x + change


class TransformNetwork(nn.Module):
    """The network of one style.

    Args:
        norm: "instance" or "batch".
        upsampling: "resize" (nearest neighbour, then a convolution) or "transposed".
        width: of all layers, 1 is the paper's 32, 64 and 128 channels; rounded to multiples of 4.
        blocks: residual blocks.
    """

    def __init__(
        self,
        norm: str = "instance",
        upsampling: str = "resize",
        width: float = 1.0,
        blocks: int = 5,
    ) -> None:
        super().__init__()
        a, b, c = (max(4, 4 * round(channels * width / 4)) for channels in CHANNELS)
        self.down = nn.ModuleList(
            [
                Convolution(3, a, 9, norm),
                Convolution(a, b, 3, norm, stride=2),
                Convolution(b, c, 3, norm, stride=2),
            ]
        )
        self.blocks = nn.ModuleList([Residual(c, norm) for _ in range(blocks)])
        self.up = nn.ModuleList(
            [Upsampling(c, b, norm, upsampling), Upsampling(b, a, norm, upsampling)]
        )
        self.output = Output(a, 9)
        self.to(memory_format=torch.channels_last)

    @staticmethod
    def layers(modules: nn.ModuleList) -> list[Layer]:
        """`down` or `up` as what they are."""
        return cast(list[Layer], list(modules))

    def forward(self, image: Tensor) -> Tensor:
        """The stylised pictures.

        Args:
            image: N×3×H×W in [0, 1], at least `LEAST_SIDE` pixels a side.

        Returns:
            N×3×H×W in [0, 1].
        """
        maps = [image]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        x = maps[-1]
        for block in self.blocks:
            x = block(x)
        # A map of odd size comes from, and goes back to, one of half that size rounded up.
        for layer, like in zip(self.up, (maps[2], image), strict=True):
            x = layer(x, like)
        result: Tensor = self.output(x, image)
        return result


def _norm(norm: str, channels: int) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(channels, eps=NORM_EPSILON)
    return InstanceNorm(channels) if norm else nn.Identity()


def _spread(weight: Tensor, axis: int) -> Tensor:
    """Three taps after a nearest-neighbour enlargement as four taps of a transposed convolution."""
    first, middle, last = weight.unbind(axis)
    return torch.stack([last, middle + last, first + middle, first], axis)


def _channels_last(weight: Tensor) -> Tensor:
    return weight.contiguous(memory_format=torch.channels_last)
