"""Saved models load again with identical tensors, patched ones with what was patched."""

import io
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from diffusion.devices import Device
from diffusion.loading import load_checkpoint, load_vae
from diffusion.lora import apply_lora, load_lora
from diffusion.lora_extraction import extract_lora, low_rank
from diffusion.merging import mix_models
from diffusion.probe import probe
from diffusion.saving import clip_parts, described, encoder_parts, later, model_parts, vae_parts, write
from diffusion.values import Checkpoint
from diffusion.weights import WeightPatch, applied, ready
from tests.diffusion.published import REFINER, SD1, SD2, SDXL, Sizes, save_checkpoint

CPU = Device(torch.device("cpu"), torch.bfloat16)


def saved(path: Path, found: Checkpoint) -> dict[str, Tensor]:
    assert found.clip is not None and found.vae is not None
    parts = model_parts(found.model) | clip_parts(found.clip) | vae_parts(found.vae)
    with path.open("wb") as file:
        write(file, parts, described(found.model, "mine") | {"workflow": '{"a": "ü"}'})
    return load_file(path)


@pytest.mark.parametrize("sizes", [SD1, SD2, SDXL, REFINER], ids=["sd1", "sd2", "sdxl", "refiner"])
def test_a_checkpoint_is_saved_bit_for_bit_even_after_it_was_cast(sizes: Sizes, tmp_path: Path) -> None:
    source = save_checkpoint(tmp_path, sizes)
    found = load_checkpoint(source, device=CPU)
    ready(found.model.model.diffusion_model, CPU.device, CPU.dtype)
    assert next(found.model.model.diffusion_model.parameters()).dtype == torch.bfloat16
    written, original = saved(tmp_path / "saved.safetensors", found), load_file(source)
    marks = {name for name in original if name.endswith("logit_scale")}
    assert written.keys() == original.keys() - marks
    assert all(torch.equal(written[name], original[name]) for name in written)
    assert {tensor.dtype for tensor in written.values()} == {torch.float16}
    again = probe(tmp_path / "saved.safetensors")
    assert (again.kind, again.family) == ("checkpoint", probe(source).family)
    load_checkpoint(tmp_path / "saved.safetensors")


def test_the_file_says_what_it_is_and_how_it_was_made(small: Checkpoint, tmp_path: Path) -> None:
    saved(tmp_path / "a.safetensors", small)
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        said = file.metadata()
    assert said["modelspec.architecture"] == "stable-diffusion-v1"
    assert (said["modelspec.title"], said["modelspec.prediction_type"]) == ("mine", "epsilon")
    assert said["workflow"] == '{"a": "ü"}'


def test_patches_become_weights(small: Checkpoint, tmp_path: Path) -> None:
    name = "time_embed.0.weight"
    model = small.model.clone()
    model.patches[model.model.names[name]] = (WeightPatch(lambda w: torch.ones_like(w), 0.5),)
    written = saved(tmp_path / "a.safetensors", Checkpoint(model, small.clip, small.vae))
    plain = model.model.diffusion_model.get_parameter(model.model.names[name])
    full = f"model.diffusion_model.{name}"
    torch.testing.assert_close(written[full], (plain.float() + 0.5).half())


def test_parts_are_files_of_their_own(loaded: dict[str, Checkpoint], tmp_path: Path) -> None:
    xl = loaded["sdxl"]
    assert xl.clip is not None and xl.vae is not None
    with (tmp_path / "vae.safetensors").open("wb") as file:
        write(file, vae_parts(xl.vae, ""), {})
    again = load_vae(tmp_path / "vae.safetensors")
    weights = xl.vae.first_stage_model.state_dict()
    assert all(torch.equal(t, weights[n].to(t)) for n, t in again.first_stage_model.state_dict().items())
    parts = encoder_parts(xl.clip)
    assert list(parts) == ["l", "g"]
    assert parts["g"]["text_projection.weight"].shape == (128, 128)
    assert "text_model.encoder.layers.0.self_attn.q_proj.weight" in parts["g"]


def test_tensors_of_any_size_keep_their_places(tmp_path: Path) -> None:
    tensors = {"a": torch.zeros(0), "b": torch.rand(3, 5).half(), "c": torch.tensor(2.0)}
    buffer = io.BytesIO()
    write(buffer, {name: later(tensor) for name, tensor in tensors.items()}, {})
    (tmp_path / "a.safetensors").write_bytes(buffer.getvalue())
    again = load_file(tmp_path / "a.safetensors")
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_an_extracted_lora_gives_the_difference_back(small: Checkpoint, tmp_path: Path) -> None:
    name = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    target = small.model.model.names[name]
    other = small.model.clone()
    change = torch.randn(32, 2) @ torch.randn(2, 64) * 0.1
    other.patches[target] = (WeightPatch(lambda w: change),)
    difference = mix_models(other, small.model, lambda _: (1.0, -1.0))
    told: list[str] = []
    steps: list[tuple[int, int]] = []
    parts = extract_lora(difference, None, 2, "standard", True, lambda *step: steps.append(step), told.append)
    assert len(told) == 1 and "weights do not differ" in told[0]
    assert steps[-1][0] == steps[-1][1]
    with (tmp_path / "lora.safetensors").open("wb") as file:
        write(file, parts, {})
    changed, _ = apply_lora(small.model, None, load_lora(tmp_path / "lora.safetensors"))
    assert changed is not None
    with applied(changed.model.diffusion_model, changed.patches, torch.float32):
        got = changed.model.diffusion_model.get_parameter(target).clone()
    wanted = changed.model.diffusion_model.get_parameter(target).float() + change
    assert float((got - wanted).norm() / change.norm()) < 2e-3


def test_low_rank_matrices_multiply_to_the_nearest_difference() -> None:
    kernel = torch.randn(6, 4, 3, 3)
    up, down = low_rank(kernel, 3)
    assert (up.shape, down.shape) == ((6, 3, 1, 1), (3, 4, 3, 3))
    flat = torch.ones(8, 5)
    up, down = low_rank(flat, 1)
    torch.testing.assert_close(up @ down, flat, rtol=1e-5, atol=1e-5)
