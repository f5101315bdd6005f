"""The arithmetic of patches against their papers' formulas, on random tensors."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.patches import bands, degraded, guidance, shrink, tokens
from diffusion.patches.levels import PLAYGROUND, continuous_edm
from diffusion.sampling_space import (
    ANGLE_CLOCK,
    EDM_CLOCK,
    DiscreteSampling,
    continuous,
    discrete_sigmas,
    distilled,
)
from diffusion.values import Checkpoint

SHAPE = (2, 4, 6, 8)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


X, COND, UNCOND = (noise(*SHAPE, seed=seed) for seed in range(3))
SIGMA = torch.tensor([2.0, 2.0])
CFG = 7.0


def said(**more: Any) -> dict[str, Any]:
    """What a guidance function is told."""
    return {
        "input": X,
        "sigma": SIGMA,
        "cond_scale": CFG,
        "cond_denoised": COND,
        "uncond_denoised": UNCOND,
        "denoised": UNCOND + CFG * (COND - UNCOND),
        "conds": [[1], [2]],
        "conds_out": [COND, UNCOND],
        "model_options": {"transformer_options": {}},
        **more,
    }


def hook(model: Any, name: str) -> Any:
    found = model.model_options[name]
    return found[-1] if isinstance(found, list) else found


def guided(outputs: list[Tensor]) -> Tensor:
    return outputs[1] + CFG * (outputs[0] - outputs[1])


def test_bands_are_scaled_around_the_middle_of_the_spectrum() -> None:
    x = noise(1, 1, 8, 8)
    scaled = bands.scale_bands(x, 1, 0.2)
    ratio = torch.fft.fft2(scaled) / torch.fft.fft2(x)
    # fft2 puts frequency 0 first and -1 last.
    low = [(i, j) for i in (0, -1) for j in (0, -1)]
    assert ratio.real[0, 0, [i for i, _ in low], [j for _, j in low]].mean() < 0.99
    torch.testing.assert_close(scaled.mean(), x.mean() * 0.2)
    torch.testing.assert_close(bands.scale_bands(x, 100, 1.5, 0.0), x * 1.5)
    torch.testing.assert_close(bands.scale_bands(x, 2, 1.0), x)


def test_freeu_strengthens_half_of_the_channels() -> None:
    h = noise(1, 4, 3, 3)
    expected = h.clone()
    expected[:, :2] *= 1.3
    torch.testing.assert_close(bands.boost(h, 1.3), expected)
    strong = bands.boost_where_strong(h, 1.3)
    mean = h.mean(1)[0]
    top, bottom = (int(i) for i in (mean.argmax(), mean.argmin()))
    ratio = (strong / h)[0].flatten(1)
    torch.testing.assert_close(ratio[:2, top], torch.full((2,), 1.3))
    torch.testing.assert_close(ratio[:2, bottom], torch.ones(2))
    torch.testing.assert_close(ratio[2:], torch.ones(2, 9))


def test_freeu_knows_levels_by_the_networks_own_width(small: Checkpoint) -> None:
    width = small.model.model.layout.model_channels
    [patch] = bands.free_u(small.model, 2.0, 3.0, 1.0, 1.0).model_options["transformer_options"]["patches"][
        "output_block_patch"
    ]
    for times, factor in ((4, 2.0), (2, 3.0), (1, 1.0)):
        h = noise(1, width * times, 4, 4)
        torch.testing.assert_close(
            patch(h, h, {})[0][:, : width * times // 2], h[:, : width * times // 2] * factor
        )


def test_rescaled_guidance_has_the_spread_of_the_positive_velocity(small: Checkpoint) -> None:
    patch = hook(guidance.rescale_cfg(small.model, 1.0), "sampler_cfg_function")
    result = X - patch(said())
    root = math.sqrt(5.0)
    velocity = lambda clean: (X / 5.0 - clean) * root / 2.0  # noqa: E731
    torch.testing.assert_close(velocity(result).std((1, 2, 3)), velocity(COND).std((1, 2, 3)))
    plain = hook(guidance.rescale_cfg(small.model, 0.0), "sampler_cfg_function")
    torch.testing.assert_close(X - plain(said()), said()["denoised"], rtol=1e-4, atol=1e-4)


def test_cfg_zero_star_scales_the_negative_noise(small: Checkpoint) -> None:
    made = hook(guidance.cfg_zero_star(small.model), "sampler_post_cfg_function")(said())
    for item in range(2):
        a, b = (X - COND)[item].flatten(), (X - UNCOND)[item].flatten()
        scale = torch.dot(a, b) / torch.dot(b, b)
        scaled = UNCOND[item] * scale
        torch.testing.assert_close(made[item], scaled + CFG * (COND[item] - scaled), rtol=1e-4, atol=1e-4)


def test_cfg_norm_never_lengthens(small: Checkpoint) -> None:
    made = hook(guidance.cfg_norm(small.model, 2.0), "sampler_post_cfg_function")(said())
    plain = said()["denoised"]
    wanted = torch.minimum(plain.norm(dim=1), COND.norm(dim=1)) * 2.0
    torch.testing.assert_close(made.norm(dim=1), wanted)


def test_epsilon_scaling_divides_the_noise(small: Checkpoint) -> None:
    made = hook(guidance.epsilon_scaling(small.model, 1.25), "sampler_post_cfg_function")(said())
    torch.testing.assert_close((X - made) * 1.25, X - said()["denoised"])


def test_mahiro_lies_between_guidance_and_the_positive_leap(small: Checkpoint) -> None:
    patch = hook(guidance.mahiro(small.model), "sampler_post_cfg_function")
    plain, leap = said()["denoised"], COND * CFG
    root = lambda t: t.sign() * t.abs().sqrt()  # noqa: E731
    a, b = root(UNCOND * CFG), root((leap + plain) / 2)
    cosine = ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).mean()
    torch.testing.assert_close(patch(said()), plain * (cosine + 1) / 2 + leap * (1 - cosine) / 2)


def test_tangential_damping_keeps_the_shared_direction_only() -> None:
    a, b = X - COND, X - UNCOND
    made = guidance.damped(a, b)
    for item in range(2):
        gram = torch.stack([b[item].flatten(), a[item].flatten()])
        weights = torch.linalg.eigh(gram @ gram.T)[1][:, -1]
        main = torch.nn.functional.normalize(weights @ gram, dim=0)
        torch.testing.assert_close(
            made[item].flatten(), (b[item].flatten() @ main) * main, rtol=1e-3, atol=1e-4
        )


def test_projected_guidance_drops_what_lies_along_the_positive(small: Checkpoint) -> None:
    patch = hook(guidance.apg(small.model, 0.0, 0.0, 0.0), "sampler_pre_cfg_function")
    update = (guided(patch(said())) - COND) / CFG
    torch.testing.assert_close((update * COND).sum((1, 2, 3)), torch.zeros(2), rtol=0, atol=1e-3)
    whole = hook(guidance.apg(small.model, 1.0, 0.0, 0.0), "sampler_pre_cfg_function")
    torch.testing.assert_close(guided(whole(said())), COND + CFG * (COND - UNCOND), rtol=1e-4, atol=1e-4)


def test_projected_guidance_is_limited_in_length(small: Checkpoint) -> None:
    patch = hook(guidance.apg(small.model, 1.0, 2.0, 0.0), "sampler_pre_cfg_function")
    update = (guided(patch(said())) - COND) / CFG
    torch.testing.assert_close(update.flatten(1).norm(dim=1), torch.full((2,), 2.0), rtol=1e-3, atol=1e-3)


def test_momentum_sums_updates_and_starts_anew_with_each_run(small: Checkpoint) -> None:
    patch = hook(guidance.apg(small.model, 1.0, 0.0, -0.5), "sampler_pre_cfg_function")

    def update(run: Tensor) -> Tensor:
        return (
            guided(patch(said(model_options={"transformer_options": {"sample_sigmas": run}}))) - COND
        ) / CFG

    run, plain = torch.ones(1), COND - UNCOND
    torch.testing.assert_close(update(run), plain, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(update(run), plain * 0.5, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(update(torch.ones(1)), plain, rtol=1e-4, atol=1e-4)


def test_one_side_alone_is_left_as_it_is(small: Checkpoint) -> None:
    for patched in (
        guidance.apg(small.model, 0.0, 1.0, 0.5),
        guidance.tangential_damping(small.model),
        bands.fresca(small.model, 2.0, 2.0, 1),
    ):
        outputs = [COND, torch.zeros_like(COND)]
        made = hook(patched, "sampler_pre_cfg_function")(said(conds=[[1], None], conds_out=outputs))
        assert made is outputs


def test_fresca_weighs_only_the_guidance(small: Checkpoint) -> None:
    made = hook(bands.fresca(small.model, 1.5, 1.5, 3), "sampler_pre_cfg_function")(said())
    torch.testing.assert_close(made[0], UNCOND + 1.5 * (COND - UNCOND))
    assert made[1] is UNCOND


def test_the_blur_is_a_gauss_and_keeps_the_mean() -> None:
    spot = torch.zeros(1, 2, 19, 19)
    spot[:, :, 9, 9] = 1
    blurred = degraded.gaussian_blur(spot, 2.0)
    torch.testing.assert_close(blurred.sum((2, 3)), torch.ones(1, 2))
    torch.testing.assert_close(blurred[0, 0, 9, 11] / blurred[0, 0, 9, 9], torch.tensor(math.exp(-0.5)))
    assert blurred[0, 0, 9, 14] == 0
    assert degraded.gaussian_blur(spot, 0.0) is spot


def test_only_what_is_looked_at_is_blurred() -> None:
    clean = noise(1, 4, 8, 12)
    weights = torch.zeros(1, 3, 24, 24)
    weights[..., 0] = 1.0
    made = degraded.blur_where_looked_at(clean, weights, 2.0)
    changed = (made != clean).any(1)[0]
    assert changed[:2, :2].all() and changed.sum() == 4
    assert degraded.map_size(24, 8, 12) == (4, 6)
    assert degraded.map_size(35, 40, 56) == (5, 7)


def test_attention_weights_are_those_of_the_attention() -> None:
    q, k, v = (noise(2, 5, 12, seed=seed) for seed in range(3))
    weights = degraded.attention_weights(q, k, 3)
    out = (weights @ v.unflatten(-1, (3, 4)).transpose(1, 2)).transpose(1, 2).flatten(2)
    torch.testing.assert_close(out, degraded.attend(q, k, v, 3))


def test_tiles_are_cut_and_joined_exactly() -> None:
    x = torch.arange(2 * 6 * 8).reshape(2, 48, 1).float()
    tiles = tokens.cut(x, 3, 2, 6, 8)
    assert tiles.shape == (12, 8, 1)
    assert tiles[1].flatten().tolist() == [4, 5, 6, 7, 12, 13, 14, 15]
    assert torch.equal(tokens.joined(tiles, 3, 2, 6, 8), x)


def test_a_side_is_cut_in_tiles_that_are_not_too_small() -> None:
    generator = torch.Generator().manual_seed(0)
    assert tokens.tile_count(64, 32, 2, generator) == 2
    assert tokens.tile_count(96, 32, 2, generator) == 3
    assert tokens.tile_count(7, 32, 2, generator) == 1
    assert {tokens.tile_count(96, 8, 4, generator) for _ in range(50)} == {12, 8, 6}


def test_merging_averages_the_most_alike_and_comes_back_whole() -> None:
    x = noise(2, 6 * 8, 5)
    merging = tokens.Merging(x, 6, 8, 10, torch.Generator().manual_seed(0))
    merged = merging.merge(x)
    assert merged.shape == (2, 38, 5)
    back = merging.unmerge(merged)
    assert back.shape == x.shape
    same = (back == x).all(-1).sum(1)
    assert (same >= 48 - 10 - 10).all()
    torch.testing.assert_close(merging.unmerge(merging.merge(torch.ones_like(x))), torch.ones_like(x))


def test_one_token_of_each_square_is_drawn() -> None:
    drawn = tokens._drawn(5, 6, torch.Generator().manual_seed(0))  # pyright: ignore[reportPrivateUsage]
    squares = drawn[:4].reshape(2, 2, 3, 2).transpose(1, 2).flatten(2)
    assert (squares.sum(-1) == 1).all() and not drawn[4].any()


@pytest.mark.parametrize(("strength", "middle"), [(1.0, 0.0), (0.5, 0.2)])
def test_greys_of_a_mask_are_freed_in_time(small: Checkpoint, strength: float, middle: float) -> None:
    levels = small.model.sampling
    patch = shrink.differential(small.model, strength).model_options["denoise_mask_function"]
    mask = torch.tensor([0.0, 0.4, 1.0])

    class Run:
        inner_model = small.model.network

    sigmas = torch.cat([levels.sigmas.flip(0)[::100], torch.zeros(1)])
    ask = lambda step: patch(sigmas[step : step + 1], mask, {"model": Run(), "sigmas": sigmas})  # noqa: E731
    torch.testing.assert_close(ask(0), torch.tensor([0.0, middle, 1.0]))
    assert float(ask(8)[1]) > middle


def test_deep_shrink_resizes_one_block_in_its_range(small: Checkpoint) -> None:
    def resize(x: Tensor, width: int, height: int) -> Tensor:
        return torch.nn.functional.interpolate(x, (height, width))

    patched = shrink.deep_shrink(small.model, 3, 2.0, 0.0, 0.35, True, resize, resize)
    [smaller] = patched.model_options["transformer_options"]["patches"]["input_block_patch_after_skip"]
    [larger] = patched.model_options["transformer_options"]["patches"]["output_block_patch"]
    h = noise(1, 4, 6, 8)
    ask = lambda block, sigma: smaller(h, {"block": ("input", block), "sigmas": torch.tensor([sigma])}).shape  # noqa: E731
    assert ask(3, 14.0) == (1, 4, 3, 4)
    assert ask(2, 14.0) == ask(3, 0.5) == h.shape
    assert larger(h[:, :, :3, :4], h, {})[0].shape == h.shape


@pytest.mark.parametrize("prediction", ["eps", "v_prediction", "x0", "edm", "img_to_img", "cosmos_rflow"])
def test_a_right_output_denoises_exactly(prediction: str) -> None:
    levels = DiscreteSampling(discrete_sigmas(0.00085, 0.012), prediction)
    clean, dirt, s = COND, noise(*SHAPE, seed=9), 2.0
    x, part = clean + dirt * s, s / (s + 1)
    outputs = {
        "eps": dirt,
        "v_prediction": (x / (s**2 + 1) - clean) * (s**2 + 1) ** 0.5 / s,
        "edm": (clean - x / (s**2 + 1)) * (s**2 + 1) ** 0.5 / s,
        "x0": clean,
        "img_to_img": clean,
        "cosmos_rflow": (x * (1 - part) - clean) / part,
    }
    torch.testing.assert_close(
        levels.calculate_denoised(SIGMA, outputs[prediction], x), clean, rtol=1e-4, atol=1e-4
    )
    scale = {"img_to_img": 1.0, "cosmos_rflow": 1 / (s + 1)}.get(prediction, 1 / math.sqrt(s**2 + 1))
    torch.testing.assert_close(levels.calculate_input(SIGMA, x), x * scale)


def test_flow_levels_are_told_as_the_share_of_noise(small: Checkpoint) -> None:
    assert small.model is not None
    levels = continuous_edm(small.model, "cosmos_rflow", 80.0, 0.01).sampling
    sigmas = torch.tensor([0.01, 1.0, 4.0])
    torch.testing.assert_close(levels.timestep(sigmas), torch.tensor([0.01 / 1.01, 0.5, 0.8]))
    torch.testing.assert_close(levels.sigma(levels.timestep(sigmas)), sigmas)


def test_consistency_levels_are_every_twentieth() -> None:
    whole = DiscreteSampling(discrete_sigmas(0.00085, 0.012))
    levels = distilled(whole)
    assert len(levels.sigmas) == 50
    assert levels.sigma_max == whole.sigma_max and levels.sigmas[0] == whole.sigmas[19]
    times = levels.timestep(levels.sigmas)
    assert times[:3].tolist() == [19, 39, 59] and times[-1] == 999
    torch.testing.assert_close(levels.sigma(times), levels.sigmas)
    time = 999 * 10.0
    c_skip, c_out = 0.25 / (time**2 + 0.25), time / math.sqrt(time**2 + 0.25)
    sigma = levels.sigma_max.expand(2)
    made = levels.calculate_denoised(sigma, UNCOND, X)
    torch.testing.assert_close(made, c_out * (X - UNCOND * levels.sigma_max) + c_skip * X)


@pytest.mark.parametrize(
    ("clock", "time"), [(EDM_CLOCK, math.log(3.0) / 4), (ANGLE_CLOCK, math.atan(3.0) * 2 / math.pi)]
)
def test_a_clock_tells_any_level_and_back(clock: Any, time: float) -> None:
    levels = continuous(clock, "v_prediction", 0.002, 120.0)
    sigma = torch.tensor([3.0])
    assert float(levels.timestep(sigma)) == pytest.approx(time, rel=1e-5)
    torch.testing.assert_close(levels.sigma(levels.timestep(sigma)), sigma)
    assert float(levels.sigma_min) == pytest.approx(0.002) and float(levels.sigma_max) == pytest.approx(120.0)
    assert levels.percent_to_sigma(0.5) == pytest.approx(math.sqrt(0.002 * 120.0), rel=1e-4)
    torch.testing.assert_close(
        levels.sigmas[1:] / levels.sigmas[:-1], levels.sigmas[1] / levels.sigmas[0] * torch.ones(999)
    )


def test_edm_scales_by_its_data_and_playground_by_channel() -> None:
    levels = continuous(EDM_CLOCK, "edm", 0.002, 120.0, 0.5)
    torch.testing.assert_close(levels.calculate_input(SIGMA, X), X / math.sqrt(4.25))
    expected = X * 0.25 / 4.25 + UNCOND * 2.0 * 0.5 / math.sqrt(4.25)
    torch.testing.assert_close(levels.calculate_denoised(SIGMA, UNCOND, X), expected)
    torch.testing.assert_close(PLAYGROUND.process_out(PLAYGROUND.process_in(X)), X)
    assert float(PLAYGROUND.process_in(torch.full((1, 4, 1, 1), 1.886))[0, 1]) == pytest.approx(0.0, abs=1e-6)
