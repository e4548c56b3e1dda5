"""Starting pictures: what the first solve begins with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.color.matching import Matches, changed, match_regions, match_whole
from photostyle.color.transfer import color_start
from photostyle.images.picture import image_size, resize
from photostyle.segmentation.scene import Scene


@dataclass(frozen=True)
class Start:
    """What a run begins with.

    Attributes:
        picture: 1×3×H×W in [0, 1] at the content's size, on its device.
        matches: the regions' matched maps; None where the start is not of colours.
    """

    picture: Tensor
    matches: Matches | None = None


def start_of(
    scene: Scene, init: str, seed: int, as_one: bool = False, matches: Matches | None = None
) -> Start:
    """The start that `init` names; "color" follows the matches as far as the pictures are akin.

    Args:
        as_one: the pictures are matched as a whole, whatever regions they have.
        matches: those of the scene, where they are known.
    """
    if init != "color":
        return Start(start_image(scene, init, seed))
    if matches is None:
        match = match_whole if as_one else match_regions
        matches = match(*scene.pair, scene.weights)
    if (matches.kinship == 1).all():
        return Start(changed(scene.content, scene.content_masks, matches), matches)
    picture = start_image(scene, init, seed)
    if matches.kinship.any():
        kin = torch.from_numpy(matches.kinship).float()[:, None, None]
        share = (kin * scene.content_masks.cpu()).sum(dim=0).to(picture)
        picture = torch.lerp(picture, changed(scene.content, scene.content_masks, matches), share)
    return Start(picture, matches)


def start_image(scene: Scene, init: str, seed: int) -> Tensor:
    """The picture that optimisation starts from, 1×3×H×W at the content's size, on its device.

    Args:
        init: "color" (content with each region's colours moved to the style's), "content",
            "style" (resized to the content's size) or "noise" (uniform white noise).
        seed: of the noise; drawn on the CPU, so that it is the same on every device.
    """
    content = scene.content
    if init == "color":
        start = color_start(
            content, scene.style, scene.content_masks, scene.style_masks, weights=scene.weights
        )
        return start.to(content.device)
    if init == "content":
        return content.clone()
    if init == "style":
        return resize(scene.style, image_size(content))
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed))
    return noise.to(content.device)
