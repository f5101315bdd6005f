"""Cheap pictures of half-finished latents: a fixed linear map from latent channels to red, green and blue."""

from typing import Final

import torch
from torch import Tensor

from diffusion.values import Network

# Least-squares fits of decoded pictures (-1..1) to their scaled latents, a row a latent channel; the last
# row is the offset.
_MAPS: Final = {
    "sd1": (
        (0.3512, 0.2297, 0.3227),
        (0.3250, 0.4974, 0.2350),
        (-0.2829, 0.1762, 0.2721),
        (-0.2120, -0.2616, -0.7177),
        (0.0, 0.0, 0.0),
    ),
    "sdxl": (
        (0.3651, 0.4232, 0.4341),
        (-0.2533, -0.0042, 0.1068),
        (0.1076, 0.1111, -0.0362),
        (-0.3165, -0.2492, -0.2188),
        (0.1084, -0.0175, -0.0011),
    ),
}


def latent_to_rgb(network: Network, latent: Tensor) -> Tensor:
    """A small picture (H/8, W/8, 3) of bytes for the first item of a network's latent (B, 4, H/8, W/8)."""
    table = torch.tensor(_MAPS["sdxl" if network.family.base.startswith("sdxl") else "sd1"])
    pixels = latent[0].float().cpu().movedim(0, -1) @ table[:4] + table[4]
    return ((pixels + 1) / 2).clamp(0, 1).mul(255).round().to(torch.uint8)
