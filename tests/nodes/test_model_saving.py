"""Merging and saving through nodes: the files are where they should be, hold the workflow and load again."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from diffusion.loading import load_vae
from nodes import merging, model_saving
from nodes.loaders import checkpoint_loader_simple
from nodes.lora import lora_loader_model_only
from tests.diffusion.published import SD1, save_checkpoint
from tests.nodes.contexts import ToyContext, context_in

Parts = tuple[Any, Any, Any]
NAME = "model.diffusion_model.middle_block.0.in_layers.2.weight"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ToyContext:
    home = tmp_path_factory.mktemp("home")
    for kind in ("checkpoints", "output", "loras"):
        (home / kind).mkdir()
    for seed, name in enumerate("ab"):
        save_checkpoint(home / "checkpoints", SD1, f"{name}.safetensors", seed=seed)
    made = context_in(home, workflow='{"format": "darkroom/1"}', prompt="{}")
    made.told = []  # type: ignore[attr-defined]
    made.log = made.told.append  # type: ignore[method-assign,attr-defined]
    return made


@pytest.fixture(scope="module")
def two(context: ToyContext) -> list[Parts]:
    return [checkpoint_loader_simple(f"{name}.safetensors", context) for name in "ab"]


def files(context: ToyContext, name: str) -> dict[str, torch.Tensor]:
    return load_file(context.job.files.folder("checkpoints") / f"{name}.safetensors")


def output(context: ToyContext) -> Path:
    return context.job.files.folder("output")


def test_a_merged_checkpoint_is_saved_with_its_workflow_and_loads_again(
    two: list[Parts], context: ToyContext
) -> None:
    (model1, clip1, vae), (model2, clip2, _) = two
    model = merging.model_merge_simple(model1, model2, 0.25, context=context)
    clip = merging.clip_merge_simple(clip1, clip2, 0.5)
    model_saving.checkpoint_save(model, clip, vae, "merged/first", context=context)
    path = output(context) / "merged" / "first_00001_.safetensors"
    assert context.told[-1] == "Saved merged/first_00001_.safetensors in the output folder."  # type: ignore[attr-defined]
    with safe_open(path, framework="pt") as file:
        said = file.metadata()
    assert said["workflow"] == '{"format": "darkroom/1"}'
    assert said["modelspec.title"] == "first"
    a, b, written = files(context, "a"), files(context, "b"), load_file(path)
    assert written.keys() == a.keys()
    expected = (0.25 * a[NAME].float() + 0.75 * b[NAME].float()).half()
    torch.testing.assert_close(written[NAME], expected)
    assert all(torch.equal(written[name], a[name]) for name in a if name.startswith("first_stage_model."))
    path.rename(context.job.files.folder("checkpoints") / "merged.safetensors")
    again, _, _ = checkpoint_loader_simple("merged.safetensors", context)
    assert again.family.name == "sd1"


def test_blocks_sums_and_differences_are_told_apart(two: list[Parts], context: ToyContext) -> None:
    (model1, clip1, _), (model2, clip2, _) = two
    a, b = files(context, "a")[NAME].float(), files(context, "b")[NAME].float()
    mixes = {
        "blocks": (merging.model_merge_blocks(model1, model2, 1.0, 0.5, 0.0, context=context), (a + b) / 2),
        "sum": (merging.model_merge_add(model1, model2, context), a + b),
        "difference": (merging.model_merge_subtract(model1, model2, 2.0, context=context), 2 * (a - b)),
    }
    for name, (model, expected) in mixes.items():
        model_saving.model_save(model, name, context=context)
        written = load_file(output(context) / f"{name}_00001_.safetensors")
        torch.testing.assert_close(written[NAME].float(), expected, rtol=2e-3, atol=2e-3)
    token = "text_model.embeddings.token_embedding.weight"
    text = {key: files(context, key)[f"cond_stage_model.transformer.{token}"].float() for key in "ab"}
    for clip, expected in (
        (merging.clip_merge_add(clip1, clip2), text["a"] + text["b"]),
        (merging.clip_merge_subtract(clip1, clip2, 0.5), 0.5 * (text["a"] - text["b"])),
    ):
        model_saving.clip_save(clip, "text/part", context=context)
        [path] = (output(context) / "text").glob("*.safetensors")
        assert path.name == "part_clip_l_00001_.safetensors"
        torch.testing.assert_close(load_file(path)[token].float(), expected, rtol=2e-3, atol=2e-3)
        path.unlink()


def test_a_vae_is_saved_alone_and_numbers_count_on(two: list[Parts], context: ToyContext) -> None:
    _, _, vae = two[0]
    for _ in range(2):
        model_saving.vae_save(vae, context=context)
    names = sorted(path.name for path in (output(context) / "vae").iterdir())
    assert names == ["ComfyUI_vae_00001_.safetensors", "ComfyUI_vae_00002_.safetensors"]
    again = load_vae(output(context) / "vae" / names[0])
    latent = torch.randn(1, 4, 4, 4)
    torch.testing.assert_close(again.decode(latent), vae.decode(latent))


def test_the_difference_of_two_models_is_a_lora_that_makes_one_of_the_other(
    two: list[Parts], context: ToyContext
) -> None:
    (model1, clip1, _), (model2, clip2, _) = two
    difference = merging.model_merge_subtract(model2, model1, 1.0, context=context)
    model_saving.lora_save(
        "loras/ab", 8, lora_type="full_diff", bias_diff=True, model_diff=difference, context=context
    )
    found = output(context) / "loras" / "ab_00001_.safetensors"
    found.rename(context.job.files.folder("loras") / "ab.safetensors")
    changed = lora_loader_model_only(model1, "ab.safetensors", 1.0, context=context)
    model_saving.model_save(changed, "back", context=context)
    written, wanted = load_file(output(context) / "back_00001_.safetensors"), files(context, "b")
    for name, tensor in written.items():
        torch.testing.assert_close(tensor.float(), wanted[name].float(), rtol=5e-3, atol=5e-3)
    text = merging.clip_merge_subtract(clip2, clip1, 1.0)
    model_saving.lora_save(
        "loras/text", 4, lora_type="standard", bias_diff=False, text_encoder_diff=text, context=context
    )
    names = load_file(output(context) / "loras" / "text_00001_.safetensors")
    stem = "text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1"
    assert names[f"{stem}.lora_up.weight"].shape == (256, 4)
    assert f"{stem}.diff_b" not in names
    assert context.steps[-1][0] == context.steps[-1][1]


def test_a_lora_of_nothing_is_refused(context: ToyContext) -> None:
    with pytest.raises(ValueError, match="There is no difference to save"):
        model_saving.lora_save(lora_type="standard", context=context)
