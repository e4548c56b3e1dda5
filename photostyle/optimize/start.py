"""Starting pictures: what the first solve begins with."""

import torch
from torch import Tensor

from photostyle.color.transfer import color_start
from photostyle.images.picture import image_size, resize
from photostyle.segmentation.scene import Scene


def start_image(scene: Scene, init: str, seed: int) -> Tensor:
    """The picture that optimisation starts from, 1×3×H×W at the content's size, on its device.

    Args:
        init: "color" (content with each region's colours moved to the style's), "content",
            "style" (resized to the content's size) or "noise" (uniform white noise).
        seed: of the noise; drawn on the CPU, so that it is the same on every device.
    """
    content = scene.content
    if init == "color":
        start = color_start(content, scene.style, scene.content_masks, scene.style_masks)
        return start.to(content.device)
    if init == "content":
        return content.clone()
    if init == "style":
        return resize(scene.style, image_size(content))
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed))
    return noise.to(content.device)
