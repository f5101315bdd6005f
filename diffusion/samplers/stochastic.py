"""Samplers of stochastic differential equations: DPM++ SDE, 2M SDE, 3M SDE, ER-SDE and SEEDS."""

from typing import Any

import torch
from torch import Tensor

from diffusion.samplers.brownian import brownian_noise_sampler
from diffusion.samplers.registry import Callback, Extra, NoiseSampler, Run, ancestral_step, sampler


@sampler("dpmpp_sde", "dpmpp_sde_gpu")
def sample_dpmpp_sde(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    r: float = 0.5,
) -> Tensor:
    """DPM-Solver++ for the diffusion SDE, two calls a step (Lu et al. 2022)."""
    run = Run(model, extra_args or {}, callback)
    noise = noise_sampler or brownian_noise_sampler(x, sigmas, run.extra.get("seed"))
    for i in range(len(sigmas) - 1):
        sigma, after = sigmas[i], sigmas[i + 1]
        denoised = run.step(i, x, sigma)
        if after == 0:
            x = denoised
            continue
        half = (sigma.log() + r * (after.log() - sigma.log())).exp()
        down, up = ancestral_step(sigma, half, eta)
        ahead = (down / sigma) * x + (1 - down / sigma) * denoised + noise(sigma, half) * s_noise * up
        second = run.clean(ahead, half)
        down, up = ancestral_step(sigma, after, eta)
        aim = (1 - 1 / (2 * r)) * denoised + 1 / (2 * r) * second
        x = (down / sigma) * x + (1 - down / sigma) * aim + noise(sigma, after) * s_noise * up
    return x


@sampler("dpmpp_2m_sde", "dpmpp_2m_sde_gpu")
def sample_dpmpp_2m_sde(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    solver_type: str = "midpoint",
) -> Tensor:
    """DPM-Solver++(2M) for the diffusion SDE; solver_type "midpoint" or "heun"."""
    if len(sigmas) <= 1:
        return x
    run, old, h_old = Run(model, extra_args or {}, callback), None, None
    noise = noise_sampler or brownian_noise_sampler(x, sigmas, run.extra.get("seed"))
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        if sigmas[i + 1] == 0:
            x = denoised
            continue
        h = (sigmas[i] / sigmas[i + 1]).log()
        whole = -(-h * (eta + 1)).expm1()
        x = sigmas[i + 1] / sigmas[i] * (-eta * h).exp() * x + whole * denoised
        if old is not None and h_old is not None:
            weight = 0.5 * whole if solver_type == "midpoint" else 1 - whole / (h * (eta + 1))
            x = x + weight * (h / h_old) * (denoised - old)
        if eta and s_noise:
            spread = (-(-2 * eta * h).expm1()).sqrt()
            x = x + noise(sigmas[i], sigmas[i + 1]) * sigmas[i + 1] * spread * s_noise
        old, h_old = denoised, h
    return x


