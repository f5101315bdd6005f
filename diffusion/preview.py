"""Cheap pictures of half-finished latents: a linear map from channels to colours, or a tiny decoder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.tensors import open_tensors
from diffusion.weights import assign, hollow

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


TINY_DECODERS: Final = {"sd1": "taesd_decoder", "sdxl": "taesdxl_decoder"}
"""What the tiny decoders of latents are called in models/vae_approx, by the latents they are for."""


def tiny_decoder_name(network: Network) -> str:
    """What a tiny decoder for a network's latents is called, without the file's ending."""
    return TINY_DECODERS[_map_name(network)]


@dataclass(frozen=True)
class TinyDecoder:
    """TAESD (Bohan 2023): a few convolutions that decode latents in a fraction of an autoencoder's time."""

    module: Any

    @torch.no_grad()
    def picture(self, latent: Tensor) -> Tensor:
        """The first item of a network's latent (B, C, H/8, W/8) as bytes (H, W, 3)."""
        colours = self.module(latent[:1].float().cpu())[0].movedim(0, -1)
        return ((colours + 1) / 2).clamp(0, 1).mul(255).round().to(torch.uint8)


def load_tiny_decoder(path: Path) -> TinyDecoder:
    """The tiny decoder in a file, in its authors' names or diffusers'. Raises DiffusionError for another
    file."""
    from diffusers.models.autoencoders.vae import DecoderTiny

    tensors = {_tiny_name(name): tensor.float() for name, tensor in open_tensors(path).items()}
    first = tensors.get("layers.0.weight")
    if first is None or first.ndim != 4:
        raise DiffusionError(f"{path.name} is no TAESD decoder. Take it out of models/vae_approx.")
    module = hollow(
        lambda: DecoderTiny(
            in_channels=first.shape[1],
            out_channels=3,
            num_blocks=(3, 3, 3, 1),
            block_out_channels=(first.shape[0],) * 4,
            upsampling_scaling_factor=2,
            act_fn="relu",
            upsample_fn="nearest",
        )
    )
    assign(module, tensors, path.name)
    return TinyDecoder(module)


def _tiny_name(name: str) -> str:
    """A weight's name in diffusers' module. The authors count one layer more, which has no weights."""
    if name.startswith("decoder."):
        return name.removeprefix("decoder.")
    number, _, rest = name.partition(".")
    return f"layers.{int(number) - 1}.{rest}" if number.isdecimal() else name


def _map_name(network: Network) -> str:
    return "sdxl" if network.family.base.startswith("sdxl") else "sd1"
