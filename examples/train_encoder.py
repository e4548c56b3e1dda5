"""Train a small VGG-shaped encoder on generated pictures only.

    python examples/train_encoder.py --out learned.safetensors --seed 0 --steps 3200

needs no data and no download: textures from `textures.py` and, as more textures, pieces of the two
example scenes that `render_scenes.py` makes. Compositions of up to three textures under uneven
light, shadow, colour cast and noise go in; from every depth the network has to tell which texture
each place shows (`--textures` of them), and from relu4_2 also the picture's colours, its light and
where textures meet. Batch normalisation, used for training only, is folded away; every filter is
then scaled to a root mean square of 1, which leaves the network's function as it was.

The file has torchvision's keys, float16, and runs with `photostyle run --encoder FILE`.
A checkpoint is written every minute. The default took 21 minutes at low priority on one of two
busy cores (AMD EPYC), and writes 1.6 MB. GALLERY.md has what such an encoder is worth.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from PIL import Image
from textures import texture
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = (2, 2, 4, 4, 1)  # VGG-19 up to relu5_1
TAPS = ("1_1", "2_1", "3_1", "4_1", "5_1")
TAP_WEIGHTS = (0.3, 0.5, 0.7, 1.0, 1.0)
DENSE = "4_2"
CROP, CELL, SOURCE = 64, 16, 192  # pixels: of a training picture, of one decision, of a texture
MEAN, DEVIATION = 0.45, 0.25  # of the generated pictures, near enough


class Pictures:
    """Compositions of generated textures, with what is known about each place."""

    def __init__(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.random = torch.Generator().manual_seed(seed)
        scenes = [np.asarray(Image.open(ROOT / f"examples/{n}.jpg")) for n in ("city", "night")]
        sources = []
        for number in range(count):
            if number % 8:
                sources.append((texture(rng, SOURCE) * 255).astype(np.uint8))
            else:
                sources.append(_piece(rng, scenes[number // 8 % 2]))
        self.textures = torch.from_numpy(np.stack(sources)).permute(0, 3, 1, 2).contiguous()

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures size×3×CROP×CROP, texture numbers size×CROP×CROP, light size×1×CROP×CROP."""
        chosen = torch.randint(len(self.textures), (size, 3), generator=self.random)
        layers = self._crops(chosen.flatten()).unflatten(0, (size, 3))
        region = self._regions(size)  # size×CROP×CROP, 0 to 2
        picture = layers.gather(1, region[:, None, None].expand(-1, 1, 3, -1, -1))[:, 0]
        numbers = chosen.gather(1, region.flatten(1)).view_as(region)
        light = 0.4 * self._smooth(size, 1, 3)
        shadow = torch.sigmoid(20 * self._smooth(size, 1, 4)) * self._uniform(size, -1.2, 0.4)
        light = light + shadow.clamp(max=0)
        cast = (0.25 * self._normal(size, 1) + 0.12 * self._normal(size, 3)).exp()
        picture = (picture * light.exp() * cast[:, :, None, None]).clamp(0, 1)
        grain = self._uniform(size, 0, 0.04) * torch.randn(picture.shape, generator=self.random)
        picture = picture ** self._uniform(size, 0.7, 1.4) + grain
        return picture.clamp(0, 1), numbers, light

    def _crops(self, numbers: Tensor) -> Tensor:
        """A turned, scaled and mirrored window of each texture, N×3×CROP×CROP."""
        count = len(numbers)
        turn = self._uniform(count, -0.25, 0.25).flatten()
        scale = self._uniform(count, -0.35, 0.25).flatten().exp() * CROP / SOURCE
        flip = torch.randint(2, (count,), generator=self.random) * 2.0 - 1
        room = (1 - 1.25 * scale).clamp(min=0)
        shift = torch.rand(count, 2, generator=self.random) * 2 - 1
        rows = [
            torch.stack([scale * flip * turn.cos(), -scale * turn.sin(), room * shift[:, 0]], 1),
            torch.stack([scale * flip * turn.sin(), scale * turn.cos(), room * shift[:, 1]], 1),
        ]
        grid = F.affine_grid(torch.stack(rows, 1), [count, 3, CROP, CROP], align_corners=False)
        sources = self.textures[numbers].float() / 255
        crops = F.grid_sample(sources, grid, padding_mode="reflection", align_corners=False)
        return self._recoloured(crops)

    def _recoloured(self, crops: Tensor) -> Tensor:
        """Channels of some crops changed places, and faded: form has to tell it then."""
        count = len(crops)
        order = torch.rand(count, 3, generator=self.random).argsort(1)
        keep = torch.rand(count, 1, generator=self.random) < 0.7
        order = torch.where(keep, torch.arange(3), order)[:, :, None, None].expand_as(crops)
        crops = crops.gather(1, order)
        return torch.lerp(crops.mean(1, keepdim=True), crops, self._uniform(count, 0.1, 1.0))

    def _regions(self, size: int) -> Tensor:
        """Which of three textures each pixel shows: blobs and straight cuts, often one alone."""
        fields = self._smooth(size, 3, 5)
        axis = torch.linspace(-1, 1, CROP)
        slopes = 1.5 * torch.randn(size, 3, 2, 1, 1, generator=self.random)
        fields = fields + slopes[:, :, 0] * axis + slopes[:, :, 1] * axis[:, None]
        return (fields + 1.5 * self._normal(size, 3)[:, :, None, None]).argmax(1)

    def _smooth(self, size: int, channels: int, knots: int) -> Tensor:
        coarse = torch.randn(size, channels, knots, knots, generator=self.random)
        return F.interpolate(coarse, (CROP, CROP), mode="bicubic", align_corners=True)

    def _uniform(self, size: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(size, 1, 1, 1, generator=self.random)

    def _normal(self, size: int, channels: int) -> Tensor:
        return torch.randn(size, channels, generator=self.random)


def _piece(rng: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    side = int(rng.integers(SOURCE // 2, 2 * SOURCE))
    y, x = (int(rng.integers(0, scene.shape[axis] - side)) for axis in (0, 1))
    piece = Image.fromarray(scene[y : y + side, x : x + side])
    return np.asarray(piece.resize((SOURCE, SOURCE), Image.Resampling.LANCZOS))


class Network(nn.Module):
    """VGG-19 to relu5_1 with batch normalisation, and a head at every tap."""

    def __init__(self, widths: tuple[int, ...], textures: int) -> None:
        super().__init__()
        self.convs, self.norms = nn.ModuleDict(), nn.ModuleDict()
        inputs = 3
        for block, (count, outputs) in enumerate(zip(BLOCKS, widths, strict=True), start=1):
            for position in range(1, count + 1):
                conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect", bias=False)
                nn.init.kaiming_normal_(conv.weight)
                self.convs[f"{block}_{position}"] = conv
                self.norms[f"{block}_{position}"] = nn.BatchNorm2d(outputs)
                inputs = outputs
        self.heads = nn.ModuleDict(
            {tap: nn.Linear(2 * widths[int(tap[0]) - 1], textures) for tap in TAPS}
        )
        self.dense = nn.Conv2d(widths[int(DENSE[0]) - 1], 5, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Every map after its ReLU, by name."""
        x, maps = (image - MEAN) / DEVIATION, {}
        x = x.contiguous(memory_format=torch.channels_last)
        for name, conv in self.convs.items():
            if name.endswith("_1") and name != "1_1":
                x = F.max_pool2d(x, 2)
            x = maps[name] = F.relu(self.norms[name](conv(x)))
        return maps


def loss(network: Network, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, list[float]]:
    """The objective, and for each tap the share of places whose texture it names."""
    picture, numbers, light = batch
    with torch.autocast("cpu", torch.bfloat16):
        maps = network(picture)
    target, pure = _cells(numbers)
    total, right = picture.new_zeros(()), []
    for tap, weight in zip(TAPS, TAP_WEIGHTS, strict=True):
        logits = network.heads[tap](_statistics(maps[tap].float()))[pure]
        total = total + weight * F.cross_entropy(logits, target[pure])
        right.append((logits.argmax(1) == target[pure]).float().mean().item())
    cut = (F.max_pool2d(numbers[:, None].float(), 3, 1, 1) != numbers[:, None]).float()
    facts = torch.cat([(picture - MEAN) / DEVIATION, light, cut], 1)
    found = network.dense(maps[DENSE].float())
    dense = F.mse_loss(found, F.adaptive_avg_pool2d(facts, found.shape[-1]))
    return total + 2 * dense, [*right, dense.item()]


def _statistics(features: Tensor) -> Tensor:
    """Mean and deviation of every channel in every cell, B×cells×cells×2C."""
    side = CROP // CELL
    mean = F.adaptive_avg_pool2d(features, side)
    square = F.adaptive_avg_pool2d(features.square(), side)
    deviation = (square - mean.square()).clamp(min=0).add(1e-4).sqrt()
    return torch.cat([mean, deviation], 1).permute(0, 2, 3, 1)


def _cells(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """The texture in the middle of every cell, and whether nearly all of the cell shows it."""
    cells = numbers.unfold(1, CELL, CELL).unfold(2, CELL, CELL).flatten(3)  # B×h×w×CELL²
    middle = cells[..., CELL * CELL // 2 + CELL // 2]
    return middle, (cells == middle[..., None]).float().mean(3) > 0.8


@torch.no_grad()
def export(network: Network, pictures: Pictures, path: Path) -> None:
    """Folds the normalisation away, gives every filter a mean square of 1, writes float16."""
    weights = {"input.weight": (torch.eye(3) / DEVIATION)[:, :, None, None],
               "input.bias": torch.full((3,), -MEAN / DEVIATION)}  # fmt: skip
    network.eval()
    maps = network(torch.cat([pictures.batch(32)[0] for _ in range(4)]))
    index, before = 0, torch.ones(3)
    for name, conv in network.convs.items():
        if name.endswith("_1") and name != "1_1":
            index += 1  # the pooling
        norm = network.norms[name]
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        size = maps[name].square().mean((0, 2, 3)).sqrt()
        size[size < 1e-3] = 1.0  # never active: left as it is
        weight = conv.weight * (gain / size)[:, None, None, None] * before[None, :, None, None]
        weights[f"features.{index}.weight"] = weight
        weights[f"features.{index}.bias"] = (norm.bias - norm.running_mean * gain) / size
        index, before = index + 2, size
    network.train()
    half = {key: value.half().contiguous() for key, value in weights.items()}
    temporary = path.with_suffix(".part")
    safetensors.torch.save_file(half, temporary)
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--textures", type=int, default=384)
    parser.add_argument("--widths", type=int, nargs=5, default=[16, 32, 64, 128, 128])
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    pictures = Pictures(options.textures, options.seed)
    network = Network(tuple(options.widths), options.textures)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), 1.5e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.5e-3, total_steps=options.steps, pct_start=0.05
    )
    began = saved = time.monotonic()
    for step in range(1, options.steps + 1):
        value, report = loss(network, pictures.batch(options.batch))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            shares = " ".join(f"{share:.3f}" for share in report)
            elapsed = time.monotonic() - began
            print(f"{step} {elapsed:.0f} s {value.item():.3f} {shares}", flush=True)
        if time.monotonic() - saved > 60 or step == options.steps:
            export(network, pictures, options.out)
            saved = time.monotonic()


if __name__ == "__main__":
    main()
