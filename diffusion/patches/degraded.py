"""Guidance away from a worse picture of the network's own: perturbed and self-attention guidance."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.guidance import predictions
from diffusion.unet import attend
from diffusion.values import Model

Said = dict[str, Any]
BLUR_WIDTH = 9
"""Taps of self-attention guidance's blur, in latent pixels."""


def perturbed_attention(model: Model, scale: float) -> Model:
    """Away from the picture that the network makes when its middle looks at nothing else than each place
    itself (Ahn et al. 2024, "PAG")."""

    def patch(said: Said) -> Tensor:
        if scale == 0:
            return said["denoised"]
        worse = Model(said["model"], model_options=dict(said["model_options"]))
        worse.model_options["transformer_options"] = dict(said["model_options"]["transformer_options"])
        worse.set_model_attn1_replace(lambda q, k, v, options: v, "middle", 0)
        [perturbed] = predictions(worse, [said["cond"]], said["input"], said["sigma"], worse.model_options)
        return said["denoised"] + (said["cond_denoised"] - perturbed) * scale

    patched = model.clone()
    patched.set_model_sampler_post_cfg_function(patch)
    return patched


def attention_weights(q: Tensor, k: Tensor, heads: int) -> Tensor:
    """Softmaxed scores (B, heads, T, T') of (B, T, heads·width) tensors."""
    q, k = (t.unflatten(-1, (heads, -1)).transpose(1, 2).float() for t in (q, k))
    return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)


def gaussian_blur(x: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) blurred over 9 × 9 latent pixels, mirrored at the edges; sigma in latent pixels."""
    if sigma == 0:
        return x
    reach = BLUR_WIDTH // 2
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=x.device) / sigma) ** 2)
    taps = (taps / taps.sum()).to(x.dtype)
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(F.pad(x, [reach] * 4, mode="reflect"), kernel, groups=x.shape[1])


def map_size(total: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of a map with `total` places whose shape is nearest to height × width."""
    rows = round(math.sqrt(height / width * total))
    near = (n for i in range(math.floor(math.sqrt(total) / 2)) for n in (rows + i, max(1, rows - i)))
    rows = next((n for n in near if total % n == 0), 1)
    return rows, total // rows


def blur_where_looked_at(clean: Tensor, weights: Tensor, sigma: float, threshold: float = 1.0) -> Tensor:
    """A clean image (B, C, H, W), blurred where other places look: where attention (B, heads, T, T), averaged
    over heads and summed over who looks, exceeds the threshold."""
    height, width = clean.shape[-2:]
    looked_at = (weights.mean(1).sum(1) > threshold).to(clean.dtype)
    looked_at = looked_at.reshape(-1, 1, *map_size(looked_at.shape[-1], height, width))
    mask = F.interpolate(looked_at, (height, width))
    return gaussian_blur(clean, sigma) * mask + clean * (1 - mask)


def self_attention(model: Model, scale: float, blur_sigma: float) -> Model:
    """Away from the picture with the places blurred that its middle looks at most (Hong et al. 2022, "SAG").

    blur_sigma: in latent pixels.
    """
    seen: list[Tensor] = []

    def record(q: Tensor, k: Tensor, v: Tensor, options: Said) -> Tensor:
        heads, sides = options["n_heads"], options["cond_or_uncond"]
        if 1 in sides:
            each, at = q.shape[0] // len(sides), sides.index(1)
            part = slice(each * at, each * (at + 1))
            seen[:] = [attention_weights(q[part], k[part], heads)]
        return attend(q, k, v, heads)

    def patch(said: Said) -> Tensor:
        x, guided, uncond = said["input"], said["denoised"], said["uncond_denoised"]
        if said["uncond"] is None or not seen or min(guided.shape[2:]) <= BLUR_WIDTH // 2:
            return guided
        worse = blur_where_looked_at(uncond, seen.pop().to(uncond.device), blur_sigma)
        [again] = predictions(
            Model(said["model"]),
            [said["uncond"]],
            worse + x - uncond,
            said["sigma"],
            said["model_options"],
        )
        return guided + (worse - again) * scale

    patched = model.clone()
    patched.set_model_sampler_post_cfg_function(patch, disable_cfg1_optimization=True)
    patched.set_model_attn1_replace(record, "middle", 0, 0)
    return patched
