"""Samplers: short functions of the k-diffusion shape, sample_x(model, x, sigmas, ...) -> x, registered by
name.

`model(x, sigma, **extra_args)` returns the clean image for x at sigma (B,). A callback gets {"x", "i",
"sigma", "sigma_hat", "denoised"} each step. Noise comes from CPU generators, so a seed gives one picture on
any device.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SamplerFunction = Callable[..., Tensor]

NoiseSampler = Callable[[Any, Any], Tensor]
"""(sigma, next sigma) -> unit noise."""

SAMPLERS: dict[str, SamplerFunction] = {}


def sampler(*names: str) -> Callable[[SamplerFunction], SamplerFunction]:
    """Register a sampler function under its names."""

    def register(function: SamplerFunction) -> SamplerFunction:
        SAMPLERS.update(dict.fromkeys(names, function))
        return function

    return register


def default_noise_sampler(x: Tensor, seed: int | None = None) -> NoiseSampler:
    """Unit noise like x, step after step, from a CPU generator."""
    generator = torch.Generator()
    generator.manual_seed((seed or 0) % 2**64)
    return lambda sigma, sigma_next: torch.randn(x.shape, generator=generator).to(x)


def to_d(x: Tensor, sigma: Tensor, denoised: Tensor) -> Tensor:
    """The derivative dx/dsigma that a clean image stands for."""
    return (x - denoised) / sigma


def ancestral_step(sigma: Tensor, sigma_next: Tensor, eta: float = 1.0) -> tuple[Tensor, Tensor]:
    """(level to step down to, noise to add) that together end at sigma_next."""
    if not eta:
        return sigma_next, torch.zeros_like(sigma_next)
    up = torch.minimum(sigma_next, eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2) ** 0.5)
    return (sigma_next**2 - up**2) ** 0.5, up


def _report(
    callback: Callable[[dict[str, Any]], None] | None, i: int, x: Tensor, sigma: Tensor, denoised: Tensor
) -> None:
    if callback is not None:
        callback({"x": x, "i": i, "sigma": sigma, "sigma_hat": sigma, "denoised": denoised})


Extra = dict[str, Any]
Callback = Callable[[dict[str, Any]], None]


@sampler("euler", "ddim")
@torch.no_grad()
def sample_euler(
    model: Any, x: Tensor, sigmas: Tensor, extra_args: Extra, callback: Callback | None = None, **_: Any
) -> Tensor:
    """Euler's method (Karras et al. 2022, algorithm 2 without churn); in sigma it is also DDIM with eta 0."""
    ones = x.new_ones([x.shape[0]])
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * ones, **extra_args)
        _report(callback, i, x, sigmas[i], denoised)
        x = x + to_d(x, sigmas[i], denoised) * (sigmas[i + 1] - sigmas[i])
    return x


@sampler("euler_ancestral")
@torch.no_grad()
def sample_euler_ancestral(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra,
    callback: Callback | None = None,
    eta: float = 1.0,
    s_noise: float = 1.0,
    noise_sampler: NoiseSampler | None = None,
    **_: Any,
) -> Tensor:
    """Euler's method that steps too far down and adds fresh noise."""
    ones, noise = x.new_ones([x.shape[0]]), noise_sampler or default_noise_sampler(x, extra_args.get("seed"))
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * ones, **extra_args)
        _report(callback, i, x, sigmas[i], denoised)
        down, up = ancestral_step(sigmas[i], sigmas[i + 1], eta)
        if down == 0:
            x = denoised
        else:
            x = x + to_d(x, sigmas[i], denoised) * (down - sigmas[i])
            x = x + noise(sigmas[i], sigmas[i + 1]) * s_noise * up
    return x


@sampler("dpmpp_2m")
@torch.no_grad()
def sample_dpmpp_2m(
    model: Any, x: Tensor, sigmas: Tensor, extra_args: Extra, callback: Callback | None = None, **_: Any
) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022): second order from the step before."""
    ones, old = x.new_ones([x.shape[0]]), None
    for i in range(len(sigmas) - 1):
        denoised = model(x, sigmas[i] * ones, **extra_args)
        _report(callback, i, x, sigmas[i], denoised)
        step = sigmas[i].log() - sigmas[i + 1].log()
        if old is None or sigmas[i + 1] == 0:
            clean = denoised
        else:
            ratio = (sigmas[i - 1].log() - sigmas[i].log()) / step
            clean = (1 + 1 / (2 * ratio)) * denoised - 1 / (2 * ratio) * old
        x = (sigmas[i + 1] / sigmas[i]) * x - (-step).expm1() * clean
        old = denoised
    return x
