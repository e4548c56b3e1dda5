"""Style by patches: every patch of the picture's features is drawn to its nearest in the style's.

Li and Wand 2016, "Combining Markov Random Fields and Convolutional Neural Networks for Image
Synthesis" (arXiv 1601.04589), eq. 2-3. The search is a convolution with the style's patches, a
block of them at a time, so that its memory does not grow with their number.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.segmentation.masks import members

#: Side of a patch, in positions of the map.
SIDE = 3
#: Values of one block of correlations at most: 64 MiB in float32.
BLOCK = 1 << 24


class PatchBank:
    """The 3×3 patches of a style's features, region by region.

    Args:
        features: 1×C×h×w.
        masks: K×h×w; a patch belongs where its middle does, see `members`.
    """

    def __init__(self, features: Tensor, masks: Tensor) -> None:
        self.features = features
        inside = members(masks)[:, 1:-1, 1:-1]  # K×(h-2)×(w-2)
        self.places = [one.reshape(-1).nonzero()[:, 0] for one in inside]
        length = F.conv2d(
            features.square().sum(1, keepdim=True), features.new_ones(1, 1, SIDE, SIDE)
        )
        self.length = length.reshape(-1).sqrt().clamp(min=1e-12)  # one for each patch

    @torch.no_grad()
    def nearest(self, features: Tensor, region: int) -> Tensor:
        """Numbers of the best matching patches by normalised cross-correlation.

        Args:
            features: 1×C×H×W.

        Returns:
            (H-2)·(W-2) int64 row-major places in the style's (h-2)×(w-2) patches.
        """
        height, width = features.shape[2] - SIDE + 1, features.shape[3] - SIDE + 1
        places = self.places[region]
        best = features.new_full((height * width,), -torch.inf)
        found = torch.zeros(height * width, dtype=torch.int64, device=features.device)
        step = max(1, BLOCK // (height * width))
        for block in places.split(step):
            # A patch of the picture has one length whatever it is compared with.
            filters = self._patches(block) / self.length[block, None, None, None]
            match = F.conv2d(features, filters)[0].flatten(1)  # block×(H-2)×(W-2) -> block×N
            top, which = match.max(dim=0)
            better = top > best
            best = torch.where(better, top, best)
            found = torch.where(better, block[which], found)
        return found

    def _patches(self, places: Tensor) -> Tensor:
        """P×C×3×3 patches with their upper left corners at `places`."""
        columns = self.features.shape[3] - SIDE + 1
        y, x = places // columns, places % columns
        offset = torch.arange(SIDE, device=places.device)
        rows, cols = (y[:, None] + offset)[:, :, None], (x[:, None] + offset)[:, None, :]
        return self.features[0][:, rows, cols].transpose(0, 1)  # C×P×3×3 -> P×C×3×3


def patch_loss(features: Tensor, bank: PatchBank, masks: Tensor) -> Tensor:
    """Sum over patches of the squared distance to their nearest in the same region of the style.

    Args:
        features: 1×C×H×W; differentiable in them, the matches held.
        masks: K×H×W of the picture; a patch belongs where its middle does, see `members`.

    Source: Li and Wand 2016, eq. 2.
    """
    inside = members(masks)[:, 1:-1, 1:-1].flatten(1)  # K×N
    height, width = features.shape[2] - SIDE + 1, features.shape[3] - SIDE + 1
    columns = bank.features.shape[3] - SIDE + 1
    loss = features.sum() * 0.0
    for region, here in enumerate(inside):
        if not len(bank.places[region]) or not here.any():
            continue
        match = bank.nearest(features, region)
        y, x = match // columns, match % columns
        counts = here.reshape(1, height, width).to(features)
        for dy in range(SIDE):
            for dx in range(SIDE):
                mine = features[0, :, dy : dy + height, dx : dx + width]
                theirs = bank.features[0][:, y + dy, x + dx].reshape(mine.shape)
                loss = loss + ((mine - theirs).square() * counts).sum()
    return loss
