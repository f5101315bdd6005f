"""Every sampler against recorded numbers: eight karras steps with a closed-form model (see
data/README.md)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.names import SAMPLER_NAMES
from diffusion.samplers import SAMPLERS
from diffusion.sampling import sampler_named
from diffusion.sampling_space import sampling_of
from diffusion.schedules import karras

RECORDED = load_file(Path(__file__).parent / "data" / "samplers.safetensors")
SPACE = sampling_of(FAMILIES["sd1"])


@dataclass
class ClosedForm:
    """A denoiser and its guidance in two lines of mathematics, instead of a network."""

    cfg: float = 5.0
    sampling: Any = SPACE
    model_options: Any = None

    def __call__(self, x: Tensor, sigma: Tensor, model_options: Any = None, seed: Any = None) -> Tensor:
        b = sigma.reshape(-1, 1, 1, 1)
        cond = 0.8 * x / (1 + b**2) + 0.3 * torch.tanh(x / (1 + b))
        uncond = 0.5 * x / (1 + b**2) + 0.1 * torch.sin(x)
        guided = uncond + self.cfg * (cond - uncond)
        for change in (model_options or {}).get("sampler_post_cfg_function", ()):
            guided = change(
                {
                    "denoised": guided,
                    "uncond": uncond,
                    "cond": cond,
                    "cond_denoised": cond,
                    "uncond_denoised": uncond,
                    "sigma": sigma,
                    "input": x,
                    "cond_scale": self.cfg,
                    "model_options": model_options,
                }
            )
        return guided


def run(name: str, sigmas: Tensor) -> Tensor:
    noise = RECORDED["noise"]
    guider = ClosedForm(model_options={})
    return sampler_named(name).sample(
        guider,  # type: ignore[arg-type]
        sigmas,
        {"model_options": {}, "seed": 1234},
        None,
        noise,
        torch.zeros_like(noise),
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_makes_the_recorded_latent(name: str) -> None:
    recorded = RECORDED[f"{name}/karras8"]
    error = (run(name, karras(8, SPACE)) - recorded).abs().max() / recorded.abs().max()
    assert error <= 1e-4


def test_the_samplers_are_the_fields_in_its_order() -> None:
    assert tuple(SAMPLERS) == SAMPLER_NAMES
    assert {f"{name}/karras8" for name in SAMPLERS} == RECORDED.keys() - {"noise"}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize(
    "sigmas",
    [[14.6, 0.0], [14.6, 1.0, 0.0], [14.6, 5.0, 1.0], [2.0, 1.0, 0.5, 0.0], [9.0, 9.0, 1.0, 1.0, 0.0]],
    ids=["one step", "two", "open end", "late start", "repeats"],
)
def test_a_sampler_copes_with_short_and_open_schedules(name: str, sigmas: list[float]) -> None:
    assert run(name, torch.tensor(sigmas)).isfinite().all()


def test_an_unknown_sampler_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DiffusionError, match=r"no sampler 'eular'.*euler"):
        sampler_named("eular")