@sampler("dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu")
def sample_dpmpp_2m_sde_heun(
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
    """DPM-Solver++(2M) SDE with Heun's weights."""
    return sample_dpmpp_2m_sde(
        model, x, sigmas, extra_args, callback, disable, eta, s_noise, noise_sampler, solver_type="heun"
    )


@sampler("dpmpp_3m_sde", "dpmpp_3m_sde_gpu")
def sample_dpmpp_3m_sde(
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
    """DPM-Solver++(3M) for the diffusion SDE: third order from the two steps before."""
    if len(sigmas) <= 1:
        return x
    run = Run(model, extra_args or {}, callback)
    noise = noise_sampler or brownian_noise_sampler(x, sigmas, run.extra.get("seed"))
    before: list[tuple[Tensor, Tensor]] = []
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        if sigmas[i + 1] == 0:
            x = denoised
            continue
        h = (sigmas[i] / sigmas[i + 1]).log()
        h_eta = h * (eta + 1)
        x = (-h_eta).exp() * x - (-h_eta).expm1() * denoised + _correction(denoised, h, h_eta, before)
        if eta and s_noise:
            spread = (-(-2 * eta * h).expm1()).sqrt()
            x = x + noise(sigmas[i], sigmas[i + 1]) * sigmas[i + 1] * spread * s_noise
        before = [(denoised, h), *before][:2]
    return x


def _correction(denoised: Tensor, h: Tensor, h_eta: Tensor, before: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The second- and third-order terms from up to two earlier steps (newest first)."""
    if not before:
        return torch.zeros_like(denoised)
    phi2 = (-h_eta).expm1() / h_eta + 1
    r0 = before[0][1] / h
    slope = (denoised - before[0][0]) / r0
    if len(before) == 1:
        return phi2 * slope
    r1 = before[1][1] / h
    older = (before[0][0] - before[1][0]) / r1
    bend = (slope - older) / (r0 + r1)
    return phi2 * (slope + (slope - older) * r0 / (r0 + r1)) - (phi2 / h_eta - 0.5) * bend


def _er_scale(level: Tensor) -> Tensor:
    return level * ((level**0.3).exp() + 10)


@sampler("er_sde")
def sample_er_sde(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    noise_scaler: Any = None,
    max_stage: int = 3,
) -> Tensor:
    """Extended reverse-time SDE solver, third order (Cui et al. 2023)."""
    run, scale = Run(model, extra_args or {}, callback), noise_scaler or _er_scale
    noise = run.noise(x, noise_sampler)
    old = old_slope = None
    for i in range(len(sigmas) - 1):
        sigma, after = sigmas[i], sigmas[i + 1]
        denoised = run.step(i, x, sigma)
        if after == 0:
            x = denoised
            continue
        r = scale(after) / scale(sigma)
        x = r * x + (1 - r) * denoised
        slope = None
        if old is not None and max_stage >= 2:
            width = (sigma - after) / 200
            places = after + torch.arange(200).to(sigmas) * width
            weights = 1 / scale(places) * width
            slope = (denoised - old) / (sigma - sigmas[i - 1])
            x = x + (after - sigma + weights.sum() * scale(after)) * slope
            if old_slope is not None and max_stage >= 3:
                bend = (slope - old_slope) / ((sigma - sigmas[i - 2]) / 2)
                area = (weights * (places - sigma)).sum()
                x = x + ((after - sigma) ** 2 / 2 + area * scale(after)) * bend
        if s_noise > 0:
            spread = (after**2 - sigma**2 * r**2).sqrt().nan_to_num(0.0)
            x = x + noise(sigma, after) * s_noise * spread
        old, old_slope = denoised, slope
    return x


@sampler("seeds_2")
def sample_seeds_2(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    r: float = 0.5,
) -> Tensor:
    """SEEDS-2 (Gonzalez et al. 2023): an exponential SDE solver with one place in between."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        sigma, after = sigmas[i], sigmas[i + 1]
        denoised = run.step(i, x, sigma)
        if after == 0:
            x = denoised
            continue
        h = (sigma / after).log()
        path = _SeedsPath(x, sigma, h, eta, s_noise, noise)
        half = path.level(r)
        second = run.clean(path.at(r, -(-r * path.h_eta).expm1() * denoised), half)
        aim = (1 - 1 / (2 * r)) * denoised + 1 / (2 * r) * second
        x = path.at(1.0, -(-path.h_eta).expm1() * aim)
    return x


@sampler("seeds_3")
def sample_seeds_3(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    r_1: float = 1 / 3,
    r_2: float = 2 / 3,
) -> Tensor:
    """SEEDS-3 (Gonzalez et al. 2023): an exponential SDE solver with two places in between."""
    run = Run(model, extra_args or {}, callback)
    noise = run.noise(x, noise_sampler)
    for i in range(len(sigmas) - 1):
        sigma, after = sigmas[i], sigmas[i + 1]
        denoised = run.step(i, x, sigma)
        if after == 0:
            x = denoised
            continue
        path = _SeedsPath(x, sigma, (sigma / after).log(), eta, s_noise, noise)
        c1, c2, c3 = (-(-part * path.h_eta).expm1() for part in (r_1, r_2, 1.0))
        second = run.clean(path.at(r_1, c1 * denoised), path.level(r_1))
        a2 = r_2 / r_1 * (1 - c2 / (r_2 * path.h_eta))
        third = run.clean(path.at(r_2, (c2 - a2) * denoised + a2 * second), path.level(r_2))
        b3 = (1 - c3 / path.h_eta) / r_2
        x = path.at(1.0, (c3 - b3) * denoised + b3 * third)
    return x


class _SeedsPath:
    """The places inside one step, and the noise that has gathered on the way to them."""

    def __init__(
        self, x: Tensor, sigma: Tensor, h: Tensor, eta: float, s_noise: float, noise: NoiseSampler
    ) -> None:
        self.x, self.sigma, self.h, self.eta, self.s_noise, self.noise = x, sigma, h, eta, s_noise, noise
        self.h_eta = h * (eta + 1)
        self.gathered: Any = 0.0
        self.reached = 0.0

    def level(self, part: float) -> Tensor:
        return self.sigma * (-part * self.h).exp()

    def at(self, part: float, drift: Tensor) -> Tensor:
        """x at a part of the step, given what the clean images add up to there."""
        step = (part - self.reached) * self.h * self.eta
        fresh = self.noise(self.level(self.reached), self.level(part)) if self.eta and self.s_noise else 0.0
        self.gathered = (-step).exp() * self.gathered + (-(-2 * step).expm1()).sqrt() * fresh
        self.reached = part
        decay = (-part * self.h_eta).exp()
        return decay * self.x + drift + self.level(part) * self.gathered * self.s_noise
