"""Edges of pictures, as Canny (1986) defines them."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion.errors import DiffusionError

_LUMA: Final = (0.299, 0.587, 0.114)
_RADIUS: Final = 2
_TINY: Final = 1e-6
# Neighbours in steps of 45 degrees, the first to the right, then downwards: (row, column).
_AROUND: Final = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def canny(image: Tensor, low: float, high: float) -> Tensor:
    """Edges of pictures (B, H, W, 3) in 0..1 as 0 or 1 in three like channels.

    The picture is made grey and blurred (5×5, sigma 1); the length of Sobel's gradient must be the largest
    across the edge and above `low`, and be connected to one above `high`.

    Raises:
        DiffusionError: when low is above high.
    """
    if low > high:
        raise DiffusionError(
            f"the low threshold {low} is above the high threshold {high}. Swap them, or lower the first."
        )
    grey = (image[..., :3].movedim(-1, 1).float() * torch.tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    length, angle = _gradient(_blurred(grey))
    thin = _thinned(length, angle)
    found = _connected(thin > low, thin > high)
    return found.float().movedim(1, -1).repeat(1, 1, 1, 3)


def _blurred(grey: Tensor) -> Tensor:
    places = torch.arange(-_RADIUS, _RADIUS + 1).float()
    weights = torch.exp(-(places**2) / 2)
    weights = weights / weights.sum()
    mode = "reflect" if min(grey.shape[-2:]) > _RADIUS else "replicate"
    padded = F.pad(grey, (_RADIUS,) * 4, mode=mode)
    return F.conv2d(F.conv2d(padded, weights[None, None, None]), weights[None, None, :, None])


def _gradient(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Length of the gradient and its direction in steps of 45 degrees, 0..7."""
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    across, down = F.conv2d(
        F.pad(grey, (1,) * 4, mode="replicate"), torch.stack([sobel, sobel.t()])[:, None]
    ).split(1, dim=1)
    steps = torch.round(torch.atan2(down, across) / (torch.pi / 4)).long() % 8
    return torch.sqrt(across**2 + down**2 + _TINY), steps


def _neighbours(values: Tensor) -> Tensor:
    """(B, 1, H, W) → (B, 8, H, W): the value next to each pixel in every direction, 0 outside."""
    height, width = values.shape[-2:]
    padded = F.pad(values, (1,) * 4)
    return torch.cat([padded[..., 1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in _AROUND], dim=1)


def _thinned(length: Tensor, steps: Tensor) -> Tensor:
    """The length where it is larger than before and behind it along the gradient, else 0."""
    around = _neighbours(length)
    before, behind = (around.gather(1, (steps + turn) % 8) for turn in (0, 4))
    return length * ((length > before) & (length > behind))


def _connected(weak: Tensor, strong: Tensor) -> Tensor:
    """The strong pixels, and all weak ones that a way of weak ones connects to them."""
    while True:
        grown = weak & (strong | (_neighbours(strong.float()) > 0).any(1, keepdim=True))
        if torch.equal(grown, strong):
            return strong
        strong = grown
