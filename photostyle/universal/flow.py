"""The projection flow network: a picture to latents and back without any loss.

Each block puts the pixels of 2×2 blocks into channels and sends them through flows: an activation
normalisation, an invertible 1×1 convolution and an additive coupling. Nothing is thrown away, so
the inverse gives back what went in, to the precision of floats, and what a transfer does to the
latents is all that it does to the picture. It begins as wavelet packets (see `wavelets`): from
random rotations, as in the papers, every transfer first moves the pixels of a block apart, and a
short training never gets rid of the dots.

Sources: An et al. 2021, "ArtFlow: Unbiased Image Style Transfer via Reversible Neural Flows"
(2103.16877) · Kingma and Dhariwal 2018, "Glow", for the normalisation's first values and the 1×1
convolution as P·L·U · Dinh et al. 2014, "NICE", for the additive coupling.
"""

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photostyle.images.picture import image_size
from photostyle.universal.latents import Latents, cut, padded
from photostyle.universal.reversible import Step, through
from photostyle.universal.transfers import adain
from photostyle.universal.wavelets import HAAR

#: Least and largest logarithm of a scale, so that no inverse leaves the range of floats.
LOG_RANGE = 5.0


class ActivationNorm(nn.Module):
    """A scale and a shift for each channel; the first batch of a training begins at mean 0 and
    deviation 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.log_scale = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return (x + _column(self.shift)) * _column(self._scale())

    def inverse(self, y: Tensor) -> Tensor:
        """See `Step`."""
        return y / _column(self._scale()) - _column(self.shift)

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Takes the first values from a batch."""
        self.shift.copy_(-x.mean(dim=(0, 2, 3)))
        self.log_scale.copy_(-(x.std(dim=(0, 2, 3)) + 1e-6).log())

    def _scale(self) -> Tensor:
        return self.log_scale.clamp(-LOG_RANGE, LOG_RANGE).exp()


class InvertibleConvolution(nn.Module):
    """A 1×1 convolution by P·L·(U + diag(sign · exp(log_scale))).

    Args:
        begun: C×C, regular, what it begins as.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, begun: Tensor) -> None:
        super().__init__()
        permutation, lower, upper = torch.linalg.lu(begun.double())
        diagonal = upper.diagonal()
        self.lower = nn.Parameter(lower.tril(-1).float())
        self.upper = nn.Parameter(upper.triu(1).float())
        self.log_scale = nn.Parameter(diagonal.abs().log().float())
        self.register_buffer("permutation", permutation.float())
        self.register_buffer("sign", diagonal.sign().float())

    def forward(self, x: Tensor) -> Tensor:
        return _mixed(x, self.matrix().to(x))

    def inverse(self, y: Tensor) -> Tensor:
        """See `Step`."""
        return _mixed(y, torch.linalg.inv(self.matrix()).to(y))

    def matrix(self) -> Tensor:
        """C×C, in float64: the inverse must undo what float32 makes of it."""
        lower = self.lower.double().tril(-1) + torch.eye(len(self.sign)).to(self.lower).double()
        scale = self.sign * self.log_scale.clamp(-LOG_RANGE, LOG_RANGE).exp()
        upper = self.upper.double().triu(1) + torch.diag(scale.double())
        return self.permutation.double() @ lower @ upper


class Coupling(nn.Module):
    """(a, b) ↦ (a, b + net(a)): whatever the small network is, it can be taken away again."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.kept = channels // 2
        self.net = nn.Sequential(
            _convolution(self.kept, width, 3), nn.ReLU(),
            _convolution(width, width, 1), nn.ReLU(),
            _convolution(width, channels - self.kept, 3),
        )  # fmt: skip
        last = cast(nn.Conv2d, self.net[-1])
        nn.init.zeros_(last.weight)
        nn.init.zeros_(cast(Tensor, last.bias))

    def forward(self, x: Tensor) -> Tensor:
        a, b = x[:, : self.kept], x[:, self.kept :]
        return torch.cat([a, b + self.net(a)], dim=1)

    def inverse(self, y: Tensor) -> Tensor:
        """See `Step`."""
        a, b = y[:, : self.kept], y[:, self.kept :]
        return torch.cat([a, b - self.net(a)], dim=1)


