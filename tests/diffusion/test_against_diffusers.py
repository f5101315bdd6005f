"""The same weights and noise through diffusers' own pipeline give the same latent."""

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.sampling import Guider, noise_for, sampler_named
from diffusion.text import encode
from diffusion.values import Checkpoint

TRAINED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
NOISE = noise_for(torch.zeros(1, 4, 6, 8), 11)


@pytest.fixture(scope="module")
def vectors(small: Checkpoint) -> tuple[Tensor, Tensor]:
    assert small.clip is not None
    return encode(small.clip, "a red circle")[0][0], encode(small.clip, "blurry")[0][0]


def theirs(small: Checkpoint, vectors: tuple[Tensor, Tensor], scheduler: Any) -> Tensor:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

    assert small.vae is not None
    pipeline: Any = StableDiffusionPipeline(
        vae=small.vae.first_stage_model,  # type: ignore[arg-type]
        text_encoder=None,  # type: ignore[arg-type]
        tokenizer=None,  # type: ignore[arg-type]
        unet=small.model.model.diffusion_model.float(),  # type: ignore[arg-type]
        scheduler=scheduler,
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline(
        prompt_embeds=vectors[0],
        negative_prompt_embeds=vectors[1],
        latents=NOISE.clone(),
        num_inference_steps=5,
        guidance_scale=6.0,
        height=48,
        width=64,
        output_type="latent",
    )
    return made.images


def ours(small: Checkpoint, vectors: tuple[Tensor, Tensor], start: Tensor, sigmas: Tensor) -> Tensor:
    guider = Guider(small.model)
    guider.set_conds([[vectors[0], {}]], [[vectors[1], {}]])
    guider.set_cfg(6.0)
    made = guider.sample(start / sigmas[0], torch.zeros_like(start), sampler_named("euler"), sigmas)
    return small.model.model.process_latent_in(made)


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


# diffusers meets numpy 2 with an old protocol here.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_euler_agrees_with_the_pipeline(small: Checkpoint, vectors: tuple[Tensor, Tensor]) -> None:
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    scheduler: Any = EulerDiscreteScheduler(**TRAINED, timestep_spacing="leading")
    scheduler.set_timesteps(5)
    sigmas, start = scheduler.sigmas.clone(), NOISE * scheduler.init_noise_sigma
    made = theirs(small, vectors, EulerDiscreteScheduler(**TRAINED, timestep_spacing="leading"))
    assert relative(ours(small, vectors, start, sigmas), made) < 1e-3


def test_ddim_agrees_with_the_pipeline(small: Checkpoint, vectors: tuple[Tensor, Tensor]) -> None:
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    scheduler: Any = DDIMScheduler(**TRAINED, clip_sample=False, set_alpha_to_one=False)
    scheduler.set_timesteps(5)
    levels = small.model.sampling.sigmas
    sigmas = torch.cat([levels[scheduler.timesteps], levels[:1]])
    start = NOISE * (sigmas[0] ** 2 + 1).sqrt()
    # DDIM's latents keep unit variance; ours grow with sigma.
    mine = ours(small, vectors, start, sigmas) / (sigmas[-1] ** 2 + 1).sqrt()
    assert relative(mine, theirs(small, vectors, scheduler)) < 1e-3
