"""Pictures ↔ latents. A picture is float (B, H, W, 3) in 0..1; a latent is unscaled (B, C, H/8, W/8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion import tiling
from diffusion.devices import free_memory, is_out_of_memory
from diffusion.errors import DiffusionError
from diffusion.values import Latent, Vae
from diffusion.weights import ready

SMALLEST_TILE: Final = 64
LARGEST_TILE: Final = 512
"""The sides in pixels of tiles that are chosen when memory is short."""


@dataclass(frozen=True, slots=True)
class Care:
    """How an autoencoder is to run: in tiles of so many pixels a side (None: at once if memory allows), what
    is told when it had to run in another way, and what stops it by raising."""

    tile: int | None = None
    tell: Callable[[str], None] = lambda message: None
    check: Callable[[], None] = lambda: None


CARELESS: Final = Care()


def empty(width: int, height: int, batch: int = 1) -> Latent:
    """A latent of zeros for pictures of this size; sizes are cut to multiples of 8."""
    if width < 8 or height < 8 or batch < 1:
        raise DiffusionError(
            f"an empty latent of {batch} × {width}×{height} cannot be: 8×8 and one are the least."
        )
    return {"samples": torch.zeros(batch, 4, height // 8, width // 8)}


def encode(vae: Vae, image: Tensor, care: Care = CARELESS) -> Latent:
    """The latent of a picture. It is the posterior's mean, not a draw: the same picture gives the same
    latent."""
    return {"samples": encode_pixels(vae, image, care)}


def decode(vae: Vae, latent: Latent, care: Care = CARELESS) -> Tensor:
    """The picture (B, H, W, 3) in 0..1 of a latent."""
    return decode_samples(vae, latent["samples"], care)


@torch.no_grad()
def encode_pixels(vae: Vae, pixels: Tensor, care: Care = CARELESS) -> Tensor:
    """Pixels (B, H, W, >=3) → unscaled latent; the picture is cropped evenly to multiples of 8."""
    if pixels.ndim != 4 or pixels.shape[-1] < 3:
        raise DiffusionError(
            f"a picture has shape (batch, height, width, 3), this has {tuple(pixels.shape)}."
        )
    pixels = crop_to_multiple(pixels[..., :3], vae.downscale_ratio).movedim(-1, 1) * 2 - 1
    size = (pixels.shape[-2], pixels.shape[-1])
    moments = [
        _carefully(vae, part, care, _moments, tiling.encode, size, f"encode a picture of {_size(part)}")
        for part in pixels.split(1)
    ]
    return torch.cat(moments)[:, : vae.latent_channels]


def _moments(module: Any, pixels: Tensor) -> Tensor:
    hidden = module.encoder(pixels)
    return hidden if module.quant_conv is None else module.quant_conv(hidden)


@torch.no_grad()
def decode_samples(vae: Vae, samples: Tensor, care: Care = CARELESS) -> Tensor:
    """Unscaled latent → picture."""
    if samples.ndim != 4 or samples.shape[1] != vae.latent_channels:
        raise DiffusionError(
            f"this VAE decodes latents of {vae.latent_channels} channels, "
            f"this latent has shape {tuple(samples.shape)}."
        )
    size = (samples.shape[-2] * vae.downscale_ratio, samples.shape[-1] * vae.downscale_ratio)
    parts = [
        _carefully(vae, part, care, _picture, tiling.decode, size, f"decode a latent of {_size(part)}")
        for part in samples.split(1)
    ]
    return torch.cat(parts).add_(1).div_(2).clamp_(0, 1).movedim(1, -1)


def _picture(module: Any, latent: Tensor) -> Tensor:
    hidden = latent if module.post_quant_conv is None else module.post_quant_conv(latent)
    return module.decoder(hidden)


def _size(x: Tensor) -> str:
    return f"{x.shape[-1]}×{x.shape[-2]}"


Whole = Callable[[Any, Tensor], Tensor]
Tiled = Callable[[Any, Tensor, tiling.Tiler], Tensor]


def _carefully(
    vae: Vae, x: Tensor, care: Care, whole: Whole, tiled: Tiled, size: tuple[int, int], what: str
) -> Tensor:
    """One item through the autoencoder: in tiles when asked or when memory is short, in fp32 when a smaller
    dtype makes values that are no numbers. size: the picture's height and width in pixels."""
    tile, made = care.tile, None
    if tile is None and _peak(vae, size) > free_memory(vae.device):
        tile = _smaller(max(size), what, care)
    dtype = vae.compute.vae_dtype
    while made is None:
        try:
            made = _run(vae, x, dtype, tile, care, whole, tiled)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or (tile is not None and tile <= SMALLEST_TILE):
                raise
            tile = _smaller(tile or max(size), what, care)
            continue
        if made.isfinite().all():
            return made
        if dtype == torch.float32 or not x.isfinite().all():
            raise DiffusionError(
                f"to {what} gives values that are no numbers: the {'VAE' if x.isfinite().all() else 'input'} "
                "is damaged. Use another VAE, or look at what comes before it."
            )
        care.tell(f"To {what} in {str(dtype).rpartition('.')[2]} gave no numbers: it was done again in fp32.")
        dtype, made = torch.float32, None
    return made


