"""Draws held-out prompts with a small sampler of its own and counts the pictures that show what was asked."""

from itertools import pairwise
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tools.detect import shows, shows_all
from tools.scenes import held_scenes, plain_caption
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.text import rows_of
from tools.tiny.unet import LATENT, STEPS, signal_shares
from tools.tiny.vae import SCALE

Parts = tuple[Vae, TextEncoder, Unet]
_SEED: Final = 7


@torch.no_grad()
def draw(parts: Parts, prompts: list[str], cfg: float, steps: int = 16) -> np.ndarray:
    """Pictures of prompts with deterministic DDIM (Song et al. 2020): (N, 128, 128, 3) uint8."""
    vae, text, unet = parts
    hidden = text(input_ids=torch.tensor([rows_of(prompt) for prompt in prompts])).last_hidden_state
    empty = text(input_ids=torch.tensor([rows_of("")])).last_hidden_state.expand_as(hidden)
    x = torch.randn((len(prompts), 4, LATENT, LATENT), generator=torch.Generator().manual_seed(_SEED))
    shares = torch.cat([torch.ones(1), signal_shares()])
    times = torch.linspace(STEPS, 0, steps + 1).round().long()
    for now, then in pairwise(times):
        noise = _guided(unet, x, now - 1, hidden, empty, cfg)
        clean = (x - (1 - shares[now]).sqrt() * noise) / shares[now].sqrt()
        x = shares[then].sqrt() * clean + (1 - shares[then]).sqrt() * noise
    return as_pictures(vae.decode(x / SCALE).sample)


def _guided(unet: Unet, x: Tensor, step: Tensor, hidden: Tensor, empty: Tensor, cfg: float) -> Tensor:
    if cfg == 1:
        return unet(x, step, hidden).sample
    with_text, without = unet(torch.cat([x, x]), step, torch.cat([hidden, empty])).sample.chunk(2)
    return without + cfg * (with_text - without)


def as_pictures(decoded: Tensor) -> np.ndarray:
    """(B, 3, H, W) in -1..1 as (B, H, W, 3) uint8."""
    return ((decoded.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def score(parts: Parts, count: int, cfg: float) -> tuple[float, float, np.ndarray]:
    """The share of held prompts with every shape and colour right, the share with size, place and background
    right too, and the pictures."""
    scenes = held_scenes(count)
    pictures = draw(parts, [plain_caption(scene) for scene in scenes], cfg)
    right = [shows(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]
    whole = [shows_all(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]
    return sum(right) / count, sum(whole) / count, pictures


def sheet(pictures: np.ndarray, across: int = 8) -> np.ndarray:
    """Pictures side by side, as many rows of them as are full."""
    rows = [np.concatenate(list(pictures[at : at + across]), 1) for at in range(0, len(pictures), across)]
    return np.concatenate([row for row in rows if row.shape == rows[0].shape], 0)
