"""Samplers that only nodes of their own offer: the field's lists of samplers do not name them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.samplers.registry import Callback, Extra, GuidedRun, Run, to_d

Resize = Callable[[Tensor, int, int, str], Tensor]
"""(B, C, H, W), width, height, method -> the scaled tensor."""


@torch.no_grad()
def sample_euler_pp(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
) -> Tensor:
    """Euler's method whose slope leads from twice the guided clean image less the unconditional one."""
    run = GuidedRun(model, extra_args or {}, callback)
    for i in range(len(sigmas) - 1):
        denoised = run.step(i, x, sigmas[i])
        slope = to_d(x - denoised + run.uncond, sigmas[i], denoised)
        x = x + slope * (sigmas[i + 1] - sigmas[i])
    return x


@torch.no_grad()
def sample_lcm_upscale(
    model: Any,
    x: Tensor,
    sigmas: Tensor,
    extra_args: Extra | None = None,
    callback: Callback | None = None,
    disable: bool | None = None,
    *,
    resize: Resize,
    total_upscale: float = 2.0,
    upscale_method: str = "bislerp",
    upscale_steps: int | None = None,
) -> Tensor:
    """Latent consistency sampling (Luo et al. 2023) whose clean images grow step by step.

    upscale_steps: over how many steps it grows to total_upscale times its sides; None for half of them.
    """
    if getattr(model, "mask", None) is not None:
        raise DiffusionError("this sampler changes the latent's size, so a noise mask cannot go with it.")
    run, noise = Run(model, extra_args or {}, callback), _continued(x, extra_args or {})
    height, width = x.shape[-2:]
    factors = _growth(len(sigmas), total_upscale, upscale_steps)
    for i in range(len(sigmas) - 1):
        x = run.step(i, x, sigmas[i])
        if i < len(factors):
            x = resize(x, round(width * factors[i]), round(height * factors[i]), upscale_method)
        if sigmas[i + 1] > 0:
            x = x + sigmas[i + 1] * torch.randn(x.shape, generator=noise).to(x)
    return x


def _growth(levels: int, total: float, steps: int | None) -> list[float]:
    count = max(levels // 2 + 1, 2) if steps is None else min(steps + 1, levels + 1)
    return torch.linspace(1.0, total, count, dtype=torch.float64)[1:].tolist()


def _continued(x: Tensor, extra: Extra) -> torch.Generator:
    """The generator of a run's seed, past the noise that the run started from."""
    generator = torch.Generator().manual_seed((extra.get("seed") or 0) % 2**64)
    torch.randn(x.shape, generator=generator)
    return generator
