"""Latents are pasted, turned, cut and mixed as their definitions say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from graph.embedded import embedded_texts
from graph.facts import Known, infer_facts
from nodes import registry
from nodes.latent_batch import (
    latent_batch,
    latent_batch_seed_behavior,
    load_latent,
    rebatch_latents,
    save_latent,
)
from nodes.latent_ops import (
    latent_add,
    latent_apply_operation,
    latent_apply_operation_cfg,
    latent_blend,
    latent_composite,
    latent_composite_masked,
    latent_concat,
    latent_crop,
    latent_cut,
    latent_flip,
    latent_interpolate,
    latent_multiply,
    latent_operation_sharpen,
    latent_operation_tonemap_reinhard,
    latent_rotate,
    latent_subtract,
)
from nodes.tensors import resize
from tests.nodes.contexts import context_in
from tests.nodes.pixels import latent, mask


def slow_feather(above: np.ndarray, below: np.ndarray, x: int, y: int, feather: int) -> np.ndarray:
    """The pasted part mixed in with weights that rise from each side inside the picture, side by side."""
    result = below.copy()
    above = above[..., : below.shape[2] - y, : below.shape[3] - x]
    height, width = above.shape[2:]
    weight = np.ones((height, width))
    for step in range(feather):
        share = (step + 1) / feather
        if y != 0:
            weight[step] *= share
        if y + height < below.shape[2]:
            weight[height - 1 - step] *= share
        if x != 0:
            weight[:, step] *= share
        if x + width < below.shape[3]:
            weight[:, width - 1 - step] *= share
    part = result[:, :, y : y + height, x : x + width]
    result[:, :, y : y + height, x : x + width] = above * weight + part * (1 - weight)
    return result


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, 1), (5, 4)])
@pytest.mark.parametrize("feather", [0, 1, 2])
def test_pasting_fades_at_the_sides_inside(x: int, y: int, feather: int) -> None:
    below, above = latent(8, 10, 2), latent(4, 5, 2, seed=9)
    made = latent_composite(below, above, x * 8, y * 8, feather * 8)["samples"]
    expected = slow_feather(above["samples"].numpy(), below["samples"].numpy(), x, y, feather)
    assert np.allclose(made, expected, atol=1e-6)


def test_pasting_outside_or_with_a_wide_fade_is_no_trouble() -> None:
    below, above = latent(), latent(4, 5)
    assert torch.equal(latent_composite(below, above, 800, 0)["samples"], below["samples"])
    assert latent_composite(below, above, 8, 8, 8000)["samples"].isfinite().all()


def test_a_mask_says_where_a_latent_is_pasted() -> None:
    below, above = latent(6, 8, 2), latent(3, 3, seed=8)
    hole = (mask(24, 24) > 0.5).float()
    made = latent_composite_masked(below, above, 8, 16, False, hole)["samples"]
    share = torch.nn.functional.interpolate(hole[:, None], (3, 3), mode="bilinear")
    expected = below["samples"].clone()
    part = expected[:, :, 2:5, 1:4]
    part.copy_(share * above["samples"] + (1 - share) * part)
    assert torch.allclose(made, expected)
    whole = latent_composite_masked(below, above, resize_source=True)["samples"]
    assert torch.allclose(whole, resize(above["samples"], 8, 6, "bilinear").expand(2, 4, 6, 8))


def test_what_stands_beside_the_values_is_kept() -> None:
    given = latent() | {"noise_mask": mask(48, 64), "batch_index": [5]}
    for made in (latent_flip(given, "x-axis: vertically"), latent_multiply(given, 2.0)):
        assert made["batch_index"] == [5] and made["noise_mask"] is given["noise_mask"]


def test_arithmetic_is_point_by_point() -> None:
    first, second = latent(), latent(seed=4)
    a, b = first["samples"], second["samples"]
    assert torch.equal(latent_add(first, second)["samples"], a + b)
    assert torch.equal(latent_subtract(first, second)["samples"], a - b)
    assert torch.equal(latent_multiply(first, -2.5)["samples"], a * -2.5)
    assert torch.allclose(latent_blend(first, second, 0.3)["samples"], a * 0.3 + b * 0.7)


def test_unlike_sizes_and_batches_are_brought_to_the_first() -> None:
    first, second = latent(6, 8, 3), latent(4, 4, 2, seed=4)
    fitted = resize(second["samples"], 8, 6, "bilinear", "center")[[0, 1, 0]]
    assert torch.allclose(latent_add(first, second)["samples"], first["samples"] + fitted)
    assert latent_blend(latent(), latent(4, 4), 0.5)["samples"].shape == (1, 4, 6, 8)


def test_interpolation_mixes_lengths_and_directions_apart() -> None:
    first, second = latent(count=2), latent(count=2, seed=4)
    a, b = (one["samples"].numpy().astype(np.float64) for one in (first, second))
    lengths = [np.sqrt((one**2).sum(1, keepdims=True)) for one in (a, b)]
    way = 0.3 * a / lengths[0] + 0.7 * b / lengths[1]
    expected = way / np.sqrt((way**2).sum(1, keepdims=True)) * (0.3 * lengths[0] + 0.7 * lengths[1])
    assert np.allclose(latent_interpolate(first, second, 0.3)["samples"], expected, atol=1e-5)
    empty = {"samples": torch.zeros(1, 4, 2, 2)}
    assert (latent_interpolate(empty, empty, 0.5)["samples"] == 0).all()


def test_latents_stand_side_by_side_and_are_cut_again() -> None:
    first, second = latent(), latent(seed=4)
    for dim, axis in (("x", 3), ("y", 2)):
        both = latent_concat(first, second, dim)  # pyright: ignore[reportArgumentType]
        assert torch.equal(both["samples"], torch.cat((first["samples"], second["samples"]), axis))
        length = first["samples"].shape[axis]
        again = latent_cut(both, dim, length, 99)  # pyright: ignore[reportArgumentType]
        assert torch.equal(again["samples"], second["samples"])
        last = latent_cut(both, dim, -2, 99)  # pyright: ignore[reportArgumentType]
        assert torch.equal(last["samples"], second["samples"].narrow(axis, length - 2, 2))
    swapped = latent_concat(first, second, "-x")["samples"]
    assert torch.equal(swapped, torch.cat((second["samples"], first["samples"]), 3))


def test_turning_and_cropping_are_slices() -> None:
    given = latent(10, 12)
    values = given["samples"].numpy()
    assert np.array_equal(latent_rotate(given, "90 degrees")["samples"], np.rot90(values, -1, (2, 3)))
    assert np.array_equal(latent_rotate(given, "270 degrees")["samples"], np.rot90(values, 1, (2, 3)))
    assert np.array_equal(latent_flip(given, "y-axis: horizontally")["samples"], values[..., ::-1])
    assert np.array_equal(latent_crop(given, 64, 64, 16, 8)["samples"], values[:, :, 1:9, 2:10])
    assert latent_crop(given, 512, 512, 5000, 5000)["samples"].shape == (1, 4, 8, 8)
    assert latent_crop(latent(2, 3), 64, 64, 64, 64)["samples"].shape == (1, 4, 2, 3)


def test_batches_join_with_their_noise() -> None:
    both = latent_batch(latent(count=2), latent(4, 4) | {"batch_index": [7]})
    assert both["samples"].shape == (3, 4, 6, 8) and both["batch_index"] == [0, 1, 7]
    assert latent_batch_seed_behavior(both, "fixed")["batch_index"] == [0, 0, 0]
    assert "batch_index" not in latent_batch_seed_behavior(both, "random")


def test_batches_are_cut_anew_with_masks_and_numbers() -> None:
    given = [latent(count=3), latent(seed=4) | {"noise_mask": mask(48, 64)}, latent(4, 4, 2, seed=5)]
    made = rebatch_latents(given, 2)
    assert [tuple(one["samples"].shape) for one in made] == [(2, 4, 6, 8), (2, 4, 6, 8), (2, 4, 4, 4)]
    assert [one["batch_index"] for one in made] == [[0, 1], [2, 3], [4, 5]]
    assert "noise_mask" not in made[0] and "noise_mask" not in made[2]
    assert torch.equal(made[1]["noise_mask"][1, 0], mask(48, 64)[0])
    assert (made[1]["noise_mask"][0] == 1).all()


def test_masks_keep_their_size_where_all_of_a_new_batch_have_one() -> None:
    small, large = mask(3, 5, seed=1), mask(48, 64, seed=2)
    given = [latent(count=2) | {"noise_mask": small}, latent() | {"noise_mask": large}]
    alike, mixed = rebatch_latents(given, 2)[0], rebatch_latents(given, 3)[0]
    assert torch.equal(alike["noise_mask"], small[None].repeat(2, 1, 1, 1))
    assert torch.equal(mixed["noise_mask"][2, 0], large[0])
    assert torch.equal(mixed["noise_mask"][0, 0], resize(small[None], 64, 48, "bilinear")[0, 0])


def test_a_saved_latent_loads_back(tmp_path: Path) -> None:
    context = context_in(tmp_path, workflow="{}")
    (shown,) = save_latent(latent(count=2), context).ui["latents"]
    assert shown == {"filename": "ComfyUI_00001_.latent", "subfolder": "latents", "type": "output"}
    path = tmp_path / "output" / "latents" / shown["filename"]
    assert b'"workflow":"{}"' in path.read_bytes() and embedded_texts(path.read_bytes()) is None
    path.rename(context.job.files.folder("input") / "a.latent")
    assert torch.equal(load_latent("a.latent", context)["samples"], latent(count=2)["samples"])


def test_a_file_that_is_no_latent_is_a_sentence(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    (context.job.files.folder("input") / "a.latent").write_bytes(b"\x01" * 50)
    with pytest.raises(ValueError, match=r"a\.latent is no file of latents"):
        load_latent("a.latent", context)


def test_tone_mapping_presses_strong_values_and_keeps_directions() -> None:
    given = {"samples": latent(count=2)["samples"] * 3}
    made = latent_apply_operation(given, latent_operation_tonemap_reinhard(1.0))["samples"]
    values = given["samples"]
    length = values.norm(dim=1, keepdim=True)
    top = length.std(dim=(1, 2, 3), keepdim=True) * 5 + length.mean(dim=(1, 2, 3), keepdim=True)
    assert torch.allclose(made.norm(dim=1, keepdim=True), length / (1 + length / top), rtol=1e-4)
    assert torch.allclose(torch.cosine_similarity(made, values), torch.ones(2, 6, 8), atol=1e-5)


def test_sharpening_by_nothing_changes_nothing() -> None:
    given = latent(12, 12)
    same = latent_apply_operation(given, latent_operation_sharpen(3, 1.0, 0.0))["samples"]
    assert torch.allclose(same, given["samples"], atol=1e-5)
    assert not torch.allclose(
        latent_apply_operation(given, latent_operation_sharpen())["samples"], given["samples"], atol=1e-2
    )


class ToyModel:
    """Remembers the function it was given."""

    def __init__(self) -> None:
        self.before = None

    def clone(self) -> "ToyModel":
        return ToyModel()

    def set_model_sampler_pre_cfg_function(self, function: object) -> None:
        self.before = function


def test_an_operation_changes_what_guidance_adds() -> None:
    model = ToyModel()
    changed = latent_apply_operation_cfg(model, lambda latent: latent * 2)
    assert model.before is None
    cond, uncond = torch.ones(1, 4, 2, 2), torch.full((1, 4, 2, 2), 0.25)
    made = changed.before({"conds_out": [cond, uncond]})
    assert torch.equal(made[0], (cond - uncond) * 2 + uncond) and made[1] is uncond
    assert torch.equal(changed.before({"conds_out": [cond]})[0], cond * 2)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("LatentCrop", {"width": 64, "height": 512, "x": 40, "y": 8}),
        ("LatentRotate", {"rotation": "270 degrees"}),
        ("LatentUpscale", {"upscale_method": "area", "width": 0, "height": 160, "crop": "disabled"}),
        ("LatentCut", {"dim": "x", "index": -5, "amount": 3}),
        ("LatentCut", {"dim": "y", "index": 8, "amount": 30}),
        ("LatentUpscale", {"upscale_method": "area", "width": 200, "height": 96, "crop": "center"}),
    ],
)
def test_the_size_of_a_latent_is_known_before_running(name: str, values: dict[str, object]) -> None:
    spec = registry().get(name)
    assert spec is not None
    known = Known(values, {"samples": {"width": 96, "height": 80, "latents": "sd"}})
    told = infer_facts(spec, known).outputs["LATENT"]
    made = spec.run(samples=latent(10, 12), **values)[0]["samples"]
    assert (told["height"] // 8, told["width"] // 8) == tuple(made.shape[2:])
    assert told["latents"] == "sd"


@pytest.mark.parametrize(
    ("name", "values"), [("LatentConcat", {"dim": "-x"}), ("LatentConcat", {"dim": "y"}), ("LatentBatch", {})]
)
def test_the_size_of_two_latents_put_together_is_known(name: str, values: dict[str, object]) -> None:
    spec = registry().get(name)
    assert spec is not None
    source = {"width": 96, "height": 80, "batch": 2}
    told = infer_facts(spec, Known(values, {"samples1": source, "samples2": source})).outputs["LATENT"]
    made = spec.run(samples1=latent(10, 12, 2), samples2=latent(10, 12, 2), **values)[0]["samples"]
    assert (told["batch"], told["height"] // 8, told["width"] // 8) == (made.shape[0], *made.shape[2:])
