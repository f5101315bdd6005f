"""Patches of the noise levels: what a network's output is taken for, and between which sigmas it runs."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from diffusion.sampling_space import (
    ANGLE_CLOCK,
    EDM_CLOCK,
    FLOW_CLOCK,
    DiscreteSampling,
    continuous,
    discrete_sigmas,
    distilled,
    sampling_of,
    zero_terminal,
)
from diffusion.values import Model

EDM_DATA: Final = 0.5
"""Spread of the data that EDM's preconditioning was trained for (Karras et al. 2022)."""


@dataclass(frozen=True)
class NormedLatents:
    """A latent format with a mean and spread for each channel."""

    scale_factor: float
    means: tuple[float, ...]
    spreads: tuple[float, ...]

    @property
    def latent_channels(self) -> int:
        return len(self.means)

    def process_in(self, latent: Tensor) -> Tensor:
        """Autoencoder's latent → network's."""
        mean, spread = self._facts(latent)
        return (latent - mean) * self.scale_factor / spread

    def process_out(self, latent: Tensor) -> Tensor:
        """Network's latent → autoencoder's."""
        mean, spread = self._facts(latent)
        return latent * spread / self.scale_factor + mean

    def _facts(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = (
            torch.tensor(values).to(latent)[:, None, None] for values in (self.means, self.spreads)
        )
        return mean, spread


# From the configuration that Playground v2.5 was published with.
PLAYGROUND: Final = NormedLatents(0.5, (-1.6574, 1.886, -1.383, 2.5155), (8.4927, 5.9022, 6.5498, 5.2299))


def with_levels(model: Model, levels: DiscreteSampling) -> Model:
    """A clone that samples on other noise levels."""
    patched = model.clone()
    patched.add_object_patch("model_sampling", levels)
    return patched


def discrete(model: Model, prediction: str, zero_snr: bool) -> Model:
    """The family's trained levels, taken for another prediction.

    prediction: "eps", "v_prediction", "x0", "img_to_img", or "lcm" for latent consistency models, which were
    distilled on 50 levels. zero_snr: the last level has no signal left (Lin et al. 2023).
    """
    family = model.family
    if prediction != "lcm":
        return with_levels(model, sampling_of(family, prediction, zero_snr))
    sigmas = discrete_sigmas(family.beta_start, family.beta_end)
    return with_levels(model, distilled(DiscreteSampling(zero_terminal(sigmas) if zero_snr else sigmas)))


def continuous_edm(model: Model, prediction: str, sigma_max: float, sigma_min: float) -> Model:
    """Any level between two, told to the network as a quarter of its logarithm (Karras et al. 2022), or for
    "cosmos_rflow" as the share of noise."""
    edm = prediction.startswith("edm")
    data = EDM_DATA if edm else 1.0
    clock = FLOW_CLOCK if prediction == "cosmos_rflow" else EDM_CLOCK
    levels = continuous(clock, "edm" if edm else prediction, sigma_min, sigma_max, data)
    patched = with_levels(model, levels)
    if prediction == "edm_playground_v2.5":
        patched.add_object_patch("latent_format", PLAYGROUND)
    return patched


def continuous_v(model: Model, prediction: str, sigma_max: float, sigma_min: float) -> Model:
    """Any level between two sigmas, told to the network as an angle from 0 to 1."""
    return with_levels(model, continuous(ANGLE_CLOCK, prediction, sigma_min, sigma_max))
