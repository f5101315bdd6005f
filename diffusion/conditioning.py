"""Conditionings put together and marked: averages, joins, masks, and what special networks are shown."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.controlnet import fit_picture
from diffusion.latents import crop_to_multiple
from diffusion.values import Conditioning, Latent, Vae

MULTIPLE = 8


def with_keys(conditioning: Conditioning, **keys: Any) -> Conditioning:
    """The same text with these facts about where, when and how strongly it counts."""
    return [[text, {**facts, **keys}] for text, facts in conditioning]


def average(to: Conditioning, source: Conditioning, strength: float) -> Conditioning:
    """Every item of `to` times strength, plus the first item of `source` times the rest.

    The source is cut, or filled up with zeros, to each item's length.
    """
    other, facts = source[0]
    pooled = facts.get("pooled_output")
    return [
        [_mixed(text, _fitted(other, text), strength), {**keys, **_mixed_pooled(keys, pooled, strength)}]
        for text, keys in to
    ]


def _fitted(other: Tensor, text: Tensor) -> Tensor:
    cut = other[:, : text.shape[1]]
    return F.pad(cut, (0, 0, 0, text.shape[1] - cut.shape[1]))


def _mixed(a: Tensor, b: Tensor, strength: float) -> Tensor:
    return a * strength + b * (1.0 - strength)


def _mixed_pooled(keys: dict[str, Any], pooled: Tensor | None, strength: float) -> dict[str, Any]:
    if pooled is None:
        return {}
    return {"pooled_output": _mixed(keys.get("pooled_output", pooled), pooled, strength)}


def concat(to: Conditioning, source: Conditioning) -> Conditioning:
    """Every item of `to` with the words of the first item of `source` after its own."""
    return [[torch.cat((text, source[0][0]), dim=1), dict(keys)] for text, keys in to]


def zeroed(conditioning: Conditioning) -> Conditioning:
    """Zeros in place of text and pooled text."""
    return [
        [
            torch.zeros_like(text),
            {**keys, **{n: torch.zeros_like(keys[n]) for n in ("pooled_output",) if keys.get(n) is not None}},
        ]
        for text, keys in conditioning
    ]


def masked(conditioning: Conditioning, mask: Tensor, strength: float, to_bounds: bool) -> Conditioning:
    """The conditioning counts where a mask (B, H, W) says; to_bounds: only there is it computed at all."""
    mask = mask[None] if mask.ndim < 3 else mask
    return with_keys(conditioning, mask=mask, set_area_to_bounds=to_bounds, mask_strength=strength)


def inpainting(vae: Vae, pixels: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Latent]:
    """What an inpainting network is shown, and the latent to start from.

    pixels: (B, H, W, 3); mask: (B, H, W), 1 where the picture is to be new.

    Returns:
        The latent of the picture with grey in place of what the mask covers, the mask (B, 1, H, W) cut to a
        multiple of 8, and the latent of the whole picture.
    """
    size = (pixels.shape[1], pixels.shape[2])
    mask = F.interpolate(mask.reshape(-1, 1, *mask.shape[-2:]).float(), size=size, mode="bilinear")
    shown = crop_to_multiple(pixels[..., :3], MULTIPLE)
    mask = crop_to_multiple(mask.movedim(1, -1), MULTIPLE).movedim(-1, 1)
    kept = (1.0 - mask.round()).movedim(1, -1)
    covered = (shown - 0.5) * kept + 0.5
    return vae.encode(covered), mask, {"samples": vae.encode(pixels)}


def editing(vae: Vae, pixels: Tensor) -> tuple[Tensor, Latent]:
    """What an InstructPix2Pix network is shown of pictures (B, H, W, 3), and an empty latent of that size."""
    shown = vae.encode(crop_to_multiple(pixels, MULTIPLE))
    return shown, {"samples": torch.zeros_like(shown)}


def enlarging(images: Tensor, scale: float) -> tuple[Tensor, Latent]:
    """What the ×4 upscaling network is shown of pictures (B, H, W, 3), in -1..1, and the latent to start on.

    The network enlarges four times, so it is shown the picture at a quarter of the wanted size.
    """
    width = max(1, round(images.shape[-2] * scale)) // 4
    height = max(1, round(images.shape[-3] * scale)) // 4
    shown = fit_picture(images.movedim(-1, 1) * 2.0 - 1.0, width, height, "bilinear")
    return shown, {"samples": torch.zeros(images.shape[0], 4, height, width)}
