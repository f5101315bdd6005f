"""LoRAs and hypernetworks through their nodes: stacked, turned round, undone, and kept to their family."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.hypernetworks import load_hypernetwork
from diffusion.weights import applied
from graph.document import Link, Node, Workflow
from graph.validation import validate
from nodes import registry
from nodes.loaders import checkpoint_loader_simple
from nodes.lora import hypernetwork_loader, lora_loader, lora_loader_model_only
from nodes.text import clip_text_encode
from tests.diffusion.published import SD1, save_checkpoint
from tests.nodes.contexts import ToyContext, context_in

LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"


def pair(stem: str, out: int, inp: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(out)
    up, down = torch.randn(out, 2, generator=generator), torch.randn(2, inp, generator=generator)
    return {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ToyContext:
    home = tmp_path_factory.mktemp("home")
    for kind in ("checkpoints", "loras", "hypernetworks"):
        (home / kind).mkdir()
    save_checkpoint(home / "checkpoints", SD1, "a.safetensors")
    unet = pair(f"lora_unet_{LAYER.replace('.', '_')}", 32, 64)
    save_file(unet | pair(TEXT, 256, 64), home / "loras" / "style.safetensors")
    save_file(unet | pair("lora_unet_nothing", 8, 8), home / "loras" / "half.safetensors")
    save_file(pair("lora_unet_nothing", 8, 8), home / "loras" / "none.safetensors")
    save_file(pair(f"lora_unet_{LAYER.replace('.', '_')}", 32, 2048), home / "loras" / "xl.safetensors")
    return context_in(home)


@pytest.fixture(scope="module")
def parts(context: ToyContext) -> Any:
    return checkpoint_loader_simple("a.safetensors", context)


def weight(model: Any) -> Tensor:
    unet = model.model.diffusion_model
    with applied(unet, model.patches, torch.float32):
        return unet.get_parameter(f"{LAYER}.weight").float().clone()


def test_loras_stack_and_a_negative_one_takes_a_positive_one_back(parts: Any, context: ToyContext) -> None:
    model, clip, _ = parts
    before, said = weight(model), clip_text_encode("a cat", clip)[0][0]
    once, changed = lora_loader(model, clip, "style.safetensors", 0.5, 1.5, context=context)
    twice = lora_loader_model_only(once, "style.safetensors", 0.5, context=context)
    back, same = lora_loader(twice, changed, "style.safetensors", -1.0, -1.5, context=context)
    torch.testing.assert_close(weight(twice) - before, 2 * (weight(once) - before), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(weight(back), before, rtol=0, atol=1e-5)
    assert not torch.allclose(weight(once), before)
    assert not torch.allclose(clip_text_encode("a cat", changed)[0][0], said)
    torch.testing.assert_close(clip_text_encode("a cat", same)[0][0], said, rtol=1e-3, atol=1e-3)
    assert torch.equal(weight(model), before)
    assert torch.equal(clip_text_encode("a cat", clip)[0][0], said)


def test_no_strength_reads_no_file(parts: Any, context: ToyContext) -> None:
    model, clip, _ = parts
    assert lora_loader(model, clip, "missing.safetensors", 0.0, 0.0, context=context) == (model, clip)
    assert lora_loader_model_only(model, "missing.safetensors", 0.0, context=context) is model


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.safetensors", "none.safetensors changes nothing: none of its 1 changes fits a layer"),
        ("half.safetensors", "1 of the 2 changes in half.safetensors fit no layer of this model"),
    ],
)
def test_what_finds_no_layer_is_told(
    name: str, sentence: str, parts: Any, context: ToyContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(context, "log", told.append)
    model, clip, _ = parts
    lora_loader(model, clip, name, context=context)
    assert [line.startswith(sentence) for line in told] == [True]


def workflow(lora: str) -> Workflow:
    return Workflow(
        {
            "load": Node("CheckpointLoaderSimple", {"ckpt_name": "a.safetensors"}),
            "lora": Node(
                "LoraLoader",
                {"model": Link("load", "MODEL"), "clip": Link("load", "CLIP"), "lora_name": lora},
            ),
            "save": Node("ModelSave", {"model": Link("lora", "MODEL")}),
        }
    )


def test_a_lora_of_another_family_is_found_before_anything_runs(context: ToyContext) -> None:
    files: Any = context.job.files
    assert validate(workflow("style.safetensors"), registry(), files) == []
    [problem] = validate(workflow("xl.safetensors"), registry(), files)
    assert (problem.code, problem.node, problem.input) == ("family_mismatch", "lora", "lora_name")
    assert "model is sd1" in problem.message and "lora_name is sdxl" in problem.message


def hypernetwork(path: Path, **said: Any) -> None:
    torch.manual_seed(0)
    layers = {
        name: tensor
        for n, (out, inp) in enumerate(((96, 64), (64, 96)))
        for name, tensor in (
            (f"linear.{2 * n}.weight", torch.randn(out, inp) * 0.1),
            (f"linear.{2 * n}.bias", torch.randn(out) * 0.1),
        )
    }
    torch.save({64: (layers, {n: 2 * t for n, t in layers.items()}), "name": "a", **said}, path)


def test_a_hypernetwork_changes_keys_and_values_and_leaves_no_trace(parts: Any, context: ToyContext) -> None:
    path = context.job.files.folder("hypernetworks") / "a.pt"
    hypernetwork(path, activation_func="relu")
    model, _, _ = parts
    kept = {name: tensor.clone() for name, tensor in model.model.diffusion_model.state_dict().items()}
    changed = hypernetwork_loader(model, "a.pt", 0.5, context=context)
    assert model.model_options["transformer_options"].get("patches") is None
    patches = changed.model_options["transformer_options"]["patches"]
    [patch], [same] = patches["attn1_patch"], patches["attn2_patch"]
    assert patch == same
    q, x = torch.randn(1, 3, 32), torch.randn(1, 5, 64)
    got = patch(q, x, x, {})
    found = torch.load(path, weights_only=True)[64]
    for side, result in zip(found, got[1:], strict=True):
        inner = torch.relu(x @ side["linear.0.weight"].t() + side["linear.0.bias"])
        torch.testing.assert_close(
            result, x + 0.5 * (inner @ side["linear.2.weight"].t() + side["linear.2.bias"])
        )
    narrow = torch.randn(1, 5, 32)
    assert patch(q, narrow, narrow, {})[1] is narrow
    after = model.model.diffusion_model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in kept.items())


def test_a_hypernetwork_may_end_with_its_activation_and_have_norms(tmp_path: Path) -> None:
    hypernetwork(tmp_path / "a.pt", activation_func="swish", activate_output=True)
    kinds = [type(m).__name__ for m in load_hypernetwork(tmp_path / "a.pt").pairs[64][0].children()]
    assert kinds == ["Linear", "Hardswish", "Linear", "Hardswish"]
    hypernetwork(tmp_path / "b.pt")
    kinds = [type(m).__name__ for m in load_hypernetwork(tmp_path / "b.pt").pairs[64][0].children()]
    assert kinds == ["Linear", "Identity", "Linear"]


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"activation_func": "magic", 64: ({}, {})}, "uses the activation 'magic'.*Known are linear"),
        ({"name": "a"}, "holds no pair of networks"),
        ({64: ({"linear.0.weight": torch.zeros(4, 64)}, {})}, "is damaged"),
    ],
)
def test_a_hypernetwork_that_cannot_be_read_is_refused(
    contents: dict[Any, Any], words: str, tmp_path: Path
) -> None:
    torch.save(contents, tmp_path / "a.pt")
    with pytest.raises(DiffusionError, match=words):
        load_hypernetwork(tmp_path / "a.pt")


def test_a_hypernetwork_that_would_run_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(DiffusionError, match="would run code of its own"):
        load_hypernetwork(tmp_path / "a.pt")
