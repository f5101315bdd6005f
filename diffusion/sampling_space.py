"""Noise levels: what a network was trained on, and how its output becomes a clean image at a given sigma."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import exp, log, pi
from typing import Final

import torch
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.families import Family

STEPS: Final = 1000


def _spread(sigma: Tensor, x: Tensor) -> Tensor:
    return sigma.reshape(sigma.shape[:1] + (1,) * (x.ndim - 1))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network puts out: denoised(levels, sigma, output, x) is the clean latent that it stands for, and
    scaled(sigma, x, sigma_data) what the network is shown of x. Sigmas are spread over x's axes."""

    denoised: Callable[["DiscreteSampling", Tensor, Tensor, Tensor], Tensor]
    scaled: Callable[[Tensor, Tensor, float], Tensor] = lambda s, x, data: x / (s**2 + data**2) ** 0.5


def _eps(levels: "DiscreteSampling", s: Tensor, output: Tensor, x: Tensor) -> Tensor:
    return x - output * s


def _velocity(levels: "DiscreteSampling", s: Tensor, output: Tensor, x: Tensor) -> Tensor:
    data = levels.sigma_data
    return x * data**2 / (s**2 + data**2) - output * s * data / (s**2 + data**2) ** 0.5


def _edm(levels: "DiscreteSampling", s: Tensor, output: Tensor, x: Tensor) -> Tensor:
    return _velocity(levels, s, -output, x)


def _consistency(levels: "DiscreteSampling", s: Tensor, output: Tensor, x: Tensor) -> Tensor:
    """Latent consistency's boundary: at time 0 the latent itself (Luo et al. 2023; data 0.5, time x 10)."""
    time = levels.timestep(s.flatten()).reshape(s.shape) * 10.0
    skip, out = 0.25 / (time**2 + 0.25), time / (time**2 + 0.25) ** 0.5
    return out * (x - output * s) + skip * x


def _flow(levels: "DiscreteSampling", s: Tensor, output: Tensor, x: Tensor) -> Tensor:
    part = s / (s + 1)
    return x * (1.0 - part) - output * part


