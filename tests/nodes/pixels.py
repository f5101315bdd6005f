"""Random pictures and masks for tests, the same at every run."""

import torch
from torch import Tensor


def picture(height: int = 7, width: int = 9, count: int = 1, channels: int = 3, seed: int = 1) -> Tensor:
    """(count, height, width, channels) of values 0..1."""
    return torch.rand(count, height, width, channels, generator=torch.Generator().manual_seed(seed))


def mask(height: int = 7, width: int = 9, count: int = 1, seed: int = 2) -> Tensor:
    """(count, height, width) of values 0..1."""
    return torch.rand(count, height, width, generator=torch.Generator().manual_seed(seed))


def latent(height: int = 6, width: int = 8, count: int = 1, seed: int = 3) -> dict[str, Tensor]:
    """A latent of `count` in 4 channels."""
    values = torch.randn(count, 4, height, width, generator=torch.Generator().manual_seed(seed))
    return {"samples": values}
