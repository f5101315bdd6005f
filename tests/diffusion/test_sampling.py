"""From noise to latent: seeds, steps, guidance, masks and areas, on a small random network."""

from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion import denoising, latents
from diffusion.conditions import Canvas, prepare
from diffusion.errors import DiffusionError
from diffusion.guidance import predictions
from diffusion.sampling import StepEvent, ksampler_sigmas, noise_for, sample_latent
from diffusion.text import encode
from diffusion.values import Checkpoint, Conditioning, Latent

EMPTY = latents.empty(64, 48)


@pytest.fixture(scope="module")
def sides(small: Checkpoint) -> tuple[Conditioning, Conditioning]:
    assert small.clip is not None
    return encode(small.clip, "a red circle"), encode(small.clip, "")


def run(small: Checkpoint, sides: tuple[Conditioning, Conditioning], **changes: Any) -> Tensor:
    asked: dict[str, Any] = {
        "seed": 1,
        "steps": 3,
        "cfg": 4.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": sides[0],
        "negative": sides[1],
        "latent": EMPTY,
    }
    return sample_latent(small.model, **{**asked, **changes})["samples"]


def calls(small: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch sizes that the network is called with, from now on."""
    seen: list[int] = []

    real = denoising.run_unet

    def counted(unet: Any, x: Tensor, *rest: Any) -> Tensor:
        seen.append(len(x))
        return real(unet, x, *rest)

    monkeypatch.setattr(denoising, "run_unet", counted)
    return seen


Sides = tuple[Conditioning, Conditioning]


def test_a_seed_gives_one_latent_and_another_seed_another(small: Checkpoint, sides: Sides) -> None:
    first = run(small, sides)
    assert torch.equal(first, run(small, sides))
    assert not torch.equal(first, run(small, sides, seed=2))


def test_both_sides_go_in_one_call_and_cfg_1_costs_one_item(
    small: Checkpoint, sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = calls(small, monkeypatch)
    run(small, sides)
    assert seen == [2, 2, 2]
    run(small, sides, cfg=1.0)
    assert seen[3:] == [1, 1, 1]


def test_several_prompts_share_the_call_and_areas_of_one_size_do_too(
    small: Checkpoint, sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    [[text, keys]], negative = sides
    seen = calls(small, monkeypatch)
    run(small, ([[text, keys], *negative, [text, {**keys, "strength": 0.5}]], negative), steps=1)
    assert seen == [4]
    left, right = ({**keys, "area": (6, 4, 0, x)} for x in (0, 4))
    run(small, ([[text, keys], [text, left], [text, right]], negative), steps=1)
    # Two calls: the whole picture of both sides, and both halves of both sides.
    assert sorted(seen[1:]) == [2, 4]


def test_an_item_of_a_batch_is_made_again_alone_by_its_number(small: Checkpoint, sides: Sides) -> None:
    batch = run(small, sides, latent=latents.empty(64, 48, 3))
    alone = run(small, sides, latent={**latents.empty(64, 48, 1), "batch_index": [2]})
    torch.testing.assert_close(alone[0], batch[2], rtol=1e-3, atol=1e-3)


def test_little_memory_splits_the_calls(
    small: Checkpoint, sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(small, sides)
    seen = calls(small, monkeypatch)
    monkeypatch.setattr("diffusion.guidance.free_memory", lambda device: 1)
    torch.testing.assert_close(run(small, sides), whole, rtol=1e-3, atol=5e-3)
    assert seen == [1] * 6


def test_steps_are_reported_and_may_stop_the_run(small: Checkpoint, sides: Sides) -> None:
    seen: list[StepEvent] = []
    run(small, sides, on_step=seen.append)
    assert [(event.step, event.total) for event in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1].preview().shape == (6, 8, 3)

    def stop(event: StepEvent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(small, sides, on_step=stop)


def test_two_runs_of_half_the_steps_make_the_same_as_one(small: Checkpoint, sides: Sides) -> None:
    whole = run(small, sides, steps=4)
    half: Latent = {"samples": run(small, sides, steps=4, last_step=2)}
    rest = run(small, sides, steps=4, latent=half, start_step=2, disable_noise=True, force_full_denoise=True)
    torch.testing.assert_close(rest, whole, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(
        half["samples"], run(small, sides, steps=4, last_step=2, force_full_denoise=True)
    )


def test_a_start_beyond_the_last_step_changes_nothing(small: Checkpoint, sides: Sides) -> None:
    start: Latent = {"samples": torch.ones(1, 4, 6, 8), "other": "kept"}
    assert torch.equal(run(small, sides, latent=start, start_step=9), start["samples"])
    assert torch.equal(run(small, sides, latent=start, denoise=0.0), start["samples"])


def test_less_denoise_stays_closer_to_the_start(small: Checkpoint, sides: Sides) -> None:
    start: Latent = {"samples": noise_for(torch.zeros(1, 4, 6, 8), 5)}
    near, far = (run(small, sides, latent=start, denoise=d, steps=4) - start["samples"] for d in (0.2, 0.9))
    assert near.norm() < far.norm()


def test_denoise_takes_the_end_of_a_longer_schedule(small: Checkpoint) -> None:
    whole = ksampler_sigmas(small.model, "euler", "karras", 10)
    part = ksampler_sigmas(small.model, "euler", "karras", 4, denoise=0.4)
    assert torch.equal(part, whole[-5:])
    assert len(ksampler_sigmas(small.model, "dpm_2", "karras", 10)) == 11


def test_a_noise_mask_keeps_what_it_covers(small: Checkpoint, sides: Sides) -> None:
    start: Latent = {"samples": noise_for(torch.zeros(1, 4, 6, 8), 5)}
    mask = torch.zeros(1, 48, 64)
    mask[:, :, 32:] = 1
    made = run(small, sides, latent=latents.with_noise_mask(start, mask))
    torch.testing.assert_close(made[..., :4], start["samples"][..., :4], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(made[..., 4:], start["samples"][..., 4:], atol=0.1)


def test_a_batch_index_draws_the_noise_of_a_larger_batch() -> None:
    whole = noise_for(torch.zeros(4, 4, 6, 8), 7)
    assert torch.equal(noise_for(torch.zeros(2, 4, 6, 8), 7, [3, 1]), whole[[3, 1]])


def clean(small: Checkpoint, conds: Conditioning) -> Tensor:
    x = noise_for(torch.zeros(1, 4, 8, 8), 3)
    ready = prepare(small.model, {"positive": conds}, Canvas(x, torch.zeros_like(x)))
    return predictions(small.model, [ready["positive"]], x, torch.tensor([2.0]), {})[0]


@torch.no_grad()
def test_two_conditionings_are_averaged_by_strength(small: Checkpoint, sides: Sides) -> None:
    [[a, keys]], [[b, _]] = sides
    mixed = clean(small, [[a, {**keys, "strength": 3.0}], [b, keys]])
    torch.testing.assert_close(mixed, (3 * clean(small, sides[0]) + clean(small, sides[1])) / 4)


@torch.no_grad()
def test_an_area_counts_only_inside(small: Checkpoint, sides: Sides) -> None:
    [[a, keys]], _ = sides
    both = clean(small, [*sides[1], [a, {**keys, "area": (8, 4, 0, 4)}]])
    alone = clean(small, sides[1])
    torch.testing.assert_close(both[..., :4], alone[..., :4])
    assert not torch.allclose(both[..., 4:], alone[..., 4:])
    percent = clean(small, [*sides[1], [a, {**keys, "area": ("percentage", 1.0, 0.5, 0, 0.5)}]])
    torch.testing.assert_close(both, percent)


@torch.no_grad()
def test_a_mask_counts_where_it_is_white(small: Checkpoint, sides: Sides) -> None:
    [[a, keys]], _ = sides
    mask = torch.zeros(1, 64, 64)
    mask[..., 32:] = 1
    both = clean(small, [*sides[1], [a, {**keys, "mask": mask, "mask_strength": 1.0}]])
    torch.testing.assert_close(both[..., :3], clean(small, sides[1])[..., :3])
    half = (clean(small, sides[0]) + clean(small, sides[1])) / 2
    torch.testing.assert_close(both[..., 5:], half[..., 5:])


def test_a_time_range_counts_only_inside(small: Checkpoint, sides: Sides) -> None:
    [[a, keys]], _ = sides
    space = small.model.sampling
    x = torch.zeros(1, 4, 8, 8)
    early: Conditioning = [[a, {**keys, "start_percent": 0.0, "end_percent": 0.5}]]
    [ready] = prepare(small.model, {"positive": early}, Canvas(x, x))["positive"]
    assert ready.active(float(space.sigma_max))
    assert not ready.active(float(space.sigma_min))


def test_an_area_gets_its_twin_on_the_other_side(small: Checkpoint, sides: Sides) -> None:
    [[a, keys]], _ = sides
    x = torch.zeros(1, 4, 8, 8)
    conds: Conditioning = [[a, {**keys, "area": (8, 4, 0, 4)}]]
    ready = prepare(small.model, {"positive": conds, "negative": sides[1]}, Canvas(x, x))
    assert [c.area for c in ready["negative"]] == [None, (8, 4, 0, 4)]


def test_text_of_another_family_is_a_sentence(small: Checkpoint) -> None:
    wide: Conditioning = [[torch.zeros(1, 77, 768), {}]]
    with pytest.raises(DiffusionError, match=r"768 wide, but Stable Diffusion 1\.x takes 64"):
        run(small, (wide, wide))


@pytest.mark.parametrize("name", ["sdxl", "sdxl-refiner"])
def test_sizes_condition_the_larger_families(loaded: dict[str, Checkpoint], name: str) -> None:
    checkpoint = loaded[name]
    assert checkpoint.clip is not None
    [[text, keys]] = encode(checkpoint.clip, "a cat")
    plain = run(checkpoint, ([[text, keys]], [[text, keys]]), steps=1)
    large = run(checkpoint, ([[text, {**keys, "width": 512}]], [[text, keys]]), steps=1)
    assert plain.isfinite().all()
    assert not torch.allclose(plain, large)


def test_a_clone_is_patched_alone(small: Checkpoint, sides: Sides) -> None:
    before = run(small, sides)
    patched = small.model.clone()
    patched.set_model_sampler_post_cfg_function(lambda said: said["denoised"] * 0)
    patched.set_model_output_block_patch(lambda h, skip, options: (h, skip * 0))
    name = "conv_out.weight"
    assert patched.add_patches({name: lambda weight: weight}) == [name]
    changed = Checkpoint(patched, None, None)
    assert not torch.allclose(run(changed, sides), before)
    assert torch.equal(run(small, sides), before)


def test_patches_see_blocks_by_their_published_numbers(small: Checkpoint, sides: Sides) -> None:
    seen: set[tuple[str, int]] = set()

    def look(q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        seen.add(options["block"])
        return q, k, v

    model = small.model.clone()
    model.set_model_attn1_patch(look)
    run(Checkpoint(model, None, None), sides, steps=1)
    inputs, outputs = (1, 2, 4, 5), (3, 4, 5, 6, 7, 8)
    assert seen == {("middle", 0)} | {("input", n) for n in inputs} | {("output", n) for n in outputs}