PREDICTIONS: Final = {
    "eps": Prediction(_eps),
    "v_prediction": Prediction(_velocity),
    "edm": Prediction(_edm),
    "lcm": Prediction(_consistency),
    "x0": Prediction(lambda levels, s, output, x: output),
    "img_to_img": Prediction(lambda levels, s, output, x: output, lambda s, x, data: x),
    "cosmos_rflow": Prediction(_flow, lambda s, x, data: x * (1.0 - s / (s + 1))),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """How levels that are not a table are told to the network: time of a sigma, and sigma of a time."""

    time: Callable[[Tensor], Tensor]
    sigma: Callable[[Tensor], Tensor]


EDM_CLOCK: Final = Clock(lambda s: 0.25 * s.log(), lambda t: (t / 0.25).exp())
ANGLE_CLOCK: Final = Clock(lambda s: s.atan() / pi * 2, lambda t: (t * pi / 2).tan())
FLOW_CLOCK: Final = Clock(lambda s: s / (s + 1), lambda t: t / (1 - t))


@dataclass(frozen=True)
class DiscreteSampling:
    """Trained noise levels, ascending; sigma is noise over signal (Karras et al. 2022, variance exploding).

    prediction: what the network puts out, a key of PREDICTIONS. every: how many of the thousand trained steps
    each level stands for. clock: given when the levels are a range that any sigma may be taken from.
    """

    sigmas: Tensor
    prediction: str = "eps"
    sigma_data: float = 1.0
    every: int = 1
    clock: Clock | None = None

    @cached_property
    def log_sigmas(self) -> Tensor:
        return self.sigmas.log()

    @property
    def sigma_min(self) -> Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> Tensor:
        return self.sigmas[-1]

    def timestep(self, sigma: Tensor) -> Tensor:
        """What the network is told of each sigma: the trained step nearest by ratio, or the clock's time."""
        if self.clock is not None:
            return self.clock.time(sigma)
        distance = sigma.log() - self.log_sigmas.to(sigma.device)[:, None]
        return distance.abs().argmin(dim=0).view(sigma.shape) * self.every + (self.every - 1)

    def sigma(self, timestep: Tensor) -> Tensor:
        """The level at a timestep, 0 to 999; between whole steps the logarithm is interpolated."""
        if self.clock is not None:
            return self.clock.sigma(timestep.float())
        t = ((timestep.float() - (self.every - 1)) / self.every).clamp(0, len(self.sigmas) - 1)
        low, high, weight = t.floor().long(), t.ceil().long(), t.frac()
        return ((1 - weight) * self.log_sigmas[low] + weight * self.log_sigmas[high]).exp()

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after this part (0 to 1) of the way from pure noise."""
        if percent <= 0.0:
            return 999999999.9
        if percent >= 1.0:
            return 0.0
        if self.clock is not None:
            low, high = log(self.sigma_min), log(self.sigma_max)
            return exp((high - low) * (1.0 - percent) + low)
        return self.sigma(torch.tensor((1.0 - percent) * (STEPS - 1))).item()

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """The network's input: x scaled to unit variance."""
        return PREDICTIONS[self.prediction].scaled(_spread(sigma, noise), noise, self.sigma_data)

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that the network's output stands for at x."""
        spread = _spread(sigma, model_input)
        return PREDICTIONS[self.prediction].denoised(self, spread, model_output, model_input)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The noisy latent at sigma; max_denoise: sigma stands for pure noise of the trained variance."""
        whole = max_denoise and self.prediction != "cosmos_rflow"
        scale = (1.0 + _spread(sigma, noise) ** 2) ** 0.5 if whole else _spread(sigma, noise)
        return noise * scale + latent_image

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        return latent


def discrete_sigmas(beta_start: float, beta_end: float) -> Tensor:
    """The thousand levels of a "scaled linear" schedule: betas linear in their square root (Rombach et al.
    2022)."""
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, STEPS, dtype=torch.float64) ** 2
    kept = torch.cumprod(1.0 - betas, dim=0)
    return ((1 - kept) / kept).sqrt().float()


def zero_terminal(sigmas: Tensor) -> Tensor:
    """Levels rescaled so that the last has (nearly) no signal left (Lin et al. 2023, "Common diffusion
    noise schedules")."""
    root = (1 / (sigmas**2 + 1)).sqrt()
    first, last = root[0].clone(), root[-1].clone()
    root = (root - last) * first / (first - last)
    kept = root**2
    kept[-1] = 4.8973451890853435e-08
    return ((1 - kept) / kept) ** 0.5


def sampling_of(family: Family, prediction: str | None = None, zero_snr: bool = False) -> DiscreteSampling:
    """The noise levels a family was trained on."""
    sigmas = discrete_sigmas(family.beta_start, family.beta_end)
    return DiscreteSampling(zero_terminal(sigmas) if zero_snr else sigmas, prediction or family.prediction)


def distilled(levels: DiscreteSampling, kept: int = 50) -> DiscreteSampling:
    """Every n-th level from the noisiest down, as many as a consistency model was distilled on."""
    every = len(levels.sigmas) // kept
    return DiscreteSampling(levels.sigmas[every - 1 :: every], "lcm", every=every)


def continuous(
    clock: Clock, prediction: str, sigma_min: float, sigma_max: float, sigma_data: float = 1.0
) -> DiscreteSampling:
    """Any level between two, on a clock; the thousand sigmas that schedules may pick are even by ratio."""
    if not 0.0 < sigma_min < sigma_max:
        raise DiffusionError(
            f"sigma_min {sigma_min} and sigma_max {sigma_max} make no range: "
            "sigma_min must be above 0 and below sigma_max."
        )
    sigmas = torch.linspace(log(sigma_min), log(sigma_max), STEPS).exp()
    return DiscreteSampling(sigmas, prediction, sigma_data, clock=clock)
