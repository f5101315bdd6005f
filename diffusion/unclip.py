"""unCLIP (Ramesh et al. 2022) as Stable Diffusion 2.1 does it: pictures, with noise on their embeddings, are
the vector conditioning."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.loading import open_tensors
from diffusion.unet import timestep_embedding
from diffusion.values import Conditioning, Model

LEVELS: Final = 1000
MERGE: Final = 0.05
"""The part of the noise that goes on a sum of several pictures."""
STATISTICS: Final = ("noise_augmentor.data_mean", "noise_augmentor.data_std")
_SEED_SHIFT: Final = -10


def with_picture(conditioning: Conditioning, output: Any, strength: float, noise: float) -> Conditioning:
    """Conditioning with one more picture (a ClipVisionOutput), its strength and the noise, 0..1, on it."""
    if strength == 0:
        return conditioning
    item = {"clip_vision_output": output, "strength": strength, "noise_augmentation": noise}
    return [
        [text, {**keys, "unclip_conditioning": [*keys.get("unclip_conditioning", ()), item]}]
        for text, keys in conditioning
    ]


@dataclass(frozen=True)
class Augmentor:
    """Puts noise on picture embeddings (1, W): mean and spread of the embeddings that it was trained with."""

    mean: Tensor
    spread: Tensor

    def __call__(self, embedding: Tensor, level: int, seed: int) -> Tensor:
        """The embedding at a noise level, 0 to 999, beside that level's waves: (1, 2 W)."""
        noise = torch.randn(embedding.shape, generator=torch.Generator().manual_seed(seed % 2**64))
        kept = _kept()[level]
        clean = (embedding - self.mean) / self.spread
        noisy = (kept.sqrt() * clean + (1 - kept).sqrt() * noise) * self.spread + self.mean
        return torch.cat([noisy, timestep_embedding(torch.tensor([level]), self.mean.shape[1])], dim=1)


@lru_cache(maxsize=1)
def _kept() -> Tensor:
    """How much of the signal's variance is left at each level of the cosine schedule (Nichol and Dhariwal
    2021)."""
    at = torch.arange(LEVELS + 1, dtype=torch.float64) / LEVELS
    signal = torch.cos((at + 0.008) / 1.008 * torch.pi / 2) ** 2
    betas = (1 - signal[1:] / signal[:-1]).clamp(max=0.999)
    return torch.cumprod(1 - betas, dim=0).float()


def augmentor_of(model: Model, width: int) -> Augmentor:
    """The augmentor of a model's file; one that changes nothing but by noise where the file has none."""
    tensors = open_tensors(model.path) if model.path is not None else {}
    if not all(name in tensors for name in STATISTICS):
        return Augmentor(torch.zeros(1, width), torch.ones(1, width))
    return Augmentor(*(tensors[name].float().reshape(1, -1) for name in STATISTICS))


def unclip_vector(items: Sequence[dict[str, Any]], augmentor: Augmentor, seed: int) -> Tensor:
    """The vector (1, 2 W) that stands for pictures, each weighed by its strength."""
    width = augmentor.mean.shape[1]
    found = [
        augmentor(_checked(embedding, width)[None], _level(item["noise_augmentation"]), seed)
        * item["strength"]
        for item in items
        for embedding in item["clip_vision_output"].image_embeds.float()
    ]
    if len(found) == 1:
        return found[0]
    return augmentor(torch.stack(found).sum(0)[:, :width], _level(MERGE), seed)


def _level(part: float) -> int:
    return round((LEVELS - 1) * part)


def _checked(embedding: Tensor, width: int) -> Tensor:
    if embedding.shape[-1] != width:
        raise DiffusionError(
            f"the picture's embedding has {embedding.shape[-1]} values, this unCLIP model takes {width}. "
            "Use the CLIP vision model that belongs to it, which unCLIPCheckpointLoader gives."
        )
    return embedding


def vector_of(model: Model, keys: dict[str, Any], width: int, seed: int | None) -> Tensor:
    """The vector conditioning of an unCLIP model: zeros where no picture was given."""
    items = keys.get("unclip_conditioning")
    if not items:
        return torch.zeros(1, width)
    return unclip_vector(items, augmentor_of(model, width // 2), (seed or 0) + _SEED_SHIFT)


def pooled_of(keys: dict[str, Any], seed: int | None, width: int) -> Tensor | None:
    """The pooled text of an SDXL conditioning, or pictures in its place ("revision")."""
    items = keys.get("unclip_conditioning")
    if not items:
        return keys.get("pooled_output")
    plain = Augmentor(torch.zeros(1, width), torch.ones(1, width))
    return unclip_vector(items, plain, (seed or 0) + _SEED_SHIFT)[:, :width]
