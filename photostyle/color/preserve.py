"""The content's colours kept under another picture's style.

Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer" (arXiv 1606.05897): either
only the brightness is styled (section 3), or the style takes the content's colours first
(section 2), for which the colour start is used with the roles exchanged.
"""

from dataclasses import replace

from torch import Tensor

from photostyle.color.transfer import color_start
from photostyle.matting.grid import brightness
from photostyle.segmentation.scene import Scene


def prepared(scene: Scene, how: str) -> Scene:
    """What the optimiser is to see.

    Args:
        how: "none"; "luminance", all pictures in grey and the styles with the content's mean and
            deviation; "match", the styles in the content's colours, region by region.
    """
    if how == "luminance":
        content = _grey(scene.content)
        style, *more = (_levelled(_grey(x), content) for x in (scene.style, *scene.more))
        return replace(scene, content=content, style=style, more=tuple(more))
    if how == "match":
        style = color_start(scene.style, scene.content, scene.style_masks, scene.content_masks)
        whole = scene.content_masks.new_ones(1, *scene.content.shape[2:])
        more = [
            color_start(x, scene.content, whole.new_ones(1, *x.shape[2:]), whole)
            for x in scene.more
        ]
        return replace(scene, style=style, more=tuple(more))
    return scene


def recombined(image: Tensor, content: Tensor, how: str) -> Tensor:
    """The finished picture of the optimised one, both 1×3×H×W in [0, 1]: with "luminance" the
    content at the image's brightness, whose YIQ chroma stays where it fits into [0, 1]."""
    if how != "luminance":
        return image
    return (content + brightness(image) - brightness(content)).clamp(0.0, 1.0)


def _grey(image: Tensor) -> Tensor:
    return brightness(image).expand_as(image).contiguous()


def _levelled(style: Tensor, content: Tensor) -> Tensor:
    gain = content.std() / style.std().clamp(min=1e-6)
    return ((style - style.mean()) * gain + content.mean()).clamp(0.0, 1.0)
