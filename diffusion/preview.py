"""Cheap pictures of half-finished latents: a linear map from latent channels to red, green and blue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from diffusion.values import Network, Vae

# For the published autoencoders: a row for each channel of the scaled latent, then the offset, to colours
# in -1..1.
_MAPS: Final = {
    "sd1": (
        (0.298, 0.207, 0.208),
        (0.187, 0.286, 0.173),
        (-0.158, 0.189, 0.264),
        (-0.184, -0.271, -0.473),
        (0.0, 0.0, 0.0),
    ),
    "sdxl": (
        (0.471, 0.471, 0.471),
        (-0.471, -0.039, 0.078),
        (0.196, 0.118, -0.039),
        (-0.549, -0.392, -0.275),
        (0.176, 0.098, 0.020),
    ),
}
PUBLISHED_WIDTH: Final = 128
"""The first level's width of the published autoencoders, whose latents the fixed maps are for."""


@dataclass(frozen=True)
class LatentPreview:
    """The linear map of one autoencoder, fitted to what it decodes when it is first asked for."""

    vae: Vae
    scale: float

    @cached_property
    def table(self) -> Tensor:
        """(C + 1, 3): colours in -1..1 for scaled latents and a constant 1, by least squares."""
        generator = torch.Generator().manual_seed(0)
        coarse = torch.randn(6, self.vae.latent_channels, 4, 4, generator=generator)
        latents = F.interpolate(coarse, size=(8, 8), mode="bilinear") * 1.5
        pictures = self.vae.decode(latents / self.scale).movedim(-1, 1) * 2 - 1
        colours = F.adaptive_avg_pool2d(pictures, 8).movedim(1, -1).reshape(-1, 3)
        values = latents.movedim(1, -1).reshape(-1, latents.shape[1])
        return torch.linalg.lstsq(F.pad(values, (0, 1), value=1.0), colours).solution


def preview_of(vae: Vae | None, scale: float) -> LatentPreview | None:
    """A fitted preview for an autoencoder of one's own; None for the published ones, whose maps are known."""
    if vae is None or vae.layout.channels[0] == PUBLISHED_WIDTH:
        return None
    return LatentPreview(vae, scale)


def latent_to_rgb(network: Network, latent: Tensor) -> Tensor:
    """A small picture (H/8, W/8, 3) of bytes for the first item of a network's latent (B, C, H/8, W/8)."""
    table = network.preview.table if network.preview else torch.tensor(_MAPS[_map_name(network)])
    pixels = latent[0].float().cpu().movedim(0, -1) @ table[:-1] + table[-1]
    return ((pixels + 1) / 2).clamp(0, 1).mul(255).round().to(torch.uint8)


def _map_name(network: Network) -> str:
    return "sdxl" if network.family.base.startswith("sdxl") else "sd1"
