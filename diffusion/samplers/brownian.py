"""Brownian motion that can be asked for any piece, in any order, and always gives the same path.

The path is the one of torchsde's BrownianTree (Li et al. 2020, Kidger et al. 2021), so that seeds keep their
pictures: the interval is halved again and again, and each half's noise comes from a seed of its place in
that tree.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

_DIGITS: Final = 6
_POOL: Final = 24


def _randn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _seed(entropy: int, *place: int) -> int:
    sequence = np.random.SeedSequence(entropy, spawn_key=place, pool_size=_POOL)
    return int(sequence.generate_state(1)[0])


@dataclass
class BrownianPath:
    """A path over [start, end] of tensors of one shape."""

    shape: tuple[int, ...]
    start: float
    end: float
    entropy: int
    found: dict[float, Tensor] = field(default_factory=dict)

    def __call__(self, begin: float, end: float) -> Tensor:
        """The path's increment from one time to another, forwards or backwards."""
        return self.at(end) - self.at(begin)

    def at(self, time: float) -> Tensor:
        """The path's value at a time, 0 at the start."""
        time = round(min(max(time, self.start), self.end), _DIGITS)
        if time not in self.found:
            self.found[time] = self._descend(time)
        return self.found[time]

    def _descend(self, time: float) -> Tensor:
        left, right = round(self.start, _DIGITS), round(self.end, _DIGITS)
        rise = _randn(self.shape, _seed(self.entropy)) * math.sqrt(self.end - self.start)
        value, key, depth = torch.zeros(self.shape), 0, 0
        while time != left and time != right:
            half = round(0.5 * (left + right), _DIGITS)
            before, after, whole = half - left, right - half, right - left
            noise = _randn(self.shape, _seed(self.entropy, key, depth))
            first = before * rise * (1 / whole) + math.sqrt(before * after * (1 / whole)) * noise
            if time < half:
                right, rise, key = half, first, 2 * key
            else:
                left, rise, key, value = half, rise - first, 2 * key + 1, value + first
            depth += 1
        return value if time == left else value + rise


def brownian_noise_sampler(
    x: Tensor, sigmas: Tensor, seed: int | None, transform: Callable[[float], float] = float
) -> Callable[[Any, Any], Tensor]:
    """Unit noise between any two levels of a run; steps that lie inside others get parts of their noise."""
    positive = sigmas[sigmas > 0]
    ends = sorted((transform(float(positive.min())), transform(float(sigmas.max()))))
    path = BrownianPath(tuple(x.shape), ends[0], ends[1], (seed or 0) % 2**64)

    def noise(sigma: Any, sigma_next: Any) -> Tensor:
        begin, end = transform(float(sigma)), transform(float(sigma_next))
        return (path(begin, end) / math.sqrt(abs(end - begin))).to(x)

    return noise
