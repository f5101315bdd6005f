"""Pictures ↔ latents. A picture is float (B, H, W, 3) in 0..1; a latent is unscaled (B, C, H/8, W/8)."""

from typing import Any

import torch
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.values import Latent, Vae
from diffusion.weights import ready


def empty(width: int, height: int, batch: int = 1) -> Latent:
    """A latent of zeros for pictures of this size; sizes are cut to multiples of 8."""
    if width < 8 or height < 8 or batch < 1:
        raise DiffusionError(
            f"an empty latent of {batch} × {width}×{height} cannot be: 8×8 and one are the least."
        )
    return {"samples": torch.zeros(batch, 4, height // 8, width // 8)}


def encode(vae: Vae, image: Tensor) -> Latent:
    """The latent of a picture. It is the posterior's mean, not a draw: the same picture gives the same
    latent."""
    return {"samples": encode_pixels(vae, image)}


def decode(vae: Vae, latent: Latent) -> Tensor:
    """The picture (B, H, W, 3) in 0..1 of a latent."""
    return decode_samples(vae, latent["samples"])


@torch.no_grad()
def encode_pixels(vae: Vae, pixels: Tensor) -> Tensor:
    """Pixels (B, H, W, >=3) → unscaled latent; the picture is cropped evenly to multiples of 8."""
    if pixels.ndim != 4 or pixels.shape[-1] < 3:
        raise DiffusionError(
            f"a picture has shape (batch, height, width, 3), this has {tuple(pixels.shape)}."
        )
    module: Any = _ready(vae)
    pixels = crop_to_multiple(pixels[..., :3], vae.downscale_ratio).movedim(-1, 1) * 2 - 1
    moments = [_moments(module, part.to(vae.device, vae.compute.vae_dtype)) for part in pixels.split(1)]
    return torch.cat(moments)[:, : vae.latent_channels].float().cpu()


def _moments(module: Any, pixels: Tensor) -> Tensor:
    hidden = module.encoder(pixels)
    return hidden if module.quant_conv is None else module.quant_conv(hidden)


@torch.no_grad()
def decode_samples(vae: Vae, samples: Tensor) -> Tensor:
    """Unscaled latent → picture."""
    if samples.ndim != 4 or samples.shape[1] != vae.latent_channels:
        raise DiffusionError(
            f"this VAE decodes latents of {vae.latent_channels} channels, "
            f"this latent has shape {tuple(samples.shape)}."
        )
    module: Any = _ready(vae)
    parts = [_picture(module, part.to(vae.device, vae.compute.vae_dtype)) for part in samples.split(1)]
    return torch.cat(parts).movedim(1, -1)


def _picture(module: Any, latent: Tensor) -> Tensor:
    hidden = latent if module.post_quant_conv is None else module.post_quant_conv(latent)
    return module.decoder(hidden).float().cpu().add_(1).div_(2).clamp_(0, 1)


def _ready(vae: Vae) -> Any:
    ready(vae.first_stage_model, vae.device, vae.compute.vae_dtype)
    return vae.first_stage_model


def crop_to_multiple(pixels: Tensor, multiple: int) -> Tensor:
    """(B, H, W, C) cropped evenly at all sides so that H and W are multiples."""
    height, width = (size // multiple * multiple for size in pixels.shape[1:3])
    if not height or not width:
        raise DiffusionError(
            f"a picture of {pixels.shape[2]}×{pixels.shape[1]} is too small: "
            f"{multiple}×{multiple} is the least."
        )
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return pixels[:, top : top + height, left : left + width]


def with_noise_mask(latent: Latent, mask: Tensor) -> Latent:
    """The latent, to be sampled only where the mask (B, H, W) is above 0."""
    return {**latent, "noise_mask": mask.reshape(-1, 1, *mask.shape[-2:])}
