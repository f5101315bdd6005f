"""Noise levels beyond the named schedules: formulas with settings, published tables, and cutting and bending.

Sigmas are float (N + 1,) tensors; a run takes N steps down them.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor

from diffusion.gits import LEVELS, STEPS
from diffusion.sampling_space import DiscreteSampling
from diffusion.schedules import sigmas_for

# The ten optimised steps of "Align Your Steps" (Sabour et al. 2024), as its authors published them.
ALIGN_YOUR_STEPS: Final[dict[str, tuple[float, ...]]] = {
    "SD1": (
        14.6146412293,
        6.4745760956,
        3.8636745985,
        2.6946151520,
        1.8841921177,
        1.3943805092,
        0.9642583904,
        0.6523686016,
        0.3977456272,
        0.1515232662,
        0.0291671582,
    ),
    "SDXL": (
        14.6146412293,
        6.3184485287,
        3.7681790315,
        2.1811480769,
        1.3405244945,
        0.8620721141,
        0.5550693289,
        0.3798540708,
        0.2332364134,
        0.1114188177,
        0.0291671582,
    ),
    "SVD": (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002),
}
_FLIPPED_ZERO: Final = 1e-4


def _zero_ended(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, sigmas.new_zeros(1)])


def denoised_part(sigmas: Callable[[int], Tensor], steps: int, denoise: float) -> Tensor:
    """The last `steps` of a schedule that is longer by 1 / denoise; nothing for no denoising."""
    if denoise <= 0.0:
        return torch.empty(0)
    full = steps if denoise >= 1.0 else int(steps / denoise)
    return sigmas(full)[-(steps + 1) :]


def basic(sampling: DiscreteSampling, schedule: str, steps: int, denoise: float = 1.0) -> Tensor:
    """A named schedule of a model, or with denoise below 1 the end of a longer one."""
    return denoised_part(lambda full: sigmas_for(schedule, full, sampling), steps, denoise)


def polyexponential(steps: int, sigma_min: float, sigma_max: float, rho: float = 1.0) -> Tensor:
    """A polynomial of degree rho in the logarithm of sigma, then 0."""
    low, high = math.log(sigma_min), math.log(sigma_max)
    return _zero_ended((torch.linspace(1, 0, steps) ** rho * (high - low) + low).exp())


def laplace(steps: int, sigma_min: float, sigma_max: float, mu: float = 0.0, beta: float = 0.5) -> Tensor:
    """Logarithms at even quantiles of a Laplace distribution (Hang et al. 2024); ends above 0."""
    side = 0.5 - torch.linspace(0, 1, steps)
    logarithm = mu - beta * side.sign() * torch.log(1 - 2 * side.abs() + 1e-5)
    return logarithm.exp().clamp(sigma_min, sigma_max)


def variance_preserving(steps: int, beta_d: float, beta_min: float, eps_s: float) -> Tensor:
    """The continuous variance-preserving schedule (Song et al. 2021), even in time from 1 to eps_s."""
    t = torch.linspace(1, eps_s, steps)
    return _zero_ended(torch.expm1(beta_d * t**2 / 2 + beta_min * t).sqrt())


def turbo(sampling: DiscreteSampling, steps: int, denoise: float = 1.0) -> Tensor:
    """The levels that turbo models were distilled at: timesteps 999, 899, ..., from where denoise begins."""
    start = 10 - int(10 * denoise)
    times = torch.arange(999, 0, -100)[start : start + steps]
    return _zero_ended(sampling.sigma(times))


def align_your_steps(family: str, steps: int, denoise: float = 1.0) -> Tensor:
    """The published ten steps for a family (SD1, SDXL, SVD), or others between them."""
    return _last_steps(_spread(ALIGN_YOUR_STEPS[family], steps), steps, denoise)


def gits(coefficient: float, steps: int, denoise: float = 1.0) -> Tensor:
    """The levels that GITS found for SD1; above 20 steps, levels between those of 20."""
    rows = STEPS[min(STEPS, key=lambda known: abs(known - coefficient))]
    inner = [LEVELS[int(number)] for number in rows[min(steps, 20) - 2].split()]
    return _last_steps(_spread((LEVELS[0], *inner, LEVELS[-1]), steps), steps, denoise)


def _spread(levels: Sequence[float], steps: int) -> Tensor:
    """Levels for another number of steps, straight lines between their logarithms."""
    if len(levels) == steps + 1:
        return torch.tensor(levels)
    logs = torch.tensor(levels, dtype=torch.float64).log()
    at = torch.linspace(0, len(levels) - 1, steps + 1, dtype=torch.float64)
    left = at.floor().long().clamp(max=len(levels) - 2)
    return logs[left].lerp(logs[left + 1], at - left).exp().float()


def _last_steps(levels: Tensor, steps: int, denoise: float) -> Tensor:
    """The last part of these steps, ended with 0; nothing for no denoising."""
    if denoise <= 0.0:
        return torch.empty(0)
    taken = steps if denoise >= 1.0 else round(steps * denoise)
    part = levels[-(taken + 1) :].clone()
    part[-1] = 0
    return part


def split(sigmas: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """The steps before number `step` (from 0) and those from it on; both have the level between them."""
    return sigmas[: step + 1], sigmas[step:]


def split_share(sigmas: Tensor, denoise: float) -> tuple[Tensor, Tensor]:
    """The steps before the last share of them, and that share."""
    steps = max(len(sigmas) - 1, 0)
    return split(sigmas, steps - round(steps * denoise))


def flip(sigmas: Tensor) -> Tensor:
    """The levels in rising order, from picture to noise; a level of 0 becomes 0.0001 at the start."""
    flipped = sigmas.flip(0)
    if len(flipped) and flipped[0] == 0:
        flipped[0] = _FLIPPED_ZERO
    return flipped


def with_first(sigmas: Tensor, sigma: float) -> Tensor:
    """The levels with another first one."""
    return torch.cat([sigmas.new_full((min(1, len(sigmas)),), sigma), sigmas[1:]])


SPACINGS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "linear": lambda x: x,
    "cosine": lambda x: torch.sin(x * math.pi / 2),
    "sine": lambda x: 1 - torch.cos(x * math.pi / 2),
}


def extended(sigmas: Tensor, steps: int, start_at_sigma: float, end_at_sigma: float, spacing: str) -> Tensor:
    """Each step that begins between two levels (start below 0: any) made into `steps` steps."""
    start = math.inf if start_at_sigma < 0 else start_at_sigma
    between = SPACINGS[spacing](torch.linspace(0, 1, steps + 1)[1:-1])
    parts: list[Tensor] = []
    for i in range(len(sigmas) - 1):
        parts.append(sigmas[i : i + 1])
        if end_at_sigma <= float(sigmas[i]) <= start:
            parts.append(sigmas[i] + between * (sigmas[i + 1] - sigmas[i]))
    return torch.cat([*parts, sigmas[-1:]])


def at_percent(sampling: DiscreteSampling, percent: float, within_trained: bool = False) -> float:
    """The level after this part (0 to 1) of the way from noise; the ends are beyond the trained levels
    unless within_trained."""
    if within_trained and percent in (0.0, 1.0):
        return float(sampling.sigma_min if percent else sampling.sigma_max)
    return sampling.percent_to_sigma(percent)
