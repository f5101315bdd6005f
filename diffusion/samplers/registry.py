"""How samplers are registered, and what they share.

A sampler is a function of the k-diffusion shape: sample_x(model, x, sigmas, extra_args, callback, disable,
...) -> x. `model(x, sigma, **extra_args)` returns the clean image for x at sigma (B,). The callback gets
{"x", "i", "sigma", "sigma_hat", "denoised"} each step. Noise comes from CPU generators, so a seed gives one
picture on any device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.sampling_space import DiscreteSampling

Extra = dict[str, Any]
Callback = Callable[[dict[str, Any]], None]
SamplerFunction = Callable[..., Tensor]
NoiseSampler = Callable[[Any, Any], Tensor]
"""(sigma, next sigma) -> unit noise."""

SAMPLERS: Final[dict[str, SamplerFunction]] = {}


def sampler(*names: str) -> Callable[[SamplerFunction], SamplerFunction]:
    """Register a sampler function under its names."""

    def register(function: SamplerFunction) -> SamplerFunction:
        without_gradients = torch.no_grad()(function)
        SAMPLERS.update(dict.fromkeys(names, without_gradients))
        return without_gradients

    return register


@dataclass
class Run:
    """One run of a sampler: asks the denoiser and reports the steps."""

    model: Any
    extra: Extra
    callback: Callback | None

    def clean(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean image for x at one sigma."""
        return self.model(x, sigma * x.new_ones([x.shape[0]]), **self.extra)

    def step(self, i: int, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean image that begins step i, reported."""
        denoised = self.clean(x, sigma)
        self.report(i, x, sigma, denoised)
        return denoised

    def report(self, i: int, x: Tensor, sigma: Tensor, denoised: Tensor) -> None:
        if self.callback is not None:
            self.callback({"x": x, "i": i, "sigma": sigma, "sigma_hat": sigma, "denoised": denoised})

    def noise(self, x: Tensor, given: NoiseSampler | None = None) -> NoiseSampler:
        """The noise sampler given, or the default one for this run's seed."""
        return given or default_noise_sampler(x, self.extra.get("seed"))


@dataclass
class GuidedRun(Run):
    """A run that also keeps what each call's unconditional side said, for CFG++ (Chung et al. 2024)."""

    uncond: Any = None

    def clean(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean image for x at one sigma; self.uncond is the unconditional one."""
        options = dict(self.extra.get("model_options") or {})
        options["sampler_post_cfg_function"] = [*options.get("sampler_post_cfg_function", ()), self._keep]
        options["disable_cfg1_optimization"] = True
        extra = {**self.extra, "model_options": options}
        return self.model(x, sigma * x.new_ones([x.shape[0]]), **extra)

    def _keep(self, said: dict[str, Any]) -> Tensor:
        self.uncond = said["uncond_denoised"]
        return said["denoised"]


def sampling_of_model(model: Any) -> DiscreteSampling:
    """The noise levels of the network behind a denoiser."""
    return model.inner_model.sampling


def default_noise_sampler(x: Tensor, seed: int | None = None) -> NoiseSampler:
    """Unit noise like x, step after step, from a CPU generator; without a seed from torch's own, which goes
    on where the run's noise ended."""
    generator = None if seed is None else torch.Generator().manual_seed(seed % 2**64)
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


def middle(a: Tensor, b: Tensor) -> Tensor:
    """The level half-way between two in the logarithm."""
    return a.log().lerp(b.log(), 0.5).exp()
