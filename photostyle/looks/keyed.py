"""Looks at their places in a film, blended between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photostyle.color.regional import Care, RegionalLook
from photostyle.color.silhouettes import Borders
from photostyle.color.tabled import Tabled
from photostyle.films.colours import Pixels
from photostyle.films.tensors import image_of
from photostyle.images.frames import Frame, frame_of
from photostyle.looks.look import Look
from photostyle.looks.lut import Lut

#: Planes h×w of regions by name.
Planes = Mapping[str, Tensor]


@dataclass(frozen=True)
class KeyedLooks:
    """Looks at their places in time, and what they have to mind of all frames.

    Attributes:
        centres: numbers of frames, rising.
        care: of the noise under the looks of the whole; None of a table.
        bars: around the picture all the time.
    """

    looks: Sequence[Look]
    centres: Sequence[float]
    care: Care | None
    bars: Frame | None

    @classmethod
    def of(
        cls, looks: Sequence[Look], centres: Sequence[float], shown: Sequence[Pixels]
    ) -> "KeyedLooks":
        """`shown`: the frames that noise and bars are measured on, H×W×3 uint8 or uint16."""
        images = [image_of(pixels) for pixels in shown]
        frames = [frame_of(image[0].permute(1, 2, 0).numpy()) for image in images]
        return cls(looks, centres, care_of(looks, [(image, {}) for image in images]),
                   _common(frames))  # fmt: skip

    @property
    def regions(self) -> list[str]:
        return list(self.looks[0].regions)

    def at(self, number: int, names: Sequence[str], borders: Borders) -> RegionalLook | Tabled:
        """The maps of a frame: those of regions by their names, the whole's where there are none
        or a name is unknown."""
        whole = self.looks[0].whole
        if isinstance(whole, Lut):
            return Tabled(whole.apply)
        last = len(self.looks) - 1
        place = float(np.interp(number, self.centres, np.arange(last + 1)))
        before = min(int(place), max(0, last - 1))
        share = place - before
        share = share * share * (3 - 2 * share)  # smooth at the key frames, too
        one, other = (_maps(self.looks[n], names) for n in (before, min(before + 1, last)))
        return RegionalLook(torch.lerp(one, other, share), borders, torch.ones(len(one)))


def care_of(looks: Sequence[Look], frames: Sequence[tuple[Tensor, Planes]]) -> Care | None:
    """What looks that are blended have to mind of frames, 1×3×H×W with their regions."""
    found = [
        grade.maps.care(image)
        for look in looks
        for image, planes in frames
        if isinstance((grade := look.grade(image, planes)).maps, RegionalLook)
    ]
    return Care.pooled(found) if found else None


def _maps(look: Look, names: Sequence[str]) -> Tensor:
    """K×29×3 maps of regions; 1×29×3 of the whole without."""
    assert isinstance(look.whole, Tensor)
    return torch.stack([look.regions.get(name, look.whole) for name in names] or [look.whole])


def _common(frames: Sequence[Frame | None]) -> Frame | None:
    """The bars that all frames have."""
    known = [frame for frame in frames if frame is not None]
    if len(known) < len(frames):
        return None
    return Frame(*(min(sides) for sides in zip(*(vars(f).values() for f in known), strict=True)))
