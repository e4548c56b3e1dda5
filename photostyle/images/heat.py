"""Heat maps: where something is, laid over the dimmed picture."""

import cv2
import numpy as np
import torch
from torch import Tensor

from photostyle.images.picture import LUMA

_LUMA = np.array(LUMA, np.float32)


def heat_picture(strength: Tensor, picture: Tensor) -> Tensor:
    """A map over a picture: 1×3×H×W float32 in [0, 1], on the map's device.

    The picture in dimmed grey where the map is 0; from there through violet and orange to pale
    yellow where it is 1.

    Args:
        strength: H×W float32 in [0, 1].
        picture: 1×3×H×W in [0, 1].
    """
    values = strength.detach().cpu().numpy()
    levels = np.rint(values * 255).astype(np.uint8)
    ramp = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32) / 255
    grey = 0.6 * (picture.detach()[0].permute(1, 2, 0).cpu().numpy() @ _LUMA)
    # The ramp starts at black, so that what is laid over adds nothing where there is nothing.
    shown = (grey * (1 - values))[..., None] + ramp
    planes = np.ascontiguousarray(shown.clip(0, 1).transpose(2, 0, 1), np.float32)
    return torch.from_numpy(planes)[None].to(strength.device)  # 1×3×H×W
