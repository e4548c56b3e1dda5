"""The transfer in one transform after the other, coarse to fine, with a style encoded once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.config.universal import LatentsConfig
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Reference
from photostyle.universal.latents import Transform
from photostyle.universal.transfers import Source, region_maps, transferred

#: Share of the pixels that may be cut off, how many pixels tell, and the least room to a bound.
OUTSIDE, SAMPLES, TINY = 0.002, 200_000, 0.02


@dataclass(frozen=True)
class Stylist(Brief):
    """Transforms with the latents of the styles, for any number of contents.

    Attributes:
        transforms: a picture goes through them in this order.
        styles: for each of them, the styles' latents.
        device: where they are.
    """

    transforms: Sequence[Transform]
    styles: Sequence[Sequence[Source]]
    options: LatentsConfig
    device: torch.device

    @torch.no_grad()
    def styled(self, images: Tensor, memory: int | None = None) -> Tensor:
        """N×3×H×W pictures in [0, 1], each as a whole, on the CPU.

        Args:
            memory: has no say; every picture goes through at once.
        """
        whole = images.new_ones(1, *images.shape[2:]).to(self.device)
        found = [self.picture(x[None].to(self.device), whole) for x in images]
        return torch.cat(found).cpu()

    def picture(self, content: Tensor, masks: Tensor, weight: Tensor | None = None) -> Tensor:
        """One content in the styles, 1×3×H×W in [0, 1].

        Args:
            masks: K×H×W, summing to 1. weight: H×W, how much each pixel counts.
        """
        options = self.options
        for transform, styles in zip(self.transforms, self.styles, strict=True):
            own = transform.encode(content)
            shares = own.masks(masks)
            seen = shares if weight is None else counted(shares, own.masks(weight[None])[0])
            changes = region_maps(
                Source(own.maps, seen), styles, options.transfer, options.alpha, options.cutoff
            )
            moved = own.moved(transferred(own.maps, shares, changes))
            picture = transform.decode(moved)
            content = settled(picture) if transform.linear else picture.clamp(0.0, 1.0)
        return content


def settled(image: Tensor) -> Tensor:
    """A 1×3×H×W picture drawn together about each channel's mean until it fits into [0, 1], but for
    `OUTSIDE` of its pixels.

    Cut off, a picture loses deviation, which the next transfer brings back by stretching what is
    left, until nothing stands between black and white. Drawn together it loses nothing, under a
    linear transform: the same map undoes it. To a network it would be another picture.
    """
    mean = image.mean(dim=(2, 3), keepdim=True)
    away = image - mean
    reach = torch.maximum(away / (1 - mean).clamp(min=TINY), -away / mean.clamp(min=TINY))
    some = reach.amax(dim=1).flatten()
    some = some[:: max(1, len(some) // SAMPLES)]
    most = float(some.kthvalue(max(1, round(len(some) * (1 - OUTSIDE)))).values)
    return (image if most <= 1 else mean + away / most).clamp(0.0, 1.0)


@torch.no_grad()
def stylist(
    transforms: Sequence[Transform], references: Sequence[Reference], options: LatentsConfig
) -> Stylist:
    """A stylist for styles with their regions."""
    styles = []
    for transform in transforms:
        sources = []
        for reference in references:
            its = transform.encode(reference.image)
            sources.append(Source(its.maps, its.masks(reference.masks), reference.share))
        styles.append(sources)
    return Stylist(transforms, styles, options, references[0].image.device)
