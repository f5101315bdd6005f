"""The same weights and noise through diffusers' own pipelines give the same latents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.controlnet_files import load_controlnet
from diffusion.devices import choose_device
from diffusion.errors import DiffusionError
from diffusion.loading import load_checkpoint
from diffusion.names import DIFFUSERS_NAMES
from diffusion.samplers import SAMPLERS
from diffusion.samplers.diffusers_schedulers import SCHEDULERS, begun, built, levels_of, sample_diffusers
from diffusion.sampling import Guider, Sampler, noise_for, sampler_named
from diffusion.text import encode
from diffusion.values import Checkpoint, Conditioning, Model
from tests.diffusion.published import SD1, filled, save_checkpoint, unet_shapes

SEED = 11
STEPS = 5
CFG = 6.0
SHAPE = (1, 4, 6, 8)
NOISE = noise_for(torch.zeros(SHAPE), SEED)
PICTURE = noise_for(torch.zeros(SHAPE), 5)
"""The latent of a picture, in the network's scale."""
HALF = torch.zeros(1, 1, 48, 64)
HALF[..., 32:] = 1
"""A mask that lets the right half change."""

# diffusers meets numpy 2 with an old protocol in some schedulers.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

Sides = tuple[Conditioning, Conditioning]


def sides(checkpoint: Checkpoint) -> Sides:
    """A positive and a negative prompt."""
    assert checkpoint.clip is not None
    return encode(checkpoint.clip, "a red circle"), encode(checkpoint.clip, "blurry")


def embeddings(prompts: Sides) -> dict[str, Tensor]:
    """Prompts under the names that diffusers' pipelines take."""
    return {"prompt_embeds": prompts[0][0][0], "negative_prompt_embeds": prompts[1][0][0]}


def pooled(prompts: Sides) -> dict[str, Tensor]:
    """The pooled parts as well, for the larger families."""
    return embeddings(prompts) | {
        "pooled_prompt_embeds": prompts[0][0][1]["pooled_output"],
        "negative_pooled_prompt_embeds": prompts[1][0][1]["pooled_output"],
    }


def theirs(kind: Any, checkpoint: Checkpoint, scheduler: Any, parts: dict[str, Any], **inputs: Any) -> Tensor:
    """The latent that a pipeline class of diffusers makes."""
    assert checkpoint.vae is not None
    modules = dict.fromkeys(("text_encoder", "tokenizer", *parts.pop("more", ())))
    # The older pipelines want to know the size that a U-Net was made for.
    checkpoint.model.model.diffusion_model.register_to_config(sample_size=64)  # type: ignore[operator]
    pipeline = kind(
        vae=checkpoint.vae.first_stage_model,
        unet=checkpoint.model.model.diffusion_model.float(),
        scheduler=scheduler,
        **modules,
        **parts,
    )
    pipeline.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {
        "num_inference_steps": STEPS,
        "guidance_scale": CFG,
        "generator": torch.Generator().manual_seed(SEED),
        "output_type": "latent",
    }
    return pipeline(**given | inputs).images


PLAIN: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
SIZE = {"height": 48, "width": 64}


def ours(
    model: Model,
    prompts: Sides,
    sampler: Sampler,
    sigmas: Tensor,
    start: Tensor | None = None,
    mask: Tensor | None = None,
    noise: Tensor = NOISE,
) -> Tensor:
    """The latent that our sampling makes, in the network's scale. start: likewise; without, an empty one."""
    guider, network = Guider(model), model.model
    guider.set_conds(*prompts)
    guider.set_cfg(CFG)
    latent = torch.zeros_like(noise) if start is None else network.process_latent_out(start)
    return network.process_latent_in(guider.sample(noise, latent, sampler, sigmas, mask, seed=SEED))


