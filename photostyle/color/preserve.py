"""The content's colours kept under another picture's style.

Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer" (arXiv 1606.05897): either
only the brightness is styled (section 3), or the style takes the content's colours first
(section 2), for which the colour start is used with the roles exchanged.
"""

from dataclasses import replace

from torch import Tensor

from photostyle.color.transfer import color_start
from photostyle.matting.grid import brightness
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Scene


def prepared(scene: Scene, how: str) -> Scene:
    """What the optimiser is to see.

    Args:
        how: "none"; "luminance", all pictures in grey and the styles with the content's mean and
            deviation; "match", the styles in the content's colours, region by region.
    """
    if how == "luminance":
        content = _grey(scene.content)
        style, *more = (
            _levelled(_grey(x), weight, content, scene.weights[0]) for x, weight in scene.styles
        )
        return replace(scene, content=content, style=style, more=tuple(more))
    if how == "match":
        mine, its = scene.weights
        style = color_start(
            scene.style, scene.content, scene.style_masks, scene.counted, weights=(its, mine)
        )
        whole = counted(scene.content_masks.new_ones(1, *scene.content.shape[2:]), mine)
        more = [
            color_start(x, scene.content, whole.new_ones(1, *x.shape[2:]), whole, weights=(w, mine))
            for x, w in scene.styles[1:]
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


def _levelled(style: Tensor, weight: Tensor | None, content: Tensor, own: Tensor | None) -> Tensor:
    """A grey style with the mean and deviation of a grey content, by the weights of both."""
    (mean, deviation), (wanted, spread) = _level(style, weight), _level(content, own)
    gain = spread / deviation.clamp(min=1e-6)
    return ((style - mean) * gain + wanted).clamp(0.0, 1.0)


def _level(grey: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of a picture."""
    if weight is None:
        return grey.mean(), grey.std()
    shares = weight.to(grey) / weight.sum()
    mean = (shares * grey[0, 0]).sum()
    return mean, (shares * (grey[0, 0] - mean).square()).sum().sqrt()
