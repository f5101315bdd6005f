"""The example's sampler and schedule. A module whose name begins with _ is loaded only when asked for."""

import math
from typing import Any

import torch
from torch import Tensor

from diffusion.samplers.registry import Run, to_d
from diffusion.sampling_space import DiscreteSampling


def sample_midpoint(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Any = None,
    disable: bool | None = None,
) -> Tensor:
    """The midpoint rule: look ahead to the middle of a step, and go by what is seen there."""
    run = Run(model, extra_args or {}, callback)
    for i in range(len(sigmas) - 1):
        here, there = sigmas[i], sigmas[i + 1]
        slope = to_d(x, here, run.step(i, x, here))
        middle = (here + there) / 2
        ahead = x + slope * (middle - here)
        x = x + to_d(ahead, middle, run.clean(ahead, middle)) * (there - here)
    return x


def cosine(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Levels along a quarter of a cosine, from the largest to 0."""
    top = float(sampling.sigma_max)
    return torch.tensor([top * (1 - math.sin(math.pi / 2 * i / steps)) for i in range(steps)] + [0.0])