def through(name: str, steps: int = STEPS) -> Sampler:
    """A scheduler of diffusers as our sampler."""
    return Sampler(sample_diffusers, {"scheduler": name, "steps": steps})


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def text_to_image(checkpoint: Checkpoint, scheduler: Any) -> Tensor:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

    return theirs(
        StableDiffusionPipeline, checkpoint, scheduler, {**PLAIN}, **SIZE, **embeddings(sides(checkpoint))
    )


# The EDM schedulers belong to no pipeline of these families; KDPM2 asks between trained steps, where
# diffusers' U-Nets take a fraction of a step and ours, like the field's, the nearest one.
IN_PIPELINES = [n for n in SCHEDULERS if not n.startswith(("edm", "kdpm2"))]


@pytest.mark.parametrize("name", IN_PIPELINES)
def test_a_scheduler_makes_the_latents_of_its_pipeline(small: Checkpoint, name: str) -> None:
    scheduler = built(name, small.model.sampling, STEPS)
    made = ours(small.model, sides(small), through(name), levels_of(scheduler))
    assert relative(made, text_to_image(small, scheduler)) < 1e-3


@pytest.mark.parametrize("name", ["kdpm2", "kdpm2_ancestral"])
def test_a_scheduler_between_trained_steps_comes_near_its_pipeline(small: Checkpoint, name: str) -> None:
    scheduler = built(name, small.model.sampling, STEPS)
    made = ours(small.model, sides(small), through(name), levels_of(scheduler))
    assert relative(made, text_to_image(small, scheduler)) < 2e-2


@pytest.mark.parametrize(("edm", "plain"), [("edm_euler", "euler"), ("edm_dpm", "dpmpp_2m")])
def test_edm_schedulers_make_what_the_same_solver_makes(small: Checkpoint, edm: str, plain: str) -> None:
    levels = levels_of(built(edm, small.model.sampling, 12))
    made = ours(small.model, sides(small), through(edm, 12), levels)
    # DPM-Solver++ of diffusers ends with a step of first order as ours does; both start as levels say.
    assert relative(made, ours(small.model, sides(small), sampler_named(plain), levels)) < 1e-2


def test_our_euler_makes_the_latents_of_the_pipeline(small: Checkpoint) -> None:
    scheduler = built("euler", small.model.sampling, STEPS)
    sigmas = scheduler.sigmas.clone()
    start = NOISE * float(scheduler.init_noise_sigma) / sigmas[0]
    made = ours(small.model, sides(small), sampler_named("euler"), sigmas, noise=start)
    assert relative(made, text_to_image(small, scheduler)) < 1e-3


def test_our_lms_makes_the_latents_of_the_pipeline(small: Checkpoint) -> None:
    scheduler = built("lms", small.model.sampling, STEPS)
    sigmas = scheduler.sigmas.clone()
    start = NOISE * float(scheduler.init_noise_sigma) / sigmas[0]
    made = ours(small.model, sides(small), sampler_named("lms"), sigmas, noise=start)
    assert relative(made, text_to_image(small, scheduler)) < 1e-3


def test_our_euler_makes_the_latents_of_ddim(small: Checkpoint) -> None:
    scheduler = built("ddim", small.model.sampling, STEPS)
    levels = small.model.sampling.sigmas
    sigmas = torch.cat([levels[scheduler.timesteps], levels[:1]])
    start = NOISE * (1 + sigmas[0] ** 2).sqrt() / sigmas[0]
    # DDIM's latents keep unit variance; ours grow with sigma.
    made = ours(small.model, sides(small), sampler_named("euler"), sigmas, noise=start)
    assert relative(made / (sigmas[-1] ** 2 + 1).sqrt(), text_to_image(small, scheduler)) < 1e-3


@pytest.mark.parametrize("name", ["euler", "ddim", "pndm", "dpm_multistep"])
def test_a_v_prediction_model_of_sd2_makes_the_latents_of_its_pipeline(
    loaded: dict[str, Checkpoint], name: str
) -> None:
    checkpoint = loaded["sd2"]
    model = checkpoint.model.clone()
    model.add_object_patch("model_sampling", replace(model.sampling, prediction="v_prediction"))
    scheduler = built(name, model.sampling, STEPS)
    sampler, levels = through(name), levels_of(scheduler)
    scheduler.register_to_config(prediction_type="v_prediction")
    made = ours(model, sides(checkpoint), sampler, levels)
    assert relative(made, text_to_image(checkpoint, scheduler)) < 1e-3


