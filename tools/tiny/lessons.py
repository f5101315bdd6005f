"""What every part that is trained on latents shares: noise, its steps, and the weighted error."""

import torch
from torch import Tensor

from tools.tiny.networks import Unet
from tools.tiny.unet import STEPS, signal_shares, step_weights


def spread_steps(count: int, highest: int = STEPS) -> Tensor:
    """So many noise steps below the highest, one from each even part of them, in random order: (count,)."""
    return ((torch.randperm(count) + torch.rand(count)) * (highest / count)).long().clamp(max=highest - 1)


def noised(clean: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (B, C, H, W) with the noise that belongs to steps (B,), and that noise."""
    noise, share = torch.randn_like(clean), signal_shares()[steps].view(-1, 1, 1, 1)
    return share.sqrt() * clean + (1 - share).sqrt() * noise, noise


def weighted_error(said: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
    """The noise error of a batch, each step weighted as the tiny model's own training does."""
    weights = step_weights(signal_shares())[steps]
    return (weights * (said - noise).square().mean(dim=(1, 2, 3))).mean()


def frozen_error(unet: Unet, clean: Tensor, hidden: Tensor) -> Tensor:
    """The error of the tiny U-Net on latents of what the hidden states say; gradients pass through it."""
    steps = spread_steps(len(clean))
    noisy, noise = noised(clean, steps)
    return weighted_error(unet(noisy, steps, hidden).sample, noise, steps)


def chosen(latents: list[Tensor], picks: list[int]) -> Tensor:
    """Latents by their numbers, as a batch."""
    return torch.stack([latents[i] for i in picks])
