# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""`comfy.model_sampling`: noise levels and predictions that packs put together in classes of their own."""

import math
from typing import Any, Final

import torch
from torch import Tensor, nn

from compat.names.session import Session
from diffusion.sampling_space import PREDICTIONS, DiscreteSampling, zero_terminal

Names = dict[str, Any]
_PURE: Final = 999999999.9
"""A sigma above all levels: from the very start."""


class _Known(type):
    """The kind of classes that our own noise levels belong to by kind and by what the network puts out."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if isinstance(instance, DiscreteSampling):
            said = cls.__dict__.get("prediction")
            return (
                instance.prediction == said
                if said
                else cls.__dict__.get("__table__") is (instance.clock is None)
            )
        return super().__instancecheck__(instance)


def _spread(sigma: Tensor, x: Tensor) -> Tensor:
    return sigma.view(()) if sigma.nelement() == 1 else sigma.view(sigma.shape[:1] + (1,) * (x.ndim - 1))


class EPS(metaclass=_Known):
    """The network puts out noise."""

    prediction = "eps"
    sigma_data: Any = 1.0

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """What the network is shown."""
        return noise / (_spread(sigma, noise) ** 2 + self.sigma_data**2) ** 0.5

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that an output stands for."""
        levels: Any = self
        known = PREDICTIONS[self.prediction]
        return known.denoised(levels, _spread(sigma, model_output), model_output, model_input)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The noisy latent at sigma."""
        level = _spread(sigma, noise)
        return noise * ((1.0 + level**2) ** 0.5 if max_denoise else level) + latent_image

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        """The latent that is left at sigma."""
        return latent


class V_PREDICTION(EPS):
    """The network puts out velocity."""

    prediction = "v_prediction"


class EDM(V_PREDICTION):
    """The network puts out what Karras et al. 2022 have it put out."""

    prediction = "edm"


class X0(EPS):
    """The network puts out the clean latent."""

    prediction = "x0"

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The output."""
        return model_output


class IMG_TO_IMG(X0):
    """The network puts out the clean latent and is shown the noisy one as it is."""

    prediction = "image"

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """The latent."""
        return noise


class CONST(metaclass=_Known):
    """The network puts out the flow from picture to noise."""

    prediction = "flow"

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """The latent."""
        return noise

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor) -> Tensor:
        """The clean latent that an output stands for."""
        return model_input - model_output * _spread(sigma, model_output)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The latent on its way at sigma."""
        part = _spread(sigma, noise)
        return part * noise + (1.0 - part) * latent_image

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        """The latent that is left at sigma."""
        return latent / (1.0 - _spread(sigma, latent))


class _Range(nn.Module):
    """Noise levels between two, ascending."""

    sigmas: Tensor
    log_sigmas: Tensor

    @property
    def sigma_min(self) -> Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> Tensor:
        return self.sigmas[-1]


def _settings(model_config: Any) -> dict[str, Any]:
    return getattr(model_config, "sampling_settings", None) or {}


class ModelSamplingDiscrete(_Range, metaclass=_Known):
    """A table of trained levels."""

    __table__ = True

    def __init__(self, model_config: Any = None, zsnr: bool | None = None) -> None:
        super().__init__()
        told = _settings(model_config)
        start, end = told.get("linear_start", 0.00085), told.get("linear_end", 0.012)
        self.zsnr = told.get("zsnr", False) if zsnr is None else zsnr
        self.num_timesteps = told.get("timesteps", 1000)
        self.linear_start, self.linear_end, self.sigma_data = start, end, 1.0
        betas = torch.linspace(start**0.5, end**0.5, self.num_timesteps, dtype=torch.float64) ** 2
        kept = torch.cumprod(1.0 - betas, dim=0)
        sigmas = ((1 - kept) / kept) ** 0.5
        self.set_sigmas(zero_terminal(sigmas) if self.zsnr else sigmas)

    def set_sigmas(self, sigmas: Tensor) -> None:
        """Put in other levels."""
        self.register_buffer("sigmas", sigmas.float())
        self.register_buffer("log_sigmas", sigmas.log().float())

    def timestep(self, sigma: Tensor) -> Tensor:
        """The trained step nearest to each sigma by ratio."""
        away = sigma.log().to(self.log_sigmas.device) - self.log_sigmas[:, None]
        return away.abs().argmin(dim=0).view(sigma.shape).to(sigma.device)

    def sigma(self, timestep: Tensor) -> Tensor:
        """The level at a timestep; between steps the logarithm is interpolated."""
        t = timestep.float().to(self.log_sigmas.device).clamp(0, len(self.sigmas) - 1)
        low, high, part = t.floor().long(), t.ceil().long(), t.frac()
        return ((1 - part) * self.log_sigmas[low] + part * self.log_sigmas[high]).exp().to(timestep.device)

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after a part of the way."""
        if not 0.0 < percent < 1.0:
            return _PURE if percent <= 0.0 else 0.0
        return self.sigma(torch.tensor((1.0 - percent) * 999.0)).item()


