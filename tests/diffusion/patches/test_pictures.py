"""Each patch on a whole run of a small network: it changes the picture, and only its own handle's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from diffusion import latents
from diffusion.patches import bands, computing, degraded, guidance, levels, reuse, shrink, tokens
from diffusion.sampling import sample_latent
from diffusion.text import encode
from diffusion.values import Checkpoint, Conditioning, Model

Sides = tuple[Conditioning, Conditioning]


@pytest.fixture(scope="module")
def sides(small: Checkpoint) -> Sides:
    assert small.clip is not None
    return encode(small.clip, "a red circle"), encode(small.clip, "")


def picture(model: Model, sides: Sides, steps: int = 2, cfg: float = 4.0, **changes: Any) -> Tensor:
    asked: dict[str, Any] = {
        "seed": 1,
        "steps": steps,
        "cfg": cfg,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": sides[0],
        "negative": sides[1],
        "latent": latents.empty(64, 48),
    }
    return sample_latent(model, **{**asked, **changes})["samples"]


@pytest.fixture(scope="module")
def plain(small: Checkpoint, sides: Sides) -> Tensor:
    return picture(small.model, sides)


def nearest(x: Tensor, width: int, height: int) -> Tensor:
    return F.interpolate(x, (height, width))


PATCHES: dict[str, Callable[[Model], Model]] = {
    "FreeU": lambda m: bands.free_u(m, 1.1, 1.2, 0.9, 0.2),
    "FreeU_V2": lambda m: bands.free_u(m, 1.3, 1.4, 0.9, 0.2, by_strength=True),
    "FreSca": lambda m: bands.fresca(m, 1.0, 1.25, 1),
    "RescaleCFG": lambda m: guidance.rescale_cfg(m, 0.7),
    "Mahiro": guidance.mahiro,
    "CFGZeroStar": guidance.cfg_zero_star,
    "CFGNorm": lambda m: guidance.cfg_norm(m, 1.0),
    "TCFG": guidance.tangential_damping,
    "APG": lambda m: guidance.apg(m, 1.0, 5.0, 0.0),
    "Epsilon Scaling": lambda m: guidance.epsilon_scaling(m, 1.005),
    "PerturbedAttentionGuidance": lambda m: degraded.perturbed_attention(m, 3.0),
    "SelfAttentionGuidance": lambda m: degraded.self_attention(m, 0.5, 2.0),
    "PatchModelAddDownscale": lambda m: shrink.deep_shrink(m, 3, 2.0, 0.0, 0.35, True, nearest, nearest),
    "before the skip": lambda m: shrink.deep_shrink(m, 3, 2.0, 0.0, 0.35, False, nearest, nearest),
    "TomePatchModel": lambda m: tokens.merge_tokens(m, 0.3),
    "HyperTile": lambda m: tokens.hyper_tile(m, 32, 2, 0, False),
    "UNetSelfAttentionMultiply": lambda m: tokens.multiply_attention(m, "attn1", 1.0, 1.0, 1.0, 0.5),
    "UNetCrossAttentionMultiply": lambda m: tokens.multiply_attention(m, "attn2", 1.0, 1.0, 0.5, 1.0),
    "ModelSamplingDiscrete": lambda m: levels.discrete(m, "v_prediction", True),
    "lcm": lambda m: levels.discrete(m, "lcm", False),
    "ModelSamplingContinuousEDM": lambda m: levels.continuous_edm(m, "edm_playground_v2.5", 120.0, 0.002),
    "ModelSamplingContinuousV": lambda m: levels.continuous_v(m, "v_prediction", 500.0, 0.03),
    "ModelComputeDtype": lambda m: computing.compute_in(m, "bf16"),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_changes_the_picture_of_its_own_handle_alone(
    small: Checkpoint, sides: Sides, plain: Tensor, name: str
) -> None:
    patched = PATCHES[name](small.model)
    made = picture(patched, sides)
    assert made.shape == plain.shape and made.isfinite().all()
    assert not torch.allclose(made, plain, rtol=1e-4, atol=1e-4)
    assert torch.equal(picture(patched.clone(), sides), made)
    assert torch.equal(picture(small.model, sides), plain)


def test_factors_of_one_change_nothing(small: Checkpoint, sides: Sides, plain: Tensor) -> None:
    same = tokens.multiply_attention(small.model, "attn1", 1.0, 1.0, 1.0, 1.0)
    assert same.patches
    torch.testing.assert_close(picture(same, sides), plain)


def test_text_attention_is_multiplied_on_one_handle_alone(small: Checkpoint) -> None:
    assert small.clip is not None
    before = encode(small.clip, "a red circle")[0][0]
    changed = tokens.multiply_text_attention(small.clip, 1.0, 1.0, 0.5, 1.0)
    assert not torch.allclose(encode(changed, "a red circle")[0][0], before)
    assert torch.equal(encode(small.clip, "a red circle")[0][0], before)


def test_perp_neg_pushes_only_sideways(small: Checkpoint, sides: Sides, plain: Tensor) -> None:
    patched = guidance.perp_neg(small.model, sides[1], 1.0)
    # The negative prompt is the empty one: nothing is left to push away from, and guidance is plain.
    torch.testing.assert_close(picture(patched, sides), plain, rtol=1e-3, atol=1e-3)
    swapped = (sides[1], sides[0])
    other = guidance.perp_neg(small.model, [[sides[0][0][0] * 0.5, sides[0][0][1]]], 1.0)
    assert not torch.allclose(picture(other, swapped), picture(small.model, swapped), atol=1e-3)


def test_a_grey_mask_follows_its_greys(small: Checkpoint, sides: Sides) -> None:
    start = {"samples": torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(3))}
    start["noise_mask"] = torch.linspace(0, 1, 64).expand(1, 1, 48, 64)
    soft = picture(small.model, sides, latent=start, steps=4)
    mapped = picture(shrink.differential(small.model), sides, latent=start, steps=4)
    assert not torch.allclose(soft, mapped)
    change = (mapped - start["samples"]).abs().mean((0, 1, 2))
    assert change[0] < 0.5 * change[-1]


def test_drawn_tokens_come_from_the_run_s_own_seed(small: Checkpoint, sides: Sides) -> None:
    patched = tokens.merge_tokens(small.model, 0.5)
    first = picture(patched, sides)
    torch.rand(7)
    assert torch.equal(picture(patched, sides), first)


def calls(model: Model, sides: Sides, **changes: Any) -> tuple[Tensor, int]:
    """The picture, and how often the network was run for it."""
    count = 0

    def counted(call: Any, *args: Any) -> Tensor:
        nonlocal count
        count += 1
        return call(*args)

    watched = model.clone()
    watched.add_wrapper("diffusion_model", counted)
    return picture(watched, sides, **changes), count


@pytest.mark.parametrize("cache", [reuse.easy_cache, reuse.lazy_cache])
def test_a_cache_leaves_calls_out_and_no_threshold_none(
    small: Checkpoint, sides: Sides, cache: Callable[[Model, reuse.Range], Model]
) -> None:
    whole, all_calls = calls(small.model, sides, steps=8)
    near, fewer = calls(cache(small.model, reuse.Range(3.0, 0.0, 1.0)), sides, steps=8)
    assert all_calls == 8 and 2 <= fewer < 6
    assert not torch.equal(near, whole) and near.isfinite().all()
    same, none_left_out = calls(cache(small.model, reuse.Range(0.0, 0.0, 1.0)), sides, steps=8)
    assert none_left_out == 8 and torch.equal(same, whole)


@pytest.mark.parametrize("cache", [reuse.easy_cache, reuse.lazy_cache])
def test_a_cache_forgets_between_runs(
    small: Checkpoint, sides: Sides, cache: Callable[[Model, reuse.Range], Model]
) -> None:
    patched = cache(small.model, reuse.Range(1.0, 0.0, 1.0))
    first = picture(patched, sides, steps=6)
    assert torch.equal(picture(patched, sides, steps=6), first)


def test_compiling_runs_another_function_in_the_networks_place(
    small: Checkpoint, sides: Sides, plain: Tensor
) -> None:
    asked: list[str] = []

    def compiler(function: Callable[..., Tensor], backend: str) -> Callable[..., Tensor]:
        asked.append(backend)
        return lambda unet, x, *rest: function(unet, x, *rest) * 2

    patched = computing.compiled(small.model, "inductor", compiler)
    patched = computing.compiled(patched, "cudagraphs", compiler)
    assert asked == ["inductor", "cudagraphs"]
    once = picture(patched, sides)
    doubled = small.model.clone()
    doubled.add_wrapper("diffusion_model", lambda call, *args: call(*args) * 2)
    assert torch.equal(once, picture(doubled, sides))
    assert torch.equal(picture(small.model, sides), plain)


def test_guidance_functions_are_told_the_conditionings_and_the_levels_in_use(
    small: Checkpoint, sides: Sides
) -> None:
    seen: dict[str, Any] = {}
    model = levels.discrete(small.model, "v_prediction", False)
    model.set_model_sampler_post_cfg_function(lambda said: seen.update(said) or said["denoised"])
    picture(model, sides, steps=1)
    assert seen["cond"][0].text is not seen["uncond"][0].text
    assert seen["model"].model_sampling is model.sampling
    assert seen["cond_denoised"].shape == seen["input"].shape
