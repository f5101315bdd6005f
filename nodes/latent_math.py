# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""Arithmetic on latents (B, C, H, W)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from nodes.neighbours import convolved, sharpening
from nodes.tensors import repeat_to, resize

AXES: Final[Mapping[str, int]] = {"x": -1, "y": -2, "t": -3}
Operation = Callable[..., Tensor]


def alike(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both latents, the second scaled, cut and repeated to the shape of the first."""
    if first.shape[1:] != second.shape[1:]:
        second = resize(second, first.shape[-1], first.shape[-2], "bilinear", "center")
    return first, repeat_to(second, first.shape[0])


def feathered(size: torch.Size, canvas: torch.Size, x: int, y: int, feather: int) -> Tensor:
    """(1, h, w): a mask that rises over `feather` points at the sides that lie inside the canvas (H, W)."""
    height, width = size
    down = _rising(height, feather, y != 0, y + height < canvas[0])
    across = _rising(width, feather, x != 0, x + width < canvas[1])
    return (down[:, None] * across)[None]


def _rising(length: int, feather: int, start: bool, end: bool) -> Tensor:
    line, steps = torch.ones(length), min(feather, length)
    ramp = torch.arange(1, steps + 1) / max(1, feather)
    if start:
        line[:steps] *= ramp
    if end:
        line[length - steps :] *= ramp.flip(0)
    return line


def interpolated(first: Tensor, second: Tensor, ratio: float) -> Tensor:
    """`ratio` of the first and the rest of the second: directions and lengths are mixed apart."""
    lengths = [part.norm(dim=1, keepdim=True) for part in (first, second)]
    ways = [torch.nan_to_num(part / length) for part, length in zip((first, second), lengths, strict=True)]
    mixed = ways[0] * ratio + ways[1] * (1.0 - ratio)
    way = torch.nan_to_num(mixed / mixed.norm(dim=1, keepdim=True))
    return way * (lengths[0] * ratio + lengths[1] * (1.0 - ratio))


def before_guidance(operation: Operation) -> Callable[[dict[str, Any]], list[Tensor]]:
    """A function for a model that changes what guidance adds, or the only prediction there is."""

    def change(arguments: dict[str, Any]) -> list[Tensor]:
        found = list(arguments["conds_out"])
        if len(found) == 2:
            found[0] = operation(latent=found[0] - found[1]) + found[1]
        else:
            found[0] = operation(latent=found[0])
        return found

    return change


def reinhard(multiplier: float) -> Operation:
    """Tone mapping of the length of every point. Erik Reinhard et al., SIGGRAPH 2002."""

    def change(latent: Tensor, **_: Any) -> Tensor:
        length = latent.norm(dim=1, keepdim=True) + 1e-10
        mean = length.mean(dim=(1, 2, 3), keepdim=True)
        top = (length.std(dim=(1, 2, 3), keepdim=True) * 5 + mean) * multiplier
        share = length / top
        return latent / length * (share / (share + 1.0) * top)

    return change


def sharpen(radius: int, sigma: float, alpha: float) -> Operation:
    """Sharpening of the direction of every point, its length kept."""

    def change(latent: Tensor, **_: Any) -> Tensor:
        length = latent.norm(dim=1, keepdim=True) + 1e-6
        return length * convolved(latent / length, sharpening(radius, sigma, alpha * 10))

    return change