class ModelSamplingContinuousEDM(_Range):
    """Any level between two."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__()
        told = _settings(model_config)
        low, high = told.get("sigma_min", 0.002), told.get("sigma_max", 120.0)
        self.set_parameters(low, high, told.get("sigma_data", 1.0))

    def set_parameters(self, sigma_min: float, sigma_max: float, sigma_data: float) -> None:
        """Choose the two."""
        self.sigma_data = sigma_data
        sigmas = torch.linspace(math.log(sigma_min), math.log(sigma_max), 1000).exp()
        self.register_buffer("sigmas", sigmas)
        self.register_buffer("log_sigmas", sigmas.log())

    def timestep(self, sigma: Tensor) -> Tensor:
        """The time that the network is told."""
        return 0.25 * sigma.log()

    def sigma(self, timestep: Tensor) -> Tensor:
        """The level at a time."""
        return (timestep / 0.25).exp()

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after a part of the way."""
        if not 0.0 < percent < 1.0:
            return _PURE if percent <= 0.0 else 0.0
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        return math.exp((high - low) * (1.0 - percent) + low)


class ModelSamplingContinuousV(ModelSamplingContinuousEDM):
    """Any level between two, told as an angle."""

    def timestep(self, sigma: Tensor) -> Tensor:
        return sigma.atan() / math.pi * 2

    def sigma(self, timestep: Tensor) -> Tensor:
        return (timestep * math.pi / 2).tan()


def time_snr_shift(alpha: float, t: Any) -> Any:
    """A time moved towards the noisy end."""
    return t if alpha == 1.0 else alpha * t / (1 + (alpha - 1) * t)


class ModelSamplingDiscreteFlow(_Range):
    """Levels of a flow, shifted."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__()
        told = _settings(model_config)
        self.set_parameters(told.get("shift", 1.0), multiplier=told.get("multiplier", 1000))

    def set_parameters(self, shift: float = 1.0, timesteps: int = 1000, multiplier: float = 1000) -> None:
        """Choose the shift."""
        self.shift, self.multiplier = shift, multiplier
        self.register_buffer("sigmas", self.sigma(torch.arange(1, timesteps + 1) / timesteps * multiplier))

    def timestep(self, sigma: Tensor) -> Tensor:
        """The time that the network is told."""
        return sigma * self.multiplier

    def sigma(self, timestep: Any) -> Any:
        """The level at a time."""
        return time_snr_shift(self.shift, timestep / self.multiplier)

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after a part of the way."""
        if not 0.0 < percent < 1.0:
            return 1.0 if percent <= 0.0 else 0.0
        return time_snr_shift(self.shift, 1.0 - percent)


def flux_time_shift(mu: float, sigma: float, t: Any) -> Any:
    """A time moved towards the noisy end, by an exponent."""
    return math.exp(mu) / (math.exp(mu) + (1 / t - 1) ** sigma)


class ModelSamplingFlux(_Range):
    """Levels of a flow, shifted by an exponent."""

    def __init__(self, model_config: Any = None) -> None:
        super().__init__()
        self.set_parameters(_settings(model_config).get("shift", 1.15))

    def set_parameters(self, shift: float = 1.15, timesteps: int = 10000) -> None:
        """Choose the shift."""
        self.shift = shift
        self.register_buffer("sigmas", self.sigma(torch.arange(1, timesteps + 1) / timesteps))

    def timestep(self, sigma: Tensor) -> Tensor:
        """The time that the network is told."""
        return sigma

    def sigma(self, timestep: Any) -> Any:
        """The level at a time."""
        return flux_time_shift(self.shift, 1.0, timestep)

    def percent_to_sigma(self, percent: float) -> float:
        """The level reached after a part of the way."""
        if not 0.0 < percent < 1.0:
            return 1.0 if percent <= 0.0 else 0.0
        return flux_time_shift(self.shift, 1.0, 1.0 - percent)


_PREDICTIONS: Final = (EPS, V_PREDICTION, EDM, X0, IMG_TO_IMG, CONST)
_RANGES: Final = (
    ModelSamplingDiscrete, ModelSamplingContinuousEDM, ModelSamplingContinuousV, ModelSamplingDiscreteFlow,
    ModelSamplingFlux,
)  # fmt: skip


def model_sampling(session: Session) -> Names:
    """The names of `comfy.model_sampling`."""
    kinds = {kind.__name__: kind for kind in (*_PREDICTIONS, *_RANGES)}
    more = {"time_snr_shift": time_snr_shift, "flux_time_shift": flux_time_shift}
    return {**kinds, **more, "rescale_zero_terminal_snr_sigmas": zero_terminal, "torch": torch, "math": math}
