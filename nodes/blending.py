# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""Blend modes and Porter-Duff's operators as formulas on tensors of values 0..1."""

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor

VISIBLE: Final = 1e-5
"""Alpha below which a point has no colour of its own."""

Blend = Callable[[Tensor, Tensor], Tensor]
Operator = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def soft_light(below: Tensor, above: Tensor) -> Tensor:
    """Soft light of the W3C's Compositing and Blending (level 1)."""
    bright = torch.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, below.clamp(min=0).sqrt())
    darker = below - (1 - 2 * above) * below * (1 - below)
    return torch.where(above <= 0.5, darker, below + (2 * above - 1) * (bright - below))


BLENDS: Final[Mapping[str, Blend]] = {
    "normal": lambda below, above: above,
    "multiply": lambda below, above: below * above,
    "screen": lambda below, above: 1 - (1 - below) * (1 - above),
    "overlay": lambda below, above: torch.where(
        below <= 0.5, 2 * below * above, 1 - 2 * (1 - below) * (1 - above)
    ),
    "soft_light": soft_light,
    "difference": lambda below, above: below - above,
}
"""The colour of two points by mode; what is left of the range is cut off after mixing."""


def blend(below: Tensor, above: Tensor, factor: float, mode: str) -> Tensor:
    """`above` blended onto `below`, `factor` of it; both of one shape."""
    return (below * (1 - factor) + BLENDS[mode](below, above) * factor).clamp(0, 1)


def _union(source: Tensor, target: Tensor) -> Tensor:
    return source + target - source * target


def _overlay(s: Tensor, sa: Tensor, d: Tensor, da: Tensor) -> Tensor:
    return torch.where(2 * d < da, 2 * s * d, sa * da - 2 * (da - s) * (sa - d))


OPERATORS: Final[Mapping[str, Operator]] = {
    "ADD": lambda s, sa, d, da: ((s + d).clamp(0, 1), (sa + da).clamp(0, 1)),
    "CLEAR": lambda s, sa, d, da: (torch.zeros_like(d), torch.zeros_like(da)),
    "DARKEN": lambda s, sa, d, da: (
        (1 - da) * s + (1 - sa) * d + torch.minimum(s, d),
        _union(sa, da),
    ),
    "DST": lambda s, sa, d, da: (d, da),
    "DST_ATOP": lambda s, sa, d, da: (sa * d + (1 - da) * s, sa),
    "DST_IN": lambda s, sa, d, da: (d * sa, sa * da),
    "DST_OUT": lambda s, sa, d, da: ((1 - sa) * d, (1 - sa) * da),
    "DST_OVER": lambda s, sa, d, da: (d + (1 - da) * s, _union(sa, da)),
    "LIGHTEN": lambda s, sa, d, da: (
        (1 - da) * s + (1 - sa) * d + torch.maximum(s, d),
        _union(sa, da),
    ),
    "MULTIPLY": lambda s, sa, d, da: (s * d, sa * da),
    "OVERLAY": lambda s, sa, d, da: (_overlay(s, sa, d, da), _union(sa, da)),
    "SCREEN": lambda s, sa, d, da: (_union(s, d), _union(sa, da)),
    "SRC": lambda s, sa, d, da: (s, sa),
    "SRC_ATOP": lambda s, sa, d, da: (da * s + (1 - sa) * d, da),
    "SRC_IN": lambda s, sa, d, da: (s * da, sa * da),
    "SRC_OUT": lambda s, sa, d, da: ((1 - da) * s, (1 - da) * sa),
    "SRC_OVER": lambda s, sa, d, da: (s + (1 - sa) * d, _union(sa, da)),
    "XOR": lambda s, sa, d, da: ((1 - da) * s + (1 - sa) * d, (1 - da) * sa + (1 - sa) * da),
}
"""Porter and Duff's operators, and the blend modes in their form, on colours multiplied by their alpha.

Each takes source, its alpha, destination, its alpha, and gives colour and alpha. Thomas Porter and Tom Duff,
Compositing Digital Images (SIGGRAPH 1984).
"""


def porter_duff(
    source: Tensor, source_alpha: Tensor, target: Tensor, target_alpha: Tensor, mode: str
) -> tuple[Tensor, Tensor]:
    """Two pictures (B, H, W, C) with alphas (B, H, W, 1) put together; gives colours and alpha.

    Colours come and go without their alpha in them; where nothing is visible they are black.
    """
    colour, alpha = OPERATORS[mode](source * source_alpha, source_alpha, target * target_alpha, target_alpha)
    plain = torch.where(alpha > VISIBLE, colour / alpha.clamp(min=VISIBLE), torch.zeros_like(colour))
    return plain.clamp(0, 1), alpha
