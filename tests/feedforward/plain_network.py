"""The transformation network in plain eager PyTorch, the way it is usually written.

An independent second implementation, for tests and benchmarks: padding, convolution,
normalisation and ReLU as torch's own modules, one after the other.
"""

import torch
from torch import Tensor, nn

from photostyle.feedforward.network import TransformNetwork


class PlainLayer(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, norm, *, upsampling="", relu=True):
        super().__init__()
        self.upsampling, self.relu = upsampling, relu
        if upsampling == "transposed":
            self.conv = nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)
        else:
            self.pad = nn.ReflectionPad2d(kernel // 2)
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride)
        kinds = {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d}
        self.norm = kinds[norm](outputs, affine=True) if norm else nn.Identity()

    def forward(self, x: Tensor, like: Tensor | None = None) -> Tensor:
        if self.upsampling == "resize":
            x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
        x = self.conv(x if self.upsampling == "transposed" else self.pad(x))
        if like is not None:
            x = x[:, :, : like.shape[2], : like.shape[3]]
        x = self.norm(x)
        return torch.relu(x) if self.relu else x


class PlainNetwork(nn.Module):
    """Same function as a TransformNetwork whose weights it takes."""

    def __init__(self, network: TransformNetwork, norm: str, upsampling: str) -> None:
        super().__init__()
        a, b, c = (layer.weight.shape[0] for layer in network.down)
        up = {"upsampling": upsampling}
        self.down = nn.ModuleList(
            [
                PlainLayer(3, a, 9, 1, norm),
                PlainLayer(a, b, 3, 2, norm),
                PlainLayer(b, c, 3, 2, norm),
            ]
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList([PlainLayer(c, c, 3, 1, norm), PlainLayer(c, c, 3, 1, norm, relu=False)])
            for _ in network.blocks
        )
        self.up = nn.ModuleList(
            [PlainLayer(c, b, 3, 1, norm, **up), PlainLayer(b, a, 3, 1, norm, **up)]
        )
        self.output = PlainLayer(a, 3, 9, 1, "", relu=False)
        self.take(network)

    @torch.no_grad()
    def take(self, network: TransformNetwork) -> None:
        mine = [m for m in self.modules() if isinstance(m, PlainLayer)]
        theirs = [*network.down]
        for block in network.blocks:
            theirs += [block.first, block.second]
        theirs += [*network.up, network.output]
        for plain, layer in zip(mine, theirs, strict=True):
            transposed = plain.upsampling == "transposed"
            plain.conv.weight.copy_(layer.weight.transpose(0, 1) if transposed else layer.weight)
            plain.conv.bias.zero_()
            if layer.bias is not None:
                plain.conv.bias.copy_(layer.bias)
            plain.norm.load_state_dict(layer.norm.state_dict())

    def forward(self, image: Tensor) -> Tensor:
        first = self.down[0](image)
        second = self.down[1](first)
        x = self.down[2](second)
        for one, two in self.blocks:
            x = x + two(one(x))
        x = self.up[1](self.up[0](x, second), image)
        return (torch.tanh(self.output(x)) + 1) / 2