def _smaller(size: int, what: str, care: Care) -> int:
    tile = max(SMALLEST_TILE, min(LARGEST_TILE, size // 2))
    care.tell(f"Memory is too short to {what} as asked: it is done in tiles of {tile} pixels.")
    return tile


def _peak(vae: Vae, size: tuple[int, int]) -> int:
    """Bytes that a picture takes in the autoencoder at once: four copies of its widest values."""
    return 4 * size[0] * size[1] * 2 * vae.layout.channels[0] * vae.compute.vae_dtype.itemsize


def _run(
    vae: Vae, x: Tensor, dtype: torch.dtype, tile: int | None, care: Care, whole: Whole, tiled: Tiled
) -> Tensor:
    module: Any = vae.first_stage_model
    ready(module, vae.device, dtype)
    if tile is None:
        return whole(module, x.to(vae.device, dtype)).float().cpu()
    return tiled(module, x, tiling.Tiler(tile, vae.device, dtype, care.check)).float()


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


def for_inpainting(vae: Vae, pixels: Tensor, mask: Tensor, grow: int, care: Care = CARELESS) -> Latent:
    """The latent of a picture that is grey where it is to be painted anew, with the mask as its noise mask.

    pixels: (B, H, W, 3); mask: (B, H', W'), 1 where it is painted, rounded; grow: by how many pixels the
    noise mask is wider than what is grey, in all.
    """
    mask = F.interpolate(mask.reshape(-1, 1, *mask.shape[-2:]), pixels.shape[1:3], mode="bilinear").round()
    pixels, mask = (crop_to_multiple(p, vae.downscale_ratio) for p in (pixels[..., :3], mask.movedim(1, -1)))
    kept = (pixels - 0.5) * (1.0 - mask) + 0.5
    return {"samples": encode_pixels(vae, kept, care), "noise_mask": grown(mask.movedim(-1, 1), grow)}


def grown(mask: Tensor, by: int) -> Tensor:
    """A mask (B, 1, H, W) of zeros and ones, wider by so many pixels in all; of an odd rest more lies below
    and to the right."""
    if by == 0:
        return mask
    before = by // 2
    padded = F.pad(mask, (before, by - 1 - before, before, by - 1 - before))
    return F.max_pool2d(padded, by, stride=1)


def with_noise_mask(latent: Latent, mask: Tensor) -> Latent:
    """The latent, to be sampled only where the mask (B, H, W) is above 0."""
    return {**latent, "noise_mask": mask.reshape(-1, 1, *mask.shape[-2:])}