class Squeeze(nn.Module):
    """The pixels of 2×2 blocks as channels."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, 2)

    def inverse(self, y: Tensor) -> Tensor:
        """See `Step`."""
        return F.pixel_shuffle(y, 2)


class FlowNetwork(nn.Module):
    """The transform; see `Transform`.

    Args:
        blocks: squeezes, each followed by flows. flows: in each block.
        width: channels within the couplings.
        saving: training keeps nothing between the steps; see `reversible`.
    """

    linear = False

    def __init__(self, blocks: int, flows: int, width: int, saving: bool = True) -> None:
        super().__init__()
        self.blocks, self.saving = blocks, saving
        steps: list[nn.Module] = []
        for block in range(1, blocks + 1):
            channels = 3 * 4**block
            steps.append(Squeeze())
            for flow in range(flows):
                begun = _packets(channels) if flow == 0 else torch.eye(channels)
                steps += [ActivationNorm(channels), InvertibleConvolution(begun)]
                steps.append(Coupling(channels, width))
        self.steps = nn.ModuleList(steps)
        self.to(memory_format=torch.channels_last)

    def forward(self, pairs: Tensor) -> Tensor:
        """Training: N×6×H×W contents with a style each become N×3×H×W results, by AdaIN."""
        contents, styles = pairs[:, :3], pairs[:, 3:]
        # Half the digits would not bring an inverse back to where it came from.
        with torch.autocast(pairs.device.type, enabled=False):
            latents = self.encode(torch.cat([contents, styles]))
            return self.decode(latents.moved(adain(*latents.maps.chunk(2))))

    @property
    def multiple(self) -> int:
        """What divides both sides of a picture that needs no padding."""
        return 1 << self.blocks

    def encode(self, image: Tensor) -> Latents:
        """See `Transform`."""
        # Reflection needs two positions.
        room = self.multiple * (1 + (min(image_size(image)) <= self.multiple))
        maps = through(self._chain(), padded(image, room), saving=self.saving)
        return Latents(maps, image_size(image), self.multiple)

    def decode(self, latents: Latents) -> Tensor:
        """See `Transform`."""
        image = through(self._chain(), latents.maps, back=True, saving=self.saving)
        return cut(image, latents.size)

    @torch.no_grad()
    def begin(self, images: Tensor) -> None:
        """Sets all normalisations by a batch of pictures."""
        x = padded(images, self.multiple)
        for step in self.steps:
            if isinstance(step, ActivationNorm):
                step.begin(x)
            x = step(x)

    def _chain(self) -> list[Step]:
        return [cast(Step, step) for step in self.steps]


class Fixed(nn.Module):
    """A network as it is, with all matrices and their inverses computed; see `Transform`."""

    linear = False

    def __init__(self, network: FlowNetwork) -> None:
        super().__init__()
        self.network = network
        for number, step in enumerate(network.steps):
            if isinstance(step, InvertibleConvolution):
                matrix = step.matrix()
                self.register_buffer(f"forth{number}", matrix.float())
                self.register_buffer(f"back{number}", torch.linalg.inv(matrix).float())

    def encode(self, image: Tensor) -> Latents:
        """See `Transform`; of a picture with two positions or more."""
        maps = padded(image, self.network.multiple)
        for number, step in enumerate(self.network.steps):
            maps = self._step(f"forth{number}", step, step, maps)
        return Latents(maps, image_size(image), self.network.multiple)

    def decode(self, latents: Latents) -> Tensor:
        """See `Transform`."""
        maps = latents.maps
        for number, step in reversed(list(enumerate(self.network.steps))):
            maps = self._step(f"back{number}", step, cast(Step, step).inverse, maps)
        return cut(maps, latents.size)

    def _step(
        self, name: str, step: nn.Module, do: Callable[[Tensor], Tensor], maps: Tensor
    ) -> Tensor:
        if isinstance(step, InvertibleConvolution):
            return _mixed(maps, cast(Tensor, getattr(self, name)))
        return do(maps)


def _packets(channels: int) -> Tensor:
    """C×C: Haar's rotation of the four pixels of every channel before the squeeze."""
    return torch.kron(torch.eye(channels // 4), torch.tensor(HAAR))


def _column(values: Tensor) -> Tensor:
    return values[:, None, None]


def _mixed(x: Tensor, matrix: Tensor) -> Tensor:
    return F.conv2d(x, matrix[:, :, None, None])


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode="reflect")
