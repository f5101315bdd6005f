"""Schedules: functions (steps, sampling) -> sigmas, descending, ending in 0."""

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from diffusion import registered
from diffusion.errors import DiffusionError
from diffusion.sampling_space import DiscreteSampling

Schedule = Callable[[int, DiscreteSampling], Tensor]


def _closed(sigmas: list[float]) -> Tensor:
    return torch.tensor([*sigmas, 0.0], dtype=torch.float32)


def simple(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Every n-th trained level, from the top."""
    stride = len(sampling.sigmas) / steps
    return _closed([float(sampling.sigmas[-(1 + int(i * stride))]) for i in range(steps)])


def _even_in_time(steps: int, sampling: DiscreteSampling, leave_last: bool) -> Tensor:
    start = float(sampling.timestep(sampling.sigma_max.reshape(1)))
    end = float(sampling.timestep(sampling.sigma_min.reshape(1)))
    if leave_last:
        return _closed(sampling.sigma(torch.linspace(start, end, steps + 1)[:-1]).tolist())
    return _closed(sampling.sigma(torch.linspace(start, end, steps)).tolist())


def normal(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Even in timesteps, both ends included."""
    return _even_in_time(steps, sampling, leave_last=False)


def sgm_uniform(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Even in timesteps, the lowest left out."""
    return _even_in_time(steps, sampling, leave_last=True)


def ddim_uniform(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Every n-th trained level, from the bottom (Song et al. 2021)."""
    stride = max(len(sampling.sigmas) // steps, 1)
    return torch.cat([sampling.sigmas[1::stride].flip(0), torch.zeros(1)])


def karras(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Even in sigma^(1/7) (Karras et al. 2022)."""
    return karras_sigmas(steps, float(sampling.sigma_min), float(sampling.sigma_max))


def exponential(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Even in the logarithm of sigma."""
    return exponential_sigmas(steps, float(sampling.sigma_min), float(sampling.sigma_max))


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Sigmas even in sigma^(1/rho) between two levels, then 0."""
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    ramp = torch.linspace(0, 1, steps)
    return torch.cat([(high + ramp * (low - high)) ** rho, torch.zeros(1)])


def exponential_sigmas(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Sigmas even in their logarithm between two levels, then 0."""
    return torch.cat([torch.linspace(math.log(sigma_max), math.log(sigma_min), steps).exp(), torch.zeros(1)])


def beta(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Timesteps at the quantiles of a beta distribution, dense at both ends (Lee et al. 2024)."""
    return beta_sigmas(steps, sampling, 0.6, 0.6)


def beta_sigmas(steps: int, sampling: DiscreteSampling, a: float, b: float) -> Tensor:
    """Trained levels at the quantiles of Beta(a, b); repeated levels are left out, so there may be fewer."""
    last = len(sampling.sigmas) - 1
    times = [round(last * beta_quantile(1 - i / steps, a, b)) for i in range(steps)]
    kept = [t for i, t in enumerate(times) if i == 0 or t != times[i - 1]]
    return _closed([float(sampling.sigmas[t]) for t in kept])


def beta_quantile(p: float, a: float, b: float) -> float:
    """The point below which a Beta(a, b) variable lies with probability p, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_below(middle, a, b) < p else (low, middle)
    return high if p >= 1 else (low + high) / 2


def _beta_below(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_below(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a * _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def linear_quadratic(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Linear in small steps through the first half, then quadratic."""
    if steps == 1:
        return _closed([float(sampling.sigma_max)])
    threshold, half = 0.025, steps // 2
    rest = steps - half
    gap = half - threshold * steps
    square, slope = gap / (half * rest**2), threshold / half - 2 * gap / rest**2
    done = [i * threshold / half for i in range(half)]
    done += [square * i * i + slope * i + square * half**2 for i in range(half, steps)]
    return _closed([(1 - part) * float(sampling.sigma_max) for part in done])


def kl_optimal(steps: int, sampling: DiscreteSampling) -> Tensor:
    """Even in the arc tangent of sigma (Sabour et al. 2024, "Align Your Steps", the closed form)."""
    part = torch.arange(steps).float() / max(steps - 1, 1)
    low, high = math.atan(float(sampling.sigma_min)), math.atan(float(sampling.sigma_max))
    return torch.cat([(part * low + (1 - part) * high).tan(), torch.zeros(1)])


SCHEDULES: Final[dict[str, Schedule]] = {
    "simple": simple,
    "sgm_uniform": sgm_uniform,
    "karras": karras,
    "exponential": exponential,
    "ddim_uniform": ddim_uniform,
    "beta": beta,
    "normal": normal,
    "linear_quadratic": linear_quadratic,
    "kl_optimal": kl_optimal,
}


def sigmas_for(schedule: str, steps: int, sampling: DiscreteSampling) -> Tensor:
    """The sigmas of a named schedule; raises DiffusionError for an unknown name."""
    if (give := registered.SCHEDULES.get(schedule)) is not None:
        return give()(steps, sampling)
    raise DiffusionError(f"there is no schedule '{schedule}'. Known are {', '.join(registered.SCHEDULES)}.")


registered.put_in(registered.SCHEDULES, SCHEDULES)
