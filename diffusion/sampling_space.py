"""Noise levels: what a network was trained on, and how its output becomes a clean image at a given sigma."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import torch
from torch import Tensor

from diffusion.families import Family

STEPS: Final = 1000


def _spread(sigma: Tensor, x: Tensor) -> Tensor:
    return sigma.reshape(sigma.shape[:1] + (1,) * (x.ndim - 1))


def _eps(sigma: Tensor, output: Tensor, x: Tensor) -> Tensor:
    return x - output * _spread(sigma, x)


def _velocity(sigma: Tensor, output: Tensor, x: Tensor) -> Tensor:
    s = _spread(sigma, x)
    return x / (s**2 + 1) - output * s / (s**2 + 1) ** 0.5


def _clean(sigma: Tensor, output: Tensor, x: Tensor) -> Tensor:
    return output


PREDICTIONS: Final[dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "eps": _eps,
    "v_prediction": _velocity,
    "x0": _clean,
}


@dataclass(frozen=True)
class DiscreteSampling:
    """A thousand trained noise levels, ascending; sigma is noise over signal (Karras et al. 2022, variance
    exploding).

    prediction: what the network puts out, a key of PREDICTIONS.
    """

    sigmas: Tensor
    prediction: str = "eps"
    sigma_data: float = 1.0

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
        """The index of the trained level nearest to each sigma, by ratio."""
        distance = sigma.log() - self.log_sigmas.to(sigma.device)[:, None]
        return distance.abs().argmin(dim=0).view(sigma.shape)

    def sigma(self, timestep: Tensor) -> Tensor:
        """The level at a timestep, 0 to 999; between whole steps the logarithm is interpolated."""
        t = timestep.float().clamp(0, len(self.sigmas) - 1)
        low, high, weight = t.floor().long(), t.ceil().long(), t.frac()
        return ((1 - weight) * self.log_sigmas[low] + weight * self.log_sigmas[high]).exp()

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after this part (0 to 1) of the way from pure noise."""
        if percent <= 0.0:
            return 999999999.9
        if percent >= 1.0:
            return 0.0
        return self.sigma(torch.tensor((1.0 - percent) * (len(self.sigmas) - 1))).item()

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """The network's input: x scaled to unit variance."""
        return noise / (_spread(sigma, noise) ** 2 + self.sigma_data**2) ** 0.5

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that the network's output stands for at x."""
        return PREDICTIONS[self.prediction](sigma, model_output, model_input)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The noisy latent at sigma; max_denoise: sigma stands for pure noise of the trained variance."""
        scale = (1.0 + _spread(sigma, noise) ** 2) ** 0.5 if max_denoise else _spread(sigma, noise)
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
