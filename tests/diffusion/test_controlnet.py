"""ControlNets: small random ones against diffusers, strength, range, stacking, the wrong base."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion import latents
from diffusion.controlnet import ControlNet, fit_picture
from diffusion.controlnet_files import load_controlnet
from diffusion.devices import choose_device
from diffusion.errors import DiffusionError
from diffusion.sampling import Guider, noise_for, sample_latent, sampler_named
from diffusion.text import encode
from diffusion.unet import control_residuals
from diffusion.values import Checkpoint
from tests.diffusion.published import SD1, Sizes, filled, unet_shapes


def saved(folder: Path, sizes: Sizes = SD1) -> Path:
    shapes = {f"control_model.{n}": s for n, s in unet_shapes(sizes, control=True).items()}
    path = folder / "control.safetensors"
    save_file(filled(shapes, seed=3, dtype=torch.float16), path)
    return path


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> ControlNet:
    return load_controlnet(saved(tmp_path_factory.mktemp("control")), device=choose_device("fp32"))


HINT = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))


def made(small: Checkpoint, control: ControlNet | None) -> Tensor:
    assert small.clip is not None
    [[text, keys]] = encode(small.clip, "a red circle")
    extra: dict[str, Any] = {} if control is None else {"control": control, "control_apply_to_uncond": True}
    latent = sample_latent(
        small.model,
        seed=1,
        steps=2,
        cfg=4.0,
        sampler_name="euler",
        scheduler="normal",
        positive=[[text, {**keys, **extra}]],
        negative=[[text, keys]],
        latent=latents.empty(64, 48),
    )
    return latent["samples"]


@torch.no_grad()
def test_residuals_equal_diffusers_own_forward(control: ControlNet) -> None:
    network: Any = control.network().float()
    x, text, steps = torch.randn(2, 4, 6, 8), torch.randn(2, 77, 64), torch.tensor([3, 700])
    hint = HINT.repeat(2, 1, 1, 1)
    skips, middle = control_residuals(network, x, hint, steps, text)
    down, mid = network(x, steps, text, hint, return_dict=False)
    assert len(skips) == len(down)
    for ours, theirs in zip((*skips, middle), (*down, mid), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


# diffusers meets numpy 2 with an old protocol here.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("strengths", [(0.7,), (0.7, 0.4)], ids=["one", "two"])
def test_sampling_agrees_with_diffusers_controlnet_pipeline(
    small: Checkpoint, control: ControlNet, strengths: tuple[float, ...]
) -> None:
    from diffusers.pipelines.controlnet.pipeline_controlnet import StableDiffusionControlNetPipeline
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    assert small.clip is not None and small.vae is not None
    trained = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    scheduler: Any = EulerDiscreteScheduler(**trained, timestep_spacing="leading")
    scheduler.set_timesteps(4)
    sigmas, noise = scheduler.sigmas.clone(), noise_for(torch.zeros(1, 4, 6, 8), 11)
    positive, negative = (encode(small.clip, text)[0][0] for text in ("a red circle", "blurry"))
    hints = [HINT, HINT.flip(3)][: len(strengths)]
    controlled: ControlNet | None = None
    for hint, strength in zip(hints, strengths, strict=True):
        own = control.copy().set_cond_hint(hint, strength)
        controlled = own.set_previous_controlnet(controlled)
    guider = Guider(small.model)
    guider.set_conds([[positive, {"control": controlled}]], [[negative, {"control": controlled}]])
    guider.set_cfg(6.0)
    start = noise * scheduler.init_noise_sigma / sigmas[0]
    ours = guider.sample(start, torch.zeros_like(noise), sampler_named("euler"), sigmas)
    pipeline: Any = StableDiffusionControlNetPipeline(
        vae=small.vae.first_stage_model,  # type: ignore[arg-type]
        text_encoder=None,  # type: ignore[arg-type]
        tokenizer=None,  # type: ignore[arg-type]
        unet=small.model.model.diffusion_model,  # type: ignore[arg-type]
        controlnet=[control.control_model] * len(strengths),  # type: ignore[arg-type]
        scheduler=EulerDiscreteScheduler(**trained, timestep_spacing="leading"),  # type: ignore[arg-type]
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        prompt_embeds=positive,
        negative_prompt_embeds=negative,
        image=hints,
        latents=noise.clone(),
        num_inference_steps=4,
        guidance_scale=6.0,
        controlnet_conditioning_scale=list(strengths),
        height=48,
        width=64,
        output_type="latent",
    ).images
    mine = small.model.model.process_latent_in(ours)
    assert float((mine - theirs).abs().max() / theirs.abs().max()) < 1e-3


def test_a_controlnet_changes_the_picture_by_its_strength(small: Checkpoint, control: ControlNet) -> None:
    plain = made(small, None)
    none, half = (made(small, control.copy().set_cond_hint(HINT, s)) for s in (0.0, 0.5))
    torch.testing.assert_close(none, plain)
    assert not torch.allclose(half, plain)


def test_a_controlnet_lets_go_of_the_model_after_a_run(small: Checkpoint, control: ControlNet) -> None:
    own = control.copy().set_cond_hint(HINT)
    own.set_previous_controlnet(control.copy().set_cond_hint(HINT))
    made(small, own)
    assert own.previous_controlnet is not None
    assert own._model is None and own.previous_controlnet._model is None


def test_a_controlnet_counts_only_in_its_range(small: Checkpoint, control: ControlNet) -> None:
    never = control.copy().set_cond_hint(HINT, 1.0, (0.99, 0.995))
    torch.testing.assert_close(made(small, never), made(small, None))


def test_two_controlnets_add_up(small: Checkpoint, control: ControlNet) -> None:
    one = control.copy().set_cond_hint(HINT, 0.6)
    two = control.copy().set_cond_hint(HINT, 0.2)
    two.set_previous_controlnet(control.copy().set_cond_hint(HINT, 0.4))
    torch.testing.assert_close(made(small, two), made(small, one), rtol=1e-3, atol=1e-3)


def test_a_controlnet_for_another_base_names_both(small: Checkpoint, tmp_path: Path) -> None:
    other = load_controlnet(saved(tmp_path, replace(SD1, context=96, linear=False)))
    with pytest.raises(DiffusionError, match=r"control\.safetensors is a ControlNet for"):
        made(small, other.set_cond_hint(HINT))


def test_a_hint_is_cropped_at_the_centre_and_scaled() -> None:
    picture = torch.arange(12.0).reshape(1, 1, 2, 6)
    assert fit_picture(picture, 2, 2).tolist() == [[[[2.0, 3.0], [8.0, 9.0]]]]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    save_file({"emb_params": torch.zeros(1, 768)}, tmp_path / "a.safetensors")
    with pytest.raises(DiffusionError, match="is not a ControlNet: it is of kind embedding"):
        load_controlnet(tmp_path / "a.safetensors")
