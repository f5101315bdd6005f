"""Samplers that remember earlier steps and draw no noise: linear multistep, DPM++ 2M, IPNDM, DEIS and their
kin."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from diffusion.samplers.registry import (
    Callback,
    Extra,
    GuidedRun,
    NoiseSampler,
    Run,
    ancestral_step,
    sampler,
    to_d,
)


def lagrange_integrals(knots: Sequence[float], start: float, end: float) -> list[float]:
    """The integral from start to end of each Lagrange basis polynomial over the knots."""
    x = torch.tensor(list(knots), dtype=torch.float64)
    powers = torch.arange(len(knots), dtype=torch.float64)
    # Integrals of the monomials, with the origin moved to `start` to keep the numbers small.
    moments = (end - start) ** (powers + 1) / (powers + 1)
    return torch.linalg.solve(torch.vander(x - start, len(knots), increasing=True).T, moments).tolist()


def _weighed(slopes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The newest slopes, newest first, times their weights."""
    return sum((w * s for w, s in zip(weights, reversed(slopes), strict=False)), torch.zeros_like(slopes[-1]))


@sampler("lms")
def sample_lms(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    order: int = 4,
) -> Tensor:
    """Linear multistep (Adams–Bashforth on the levels as they are)."""
    run, slopes = Run(model, extra_args or {}, callback), []
    levels = sigmas.tolist()
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        slopes = [*slopes, to_d(x, sigmas[i], denoised)][-order:]
        knots = levels[i + 1 - len(slopes) : i + 1][::-1]
        weights = lagrange_integrals(knots, levels[i], levels[i + 1])
        x = denoised if levels[i + 1] == 0 else x + _weighed(slopes, weights)
    return x


_EVEN = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))


@sampler("ipndm")
def sample_ipndm(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    max_order: int = 4,
) -> Tensor:
    """Improved PNDM (Zhang and Chen 2022): Adams–Bashforth as if all steps were alike."""
    run, slopes = Run(model, extra_args or {}, callback), []
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        slopes = [*slopes, to_d(x, sigmas[i], denoised)][-max_order:]
        dt = sigmas[i + 1] - sigmas[i]
        x = denoised if sigmas[i + 1] == 0 else x + dt * _weighed(slopes, _EVEN[len(slopes) - 1])
    return x


@sampler("ipndm_v")
def sample_ipndm_v(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    max_order: int = 4,
) -> Tensor:
    """Improved PNDM with weights for steps of varying length, as its authors published them."""
    run, slopes = Run(model, extra_args or {}, callback), []
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        slopes = [*slopes, to_d(x, sigmas[i], denoised)][-max_order:]
        if sigmas[i + 1] == 0:
            x = denoised
        else:
            lengths = (sigmas[i + 2 - len(slopes) : i + 2] - sigmas[i + 1 - len(slopes) : i + 1]).flip(0)
            x = x + lengths[0] * _weighed(slopes, _uneven(lengths.tolist()))
    return x


def _uneven(h: list[float]) -> list[float]:
    """Weights of the newest slopes, newest first, for step lengths h, newest first."""
    if len(h) == 1:
        return [1.0]
    r = h[0] / h[1]
    weights = [1 + r / 2, -r / 2]
    if len(h) == 2:
        return weights
    two, old = h[0] + h[1], h[1] / h[2]
    third = (1 - h[0] / (3 * two) * (h[0] * two) / (h[1] * (h[1] + h[2]))) / 2
    weights = [weights[0] + third, weights[1] - (1 + old) * third, third * old]
    if len(h) == 3:
        return weights
    three, far = two + h[2], (h[1] * (h[1] + h[2])) / (h[2] * (h[2] + h[3]))
    fourth = (1 - h[0] / (3 * two)) / 2 + (1 - h[0] / (2 * two)) * h[0] / (6 * three)
    fourth *= (h[0] * two * three) / (h[1] * (h[1] + h[2]) * (h[1] + h[2] + h[3]))
    return [
        weights[0] + fourth,
        weights[1] - (1 + old + far) * fourth,
        weights[2] + (old + far * (1 + h[2] / h[3])) * fourth,
        -fourth * far * old,
    ]


@sampler("deis")
def sample_deis(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    max_order: int = 3,
) -> Tensor:
    """DEIS with tabulated weights (Zhang and Chen 2022): polynomials in the time of a variance-preserving
    process."""
    run, slopes = Run(model, extra_args or {}, callback), []
    times = _VpTime()
    for i in range(len(sigmas) - 1):
        d = to_d(x, sigmas[i], run.step(i, x, sigmas[i]))
        slopes = [*slopes, d][-max_order:]
        if sigmas[i + 1] == 0 or len(slopes) == 1:
            x = x + (sigmas[i + 1] - sigmas[i]) * d
        else:
            x = x + _weighed(slopes, times.weights(sigmas[i + 1 - len(slopes) : i + 2].flip(0)))
    return x


