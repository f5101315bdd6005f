"""Conditioning nodes: what each does to texts and facts, and what the sampler makes of it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.conditions import Canvas, prepare
from diffusion.guidance import predictions
from nodes import conditioning as cond
from nodes import conditioning_pictures as pictures
from nodes.loaders import checkpoint_loader_simple
from nodes.text import (
    clip_text_encode,
    clip_text_encode_sdxl,
    clip_text_encode_sdxl_refiner,
    prompt_weighting,
)
from tests.diffusion.published import REFINER, SD1, SDXL, save_checkpoint
from tests.nodes.contexts import ToyContext, context_in

Parts = tuple[Any, Any, Any]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ToyContext:
    home = tmp_path_factory.mktemp("home")
    (home / "checkpoints").mkdir()
    for name, sizes in (("sd1", SD1), ("xl", SDXL), ("refiner", REFINER)):
        save_checkpoint(home / "checkpoints", sizes, f"{name}.safetensors")
    return context_in(home)


@pytest.fixture(scope="module")
def parts(context: ToyContext) -> Parts:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DARKROOM_PRECISION", "fp32")
        return checkpoint_loader_simple("sd1.safetensors", context)


def item(length: int, value: float, pooled: float | None = None) -> list[Any]:
    keys = {} if pooled is None else {"pooled_output": torch.full((1, 4), pooled)}
    return [torch.full((1, length, 4), value), keys]


def test_an_average_fills_the_shorter_text_with_zeros_and_mixes_the_pooled() -> None:
    [[text, keys]] = cond.conditioning_average([item(4, 2.0, 1.0)], [item(2, 6.0, 3.0)], 0.75)
    assert text[0, :, 0].tolist() == [3.0, 3.0, 1.5, 1.5]
    assert keys["pooled_output"].unique().tolist() == [1.5]


def test_an_average_cuts_the_longer_source_and_keeps_facts_of_the_first() -> None:
    to = [[item(2, 2.0)[0], {"strength": 0.5}], item(2, 0.0, 4.0)]
    first, second = cond.conditioning_average(to, [item(5, 4.0, 2.0), item(5, 100.0)], 0.5)
    assert first[0].shape == (1, 2, 4) and first[0].unique().tolist() == [3.0]
    assert first[1]["strength"] == 0.5
    # An item without a pooled text takes the source's whole.
    assert first[1]["pooled_output"].unique().tolist() == [2.0]
    assert second[1]["pooled_output"].unique().tolist() == [3.0]
    assert "pooled_output" not in to[0][1]


def test_an_average_with_a_source_that_has_no_pooled_text_keeps_its_own() -> None:
    [[_, keys]] = cond.conditioning_average([item(2, 1.0, 4.0)], [item(2, 1.0)], 0.5)
    assert keys["pooled_output"].unique().tolist() == [4.0]


def test_concat_puts_words_after_words_and_combine_items_after_items() -> None:
    one, two = [item(2, 1.0), item(3, 2.0)], [item(4, 9.0), item(1, 7.0)]
    joined = cond.conditioning_concat(one, two)
    assert [text.shape[1] for text, _ in joined] == [6, 7]
    assert joined[0][0][0, :, 0].tolist() == [1, 1, 9, 9, 9, 9]
    assert [text.shape[1] for text, _ in cond.conditioning_combine(one, two)] == [2, 3, 4, 1]


def test_zeroing_takes_text_and_pooled_text_and_leaves_the_source_alone() -> None:
    source = [item(2, 1.0, 3.0), item(2, 1.0)]
    zeroed = cond.conditioning_zero_out(source)
    assert all(text.count_nonzero() == 0 for text, _ in zeroed)
    assert zeroed[0][1]["pooled_output"].count_nonzero() == 0
    assert source[0][0].count_nonzero() == 8 and source[0][1]["pooled_output"].count_nonzero() == 4


def test_areas_times_and_strengths_are_facts_of_the_text() -> None:
    source = [item(1, 1.0)]
    [[_, area]] = cond.conditioning_set_area(source, 128, 64, 16, 8, 0.5)
    assert (area["area"], area["strength"], area["set_area_to_bounds"]) == ((8, 16, 1, 2), 0.5, False)
    [[_, part]] = cond.conditioning_set_area_percentage(source, 0.5, 0.25, 0.1, 0.2)
    assert part["area"] == ("percentage", 0.25, 0.5, 0.2, 0.1)
    [[_, times]] = cond.conditioning_set_timestep_range(source, 0.2, 0.8)
    assert (times["start_percent"], times["end_percent"]) == (0.2, 0.8)
    [[_, strong]] = cond.conditioning_set_area_strength(source, 2.5)
    assert strong["strength"] == 2.5
    flat = torch.ones(8, 8)
    [[_, masked]] = cond.conditioning_set_mask(source, flat, 0.5, set_cond_area="mask bounds")
    assert masked["mask"].shape == (1, 8, 8)
    assert (masked["mask_strength"], masked["set_area_to_bounds"]) == (0.5, True)
    assert source == [[source[0][0], {}]]


LATENT = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
SIGMA = torch.tensor([2.0])


def predicted(parts: Parts, conditioning: Any, sigma: Tensor = SIGMA) -> Tensor:
    """The clean latent that one step sees, for one side."""
    model, _, _ = parts
    ready = prepare(model, {"positive": conditioning}, Canvas(LATENT, torch.zeros_like(LATENT)))
    with torch.no_grad():
        return predictions(model, [ready["positive"]], LATENT, sigma, {})[0]


def test_an_area_counts_inside_and_a_mask_where_it_is_white(parts: Parts) -> None:
    _, clip, _ = parts
    cat, dog = (clip_text_encode(text, clip) for text in ("a cat", "a dog"))
    whole_cat, whole_dog = predicted(parts, cat), predicted(parts, dog)
    left = torch.zeros(1, 16, 16)
    left[:, :, :8] = 1.0
    mixed = cond.conditioning_combine(
        cond.conditioning_set_mask(cat, left, 1.0, set_cond_area="default"),
        cond.conditioning_set_mask(dog, 1 - left, 1.0, set_cond_area="default"),
    )
    found = predicted(parts, mixed)
    torch.testing.assert_close(found[..., :8], whole_cat[..., :8])
    torch.testing.assert_close(found[..., 8:], whole_dog[..., 8:])
    # An area that reaches to a side of the picture does not fade there, so its corner is its own alone.
    area = cond.conditioning_set_area(cat, 64, 64, 0, 0, 3.0)
    over = predicted(parts, cond.conditioning_combine(dog, area))
    torch.testing.assert_close(over[..., 8:, 8:], whole_dog[..., 8:, 8:])
    assert not torch.allclose(over[..., :8, :8], whole_dog[..., :8, :8])


def test_a_mask_s_bounds_are_all_that_the_model_is_shown(parts: Parts) -> None:
    _, clip, _ = parts
    cat = clip_text_encode("a cat", clip)
    corner = torch.zeros(1, 16, 16)
    corner[:, 4:12, 0:8] = 1.0
    bounded = predicted(parts, cond.conditioning_set_mask(cat, corner, 1.0, set_cond_area="mask bounds"))
    model, _, _ = parts
    cut = LATENT[..., 4:12, 0:8]
    ready = prepare(model, {"positive": cat}, Canvas(cut, torch.zeros_like(cut)))
    with torch.no_grad():
        alone = predictions(model, [ready["positive"]], cut, SIGMA, {})[0]
    torch.testing.assert_close(bounded[..., 4:12, 0:8], alone)
    assert bounded[..., 12:, :].count_nonzero() == 0


def test_overlapping_texts_are_averaged_by_their_strengths(parts: Parts) -> None:
    _, clip, _ = parts
    cat, dog = (clip_text_encode(text, clip) for text in ("a cat", "a dog"))
    strong = cond.conditioning_set_area_strength(dog, 3.0)
    expected = (predicted(parts, cat) + 3 * predicted(parts, dog)) / 4
    torch.testing.assert_close(predicted(parts, cond.conditioning_combine(cat, strong)), expected)


def test_a_time_range_counts_while_its_noise_lasts(parts: Parts) -> None:
    model, clip, _ = parts
    cat, dog = (clip_text_encode(text, clip) for text in ("a cat", "a dog"))
    early = cond.conditioning_set_timestep_range(cat, 0.0, 0.5)
    late = cond.conditioning_set_timestep_range(dog, 0.5, 1.0)
    both = cond.conditioning_combine(early, late)
    for part, wanted in ((0.2, cat), (0.8, dog)):
        sigma = torch.tensor([float(model.sampling.percent_to_sigma(part))])
        torch.testing.assert_close(predicted(parts, both, sigma), predicted(parts, wanted, sigma))


def test_inpainting_hides_what_the_mask_covers_and_keeps_the_rest(parts: Parts) -> None:
    _, clip, vae = parts
    text = clip_text_encode("", clip)
    image = torch.rand(1, 70, 64, 3)
    mask = torch.zeros(1, 70, 64)
    mask[:, 32:] = 1.0
    positive, negative, latent = pictures.inpaint_model_conditioning(text, text, vae, image, mask)
    covered = image.clone()
    covered[:, 32:] = 0.5
    torch.testing.assert_close(positive[0][1]["concat_latent_image"], vae.encode(covered))
    assert positive[0][1]["concat_mask"].shape == (1, 1, 64, 64)
    assert torch.equal(negative[0][1]["concat_mask"], latent["noise_mask"])
    torch.testing.assert_close(latent["samples"], vae.encode(image))
    free = pictures.inpaint_model_conditioning(text, text, vae, image, mask, False)
    assert "noise_mask" not in free.latent
    assert image.max() <= 1 and "concat_mask" not in text[0][1]


def test_editing_and_enlarging_show_the_picture(parts: Parts) -> None:
    _, clip, vae = parts
    text = clip_text_encode("", clip)
    image = torch.rand(2, 40, 64, 3)
    edit = pictures.instruct_pix_to_pix_conditioning(text, text, vae, image)
    torch.testing.assert_close(edit.positive[0][1]["concat_latent_image"], vae.encode(image))
    assert edit.latent["samples"].count_nonzero() == 0
    large = pictures.sd_4x_upscale_conditioning(image, text, text, 2.0, 0.25)
    shown = large.negative[0][1]
    assert shown["concat_image"].shape == (2, 3, 20, 32)
    assert (float(shown["concat_image"].min()) < 0, shown["noise_augmentation"]) == (True, 0.25)
    assert large.latent["samples"].shape == (2, 4, 20, 32)


def test_sdxl_is_told_sizes_and_the_refiner_a_score(context: ToyContext) -> None:
    _, clip, _ = checkpoint_loader_simple("xl.safetensors", context)
    [[text, keys]] = clip_text_encode_sdxl(
        clip, 640, 320, 8, 16, 1024, 512, text_g="a cat", text_l="a cat", context=context
    )
    told = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")
    assert [keys[name] for name in told] == [640, 320, 8, 16, 1024, 512]
    torch.testing.assert_close(text, clip_text_encode("a cat", clip)[0][0])
    _, clip, _ = checkpoint_loader_simple("refiner.safetensors", context)
    [[_, keys]] = clip_text_encode_sdxl_refiner(7.5, 640, 320, text="a cat", clip=clip, context=context)
    assert (keys["aesthetic_score"], keys["width"], keys["height"]) == (7.5, 640, 320)


def test_another_program_s_weights_are_a_setting_of_the_text_encoder(parts: Parts) -> None:
    _, clip, _ = parts
    other = prompt_weighting(clip, "a1111")
    assert (clip.weighting, other.weighting) == ("comfy", "a1111")
    plain, weighed = (clip_text_encode("a [cat] BREAK (dog:1.4)", encoder)[0][0] for encoder in (clip, other))
    assert (plain.shape[1], weighed.shape[1]) == (77, 154)


def test_an_embedding_that_does_not_fit_is_told_in_the_node_s_log(
    parts: Parts, context: ToyContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"string_to_param": {"*": torch.zeros(1, 1024)}}, tmp_path / "wide.pt")
    _, clip, _ = parts
    told: list[str] = []
    monkeypatch.setattr(context, "log", told.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clip, "embedding_folders", (tmp_path,))
        clip_text_encode("a embedding:wide", clip, context)
    assert [sentence.split(":")[0] for sentence in told] == ["The embedding wide.pt is left out"]
