"""Regions and protected things of a film: found on some frames, followed over the others.

What is found of a frame alone flickers. So it is kept as affine functions of the colours (see
`silhouettes.Borders`), which are carried along the picture's motion, dense optical flow between
reduced frames (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search"), and take over
a small share of what each new frame says of its own edges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.regional import affine_weights
from photostyle.color.silhouettes import Borders, borders_of
from photostyle.finish.keeping import found_maps
from photostyle.images.picture import image_size, reduced, to_array
from photostyle.segmentation.masks import resize_masks

Array = NDArray[Any]

#: Long side at which motion, regions and things are seen.
SIDE = 256
#: Share that a frame has in what is followed: of a step, nine tenths are there after 11 frames.
FRESH = 0.2


@dataclass
class Follower:
    """Follows over the frames of a shot, shown one by one.

    Attributes:
        names: of the regions, none where there is one only.
        masks: K×h×w at the frame's reduced size, as last seen.
    """

    names: tuple[str, ...] = ()
    masks: Tensor | None = None
    _kept: dict[str, Array] = field(default_factory=dict)
    _before: Array | None = None
    _flow: Array | None = None

    def show(self, content: Tensor) -> Tensor:
        """Takes the next frame, 1×3×H×W in [0, 1]; gives it reduced."""
        small = reduced(content, SIDE)
        levels = np.rint(to_array(small) * 255).astype(np.uint8)
        grey = cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)
        self._flow = None
        if self._before is not None and min(grey.shape) >= 16:
            flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
            self._flow = flow.calc(grey, self._before, None)  # type: ignore[call-overload]
        self._before = grey
        return small

    def regions(self, small: Tensor, anew: Mapping[str, Tensor] | None = None) -> Borders:
        """The borders of the regions on the frame that was shown.

        Args:
            small: as `show` gave it. anew: h×w planes by `names`, where they are known.
        """
        if anew is not None:
            planes = torch.stack([anew[name] for name in self.names])
            self.masks = resize_masks(planes, image_size(small))
        else:
            assert self.masks is not None
            moved = self._moved(self.masks.numpy())
            self.masks = torch.from_numpy(moved / np.maximum(moved.sum(axis=0), 1e-6))
        fresh = borders_of(small, self.masks)
        weights = self.steady("weights", fresh.weights)
        self.masks = affine_weights(small[0], weights)
        return Borders(weights, self.steady("colors", fresh.colors))

    def thing(self, small: Tensor, what: str) -> Tensor:
        """4×h×w affine map that finds skin, neutrals or sky on the frame that was shown."""
        return self.steady(what, found_maps(small, what))

    def steady(self, name: str, fresh: Tensor) -> Tensor:
        """Planes …×h×w of a frame, low-passed along the motion."""
        flat = fresh.reshape(-1, *fresh.shape[-2:]).numpy()
        before = self._kept.get(name)
        if before is not None and before.shape == flat.shape:
            moved = self._moved(before)
            flat = moved + FRESH * (flat - moved)
        self._kept[name] = flat
        return torch.from_numpy(flat).reshape(fresh.shape)

    def _moved(self, planes: Array) -> Array:
        """K×h×w planes of the frame before, where their things are now."""
        if self._flow is None:
            return planes
        height, width = planes.shape[1:]
        share = np.array([width, height]) / self._flow.shape[1::-1]
        flow = cv2.resize(self._flow, (width, height)) * share
        y, x = np.mgrid[:height, :width].astype(np.float32)
        across, down = (x + flow[..., 0]).astype(np.float32), (y + flow[..., 1]).astype(np.float32)
        return np.stack([
            cv2.remap(np.ascontiguousarray(plane), across, down, cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REPLICATE)
            for plane in planes
        ])  # fmt: skip


def spread(affine: Tensor, content: Tensor) -> Tensor:
    """H×W in [0, 1]: a 4×h×w affine map on a content 1×3×H×W of any size."""
    size = image_size(content)[::-1]
    slopes = [torch.from_numpy(cv2.resize(plane.numpy(), size)) for plane in affine]
    found = slopes[3]
    for slope, plane in zip(slopes[:3], content[0], strict=True):
        found = found.addcmul(slope, plane)
    return found.clamp(0.0, 1.0)