class _VpTime:
    """Time of a variance-preserving process whose levels run from 0.002 to 80, as a function of sigma."""

    def __init__(self) -> None:
        low, high, begin = 0.002, 80.0, 1e-3
        end_log = torch.tensor(high**2 + 1, dtype=torch.float64).log()
        begin_log = torch.tensor(low**2 + 1, dtype=torch.float64).log()
        self.slope = 2 * (begin_log / begin - end_log) / (begin - 1)
        self.base = end_log - 0.5 * self.slope

    def of(self, sigma: Tensor) -> Tensor:
        root = (self.base**2 + 2 * self.slope * (sigma.double() ** 2 + 1).log()).sqrt()
        return (root - self.base) / self.slope

    def weights(self, levels: Tensor, points: int = 10000) -> list[float]:
        """Integrals over the step levels[1] → levels[0] of the Lagrange basis in time over levels[1:]."""
        times = self.of(levels)
        t = torch.linspace(float(times[1]), float(times[0]), points, dtype=torch.float64)
        kept_log = -(0.5 * self.slope * t**2 + self.base * t)
        rate = 0.5 * (self.slope * t + self.base) / (kept_log.exp() * (1 - kept_log.exp())).sqrt()
        width = (times[0] - times[1]) / points
        return [float((rate * _basis(times[1:], j, t)).sum() * width) for j in range(len(times) - 1)]


def _basis(knots: Tensor, j: int, t: Tensor) -> Tensor:
    value = torch.ones_like(t)
    for k in range(len(knots)):
        if k != j:
            value = value * (t - knots[k]) / (knots[j] - knots[k])
    return value


@sampler("dpmpp_2m")
def sample_dpmpp_2m(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022): second order from the step before."""
    run, old = Run(model, extra_args or {}, callback), None
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        aim = denoised
        if old is not None and sigmas[i + 1] > 0:
            ratio = (sigmas[i - 1] / sigmas[i]).log() / (sigmas[i] / sigmas[i + 1]).log()
            aim = (1 + 1 / (2 * ratio)) * denoised - 1 / (2 * ratio) * old
        part = sigmas[i + 1] / sigmas[i]
        x = part * x + (1 - part) * aim
        old = denoised
    return x


@sampler("dpmpp_2m_cfg_pp")
def sample_dpmpp_2m_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """DPM-Solver++(2M) whose noise direction is the unconditional one (CFG++)."""
    run, old = GuidedRun(model, extra_args or {}, callback), None
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        part = sigmas[i + 1] / sigmas[i]
        aim = -part * run.uncond
        if old is not None and sigmas[i + 1] > 0:
            ratio = (sigmas[i - 1] / sigmas[i]).log() / (sigmas[i] / sigmas[i + 1]).log()
            aim = aim + (1 - part) / (2 * ratio) * (denoised - old)
        x = denoised + aim + part * x
        old = run.uncond
    return x


def _res_multistep(
    run: Run, x: Tensor, sigmas: Tensor, eta: float, s_noise: float = 1.0, given: NoiseSampler | None = None
) -> Tensor:
    """The second-order refined exponential solver (Zhang et al. 2023), with CFG++ when the run is guided."""
    noise = run.noise(x, given)
    old = old_down = None
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        side = run.uncond if isinstance(run, GuidedRun) else denoised
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if old is None or old_down is None or down == 0:
            x = denoised + to_d(x, sigmas[i], side) * down
        else:
            h = (sigmas[i] / down).log()
            c2 = (old_down / sigmas[i - 1]).log() / h
            phi1 = (-h).expm1() / -h
            phi2 = (phi1 - 1) / -h
            b1, b2 = (phi1 - phi2 / c2).nan_to_num(0.0), (phi2 / c2).nan_to_num(0.0)
            x = (-h).exp() * (x + (denoised - side)) + h * (b1 * side + b2 * old)
        if sigmas[i + 1] > 0 and eta > 0:
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
        old, old_down = side, down
    return x


@sampler("res_multistep")
def sample_res_multistep(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Refined exponential multistep (Zhang et al. 2023)."""
    return _res_multistep(Run(model, extra_args or {}, callback), x, sigmas, 0.0)


@sampler("res_multistep_cfg_pp")
def sample_res_multistep_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Refined exponential multistep with CFG++."""
    return _res_multistep(GuidedRun(model, extra_args or {}, callback), x, sigmas, 0.0)


@sampler("res_multistep_ancestral")
def sample_res_multistep_ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """Refined exponential multistep that steps too far down and adds fresh noise."""
    return _res_multistep(Run(model, extra_args or {}, callback), x, sigmas, eta, s_noise, noise_sampler)


@sampler("res_multistep_ancestral_cfg_pp")
def sample_res_multistep_ancestral_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
) -> Tensor:
    """The same with CFG++."""
    return _res_multistep(
        GuidedRun(model, extra_args or {}, callback), x, sigmas, eta, s_noise, noise_sampler
    )


def _gradient_estimation(run: Run, x: Tensor, sigmas: Tensor, gamma: float) -> Tensor:
    """Euler's method with an estimated gradient (Permenter and Yuan 2024), with CFG++ when the run is
    guided."""
    old = None
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        d = to_d(x, sigmas[i], run.uncond if isinstance(run, GuidedRun) else denoised)
        x = denoised + d * sigmas[i + 1]
        if old is not None and sigmas[i + 1] > 0:
            x = x + (gamma - 1) * (d - old) * (sigmas[i + 1] - sigmas[i])
        old = d
    return x


@sampler("gradient_estimation")
def sample_gradient_estimation(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    ge_gamma: float = 2.0,
) -> Tensor:
    """Gradient estimation (Permenter and Yuan 2024)."""
    return _gradient_estimation(Run(model, extra_args or {}, callback), x, sigmas, ge_gamma)


@sampler("gradient_estimation_cfg_pp")
def sample_gradient_estimation_cfg_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    ge_gamma: float = 2.0,
) -> Tensor:
    """Gradient estimation with CFG++."""
    return _gradient_estimation(GuidedRun(model, extra_args or {}, callback), x, sigmas, ge_gamma)
