"""From the size of the optimisation to a larger one, through local affine maps of the content."""

import numpy as np
import torch.nn.functional as F
from torch import Tensor, from_numpy

from photostyle.guided import GuidedFilter

#: Windows of the local maps, in pixels of the small picture, and their ridge: small enough to keep
#: light that changes within an object, large enough to be fitted by any texture.
RADIUS, EPSILON = 4, 1e-4


def enlarge_affine(small: Tensor, small_content: Tensor, content: Tensor) -> Tensor:
    """The picture that does to `content` what `small` does to `small_content`.

    Args:
        small: 1×3×h×w result. small_content: 1×3×h×w. content: 1×3×H×W.

    Returns:
        1×3×H×W in [0, 1]: the content under the small pair's local affine maps, enlarged.

    Source: Chen et al. 2016, bilateral guided upsampling, with guided-filter maps in its place.
    """
    guide = small_content[0].permute(1, 2, 0).cpu().double().numpy()  # 1×3×h×w -> h×w×3
    target = small[0].detach().permute(1, 2, 0).cpu().double().numpy()  # 1×3×h×w -> h×w×3
    slope, offset = GuidedFilter(guide, RADIUS, EPSILON).coefficients(target)
    maps = np.concatenate([slope.reshape(9, *slope.shape[2:]), offset])  # 12×h×w
    size = (content.shape[2], content.shape[3])
    large = F.interpolate(from_numpy(maps).float()[None], size, mode="bilinear")[0]
    large = large.to(content.device)
    slopes = large[:9].reshape(3, 3, *size)  # 9×H×W -> 3×3×H×W
    image: Tensor = (slopes * content).sum(1) + large[9:]
    return image.clamp(0.0, 1.0)[None]