@pytest.mark.parametrize("name", ["euler", "ddim", "lms", "dpm_multistep", "euler_ancestral"])
def test_image_to_image_makes_the_latents_of_its_pipeline(small: Checkpoint, name: str) -> None:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
        StableDiffusionImg2ImgPipeline,
    )

    scheduler = built(name, small.model.sampling, STEPS)
    levels = begun(levels_of(scheduler), 0.6)
    made = ours(small.model, sides(small), through(name), levels, start=PICTURE)
    inputs = {"image": PICTURE, "strength": 0.6, **embeddings(sides(small))}
    wanted = theirs(StableDiffusionImg2ImgPipeline, small, scheduler, {**PLAIN}, **inputs)
    assert len(levels) == 4
    assert relative(made, wanted) < 1e-3


def inpainted(checkpoint: Checkpoint, scheduler: Any, strength: float) -> Tensor:
    """What diffusers' inpainting makes of the picture with its right half masked."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import (
        StableDiffusionInpaintPipeline,
    )

    inputs = {"image": PICTURE, "mask_image": HALF, "masked_image_latents": PICTURE / 2, "strength": strength}
    return theirs(
        StableDiffusionInpaintPipeline,
        checkpoint,
        scheduler,
        {**PLAIN},
        **inputs,
        **SIZE,
        **embeddings(sides(checkpoint)),
    )


@pytest.mark.parametrize("name", ["euler", "ddim", "pndm"])
def test_an_inpainting_model_makes_the_latents_of_its_pipeline(tmp_path: Path, name: str) -> None:
    path = save_checkpoint(tmp_path, replace(SD1, in_channels=9), "inpaint.safetensors")
    checkpoint = load_checkpoint(path)
    picture = checkpoint.model.model.process_latent_out(PICTURE / 2)
    keys = {"concat_latent_image": picture, "concat_mask": HALF}
    positive, negative = ([[text, {**own, **keys}] for text, own in side] for side in sides(checkpoint))
    scheduler = built(name, checkpoint.model.sampling, STEPS)
    made = ours(checkpoint.model, (positive, negative), through(name), levels_of(scheduler))
    assert relative(made, inpainted(checkpoint, scheduler, 1.0)) < 1e-3


def test_a_noise_mask_makes_the_latents_of_inpainting_with_a_plain_model(small: Checkpoint) -> None:
    scheduler = built("euler", small.model.sampling, STEPS)
    levels = begun(levels_of(scheduler), 0.6)
    made = ours(small.model, sides(small), through("euler"), levels, start=PICTURE, mask=HALF[:, 0])
    assert relative(made, inpainted(small, scheduler, 0.6)) < 1e-3
    plain = ours(small.model, sides(small), sampler_named("euler"), levels, start=PICTURE, mask=HALF[:, 0])
    assert relative(plain, made) < 1e-3


@pytest.mark.parametrize("name", ["euler", "pndm"])
def test_a_controlnet_makes_the_latents_of_its_pipeline(small: Checkpoint, tmp_path: Path, name: str) -> None:
    from diffusers.pipelines.controlnet.pipeline_controlnet import StableDiffusionControlNetPipeline

    shapes = {f"control_model.{n}": s for n, s in unet_shapes(SD1, control=True).items()}
    save_file(filled(shapes, seed=3, dtype=torch.float32), tmp_path / "control.safetensors")
    network = load_controlnet(tmp_path / "control.safetensors", device=choose_device("fp32"))
    hint = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    control = network.copy().set_cond_hint(hint, 0.7, (0.0, 1.0))
    keys = {"control": control, "control_apply_to_uncond": True}
    positive, negative = ([[text, {**own, **keys}] for text, own in side] for side in sides(small))
    scheduler = built(name, small.model.sampling, STEPS)
    made = ours(small.model, (positive, negative), through(name), levels_of(scheduler))
    inputs = {"image": hint, "controlnet_conditioning_scale": 0.7, **embeddings(sides(small))}
    parts = {**PLAIN, "controlnet": network.network().float()}
    wanted = theirs(StableDiffusionControlNetPipeline, small, scheduler, parts, **inputs)
    assert relative(made, wanted) < 1e-3
    assert relative(ours(small.model, sides(small), through(name), levels_of(scheduler)), wanted) > 1e-2


@pytest.mark.parametrize("name", ["euler", "dpm_multistep"])
def test_a_base_and_a_refiner_share_the_steps_as_their_pipelines_do(
    loaded: dict[str, Checkpoint], name: str
) -> None:
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
        StableDiffusionXLImg2ImgPipeline,
    )

    base, refiner, steps = loaded["sdxl"], loaded["sdxl-refiner"], 10
    more = {"more": ("text_encoder_2", "tokenizer_2")}

    def scheduler() -> Any:
        return built(name, base.model.sampling, steps)

    levels = levels_of(scheduler())
    high, low = levels[:9], levels[8:]
    noisy = ours(base.model, sides(base), through(name, steps), high)
    wanted = theirs(
        StableDiffusionXLPipeline,
        base,
        scheduler(),
        {**more},
        **SIZE,
        **pooled(sides(base)),
        num_inference_steps=steps,
        denoising_end=0.8,
    )
    # Between the two, diffusers keeps its scheduler's scale; ours grows with sigma.
    scale = float((1 + high[-1] ** 2).sqrt()) if SCHEDULERS[name].scale == "vp" else 1.0
    assert relative(noisy / scale, wanted) < 1e-3
    finished = theirs(
        StableDiffusionXLImg2ImgPipeline,
        refiner,
        scheduler(),
        {**more, "requires_aesthetics_score": True},
        **pooled(sides(refiner)),
        image=wanted,
        num_inference_steps=steps,
        denoising_start=0.8,
    )
    quiet = torch.zeros_like(NOISE)
    made = ours(refiner.model, sides(refiner), through(name, steps), low, start=noisy, noise=quiet)
    assert relative(made, finished) < 1e-3


def test_levels_of_another_schedule_are_refused(small: Checkpoint) -> None:
    with pytest.raises(DiffusionError, match="none of the levels of diffusers' euler"):
        ours(small.model, sides(small), through("euler"), torch.tensor([14.6, 3.3, 0.0]))


def test_every_scheduler_is_offered_and_the_field_s_list_is_left_alone() -> None:
    assert tuple(SCHEDULERS) == DIFFUSERS_NAMES
    assert len(SAMPLERS) == 42


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_s_run_may_be_cut_in_two(small: Checkpoint, name: str) -> None:
    levels = levels_of(built(name, small.model.sampling, STEPS))
    seen: list[tuple[int, int]] = []

    def told(step: int, denoised: Tensor, x: Tensor, total: int) -> None:
        seen.append((step, total))

    sample, start = prepared(small).sample, torch.zeros_like(NOISE)
    half = sample(NOISE, start, through(name), levels[:3], callback=told, seed=SEED)
    assert seen == [(0, 2), (1, 2)]
    seen.clear()
    whole = sample(start, half, through(name), levels[2:], callback=told, seed=SEED)
    assert seen == [(i, len(levels) - 3) for i in range(len(levels) - 3)]
    assert whole.isfinite().all()
    if name in ("ddim", "euler", "heun"):  # those that remember nothing of the steps before
        assert relative(whole, sample(NOISE, start, through(name), levels, seed=SEED)) < 1e-3


def prepared(checkpoint: Checkpoint) -> Guider:
    guider = Guider(checkpoint.model)
    guider.set_conds(*sides(checkpoint))
    guider.set_cfg(CFG)
    return guider
