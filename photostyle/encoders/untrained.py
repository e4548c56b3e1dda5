"""A network that nothing was trained with: VGG-19's shape with random weights, always the same.

Its statistics still tell textures apart, and as no method optimises them, none is favoured.
Sources: He, Wang, Hopcroft 2016, "A Powerful Generative Model Using Random Weights for the Deep
Image Representation" · Ustyuzhaninov et al. 2017, "What does it take to generate natural textures?"
"""

import torch

from photostyle.encoders.vgg import VggEncoder

#: Channels of the first convolutions' blocks up to relu4_1, by torchvision's index.
CHANNELS = {0: 16, 2: 16, 5: 32, 7: 32, 10: 64, 12: 64, 14: 64, 16: 64, 19: 128}


def untrained() -> VggEncoder:
    """The network: a quarter of VGG-19's width, up to relu4_1, with He et al.'s variances."""
    random = torch.Generator().manual_seed(0)
    weights, inputs = {}, 3
    for index, outputs in CHANNELS.items():
        kernel = torch.randn(outputs, inputs, 3, 3, generator=random)
        # Blind to what is even: else colour and brightness outweigh all texture.
        kernel -= kernel.mean(dim=(1, 2, 3), keepdim=True)
        weights[f"features.{index}.weight"] = kernel * (2 / (9 * inputs)) ** 0.5
        weights[f"features.{index}.bias"] = torch.zeros(outputs)
        inputs = outputs
    return VggEncoder(weights, name="random VGG-19")
