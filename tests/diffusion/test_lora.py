"""LoRA files: every format's arithmetic, names, strength, undoing, and the wrong family."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.lora import apply_lora, load_lora
from diffusion.lora_formats import count_of, delta_of
from diffusion.probe import probe
from diffusion.text import encode
from diffusion.values import Checkpoint, Model
from diffusion.weights import applied

LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
NAMES = [
    f"lora_unet_{LAYER.replace('.', '_')}{{}}",
    "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k{}",
    f"unet.{LAYER}{{}}",
    "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k{}",
    f"base_model.model.{LAYER}{{}}",
    f"{LAYER}{{}}",
]


def pair(out: int, inp: int, rank: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(out, rank, generator=generator), torch.randn(rank, inp, generator=generator)


def weight_of(model: Model, name: str) -> Tensor:
    return model.model.diffusion_model.get_parameter(name)


def saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize("pattern", NAMES)
def test_a_layer_is_found_by_every_name_for_it(small: Checkpoint, tmp_path: Path, pattern: str) -> None:
    up, down = pair(32, 64)
    tensors = {
        pattern.format(".lora_up.weight"): up,
        pattern.format(".lora_down.weight"): down,
        pattern.format(".alpha"): torch.tensor(2.0),
    }
    lora = load_lora(saved(tmp_path / "a.safetensors", tensors))
    model, _ = apply_lora(small.model, None, lora, -0.5)
    assert model is not None
    before = weight_of(model, f"{LAYER}.weight").clone()
    with applied(model.model.diffusion_model, model.patches, torch.float32):
        changed = weight_of(model, f"{LAYER}.weight").float()
    torch.testing.assert_close(changed, before.float() - 0.5 * 0.5 * up @ down, rtol=1e-3, atol=1e-3)
    assert torch.equal(weight_of(model, f"{LAYER}.weight"), before)
    assert small.model.patches == {}


def test_stacked_loras_add_up_and_undo_bit_for_bit(small: Checkpoint, tmp_path: Path) -> None:
    up, down = pair(32, 64)
    tensors = {f"unet.{LAYER}.lora_A.weight": down, f"unet.{LAYER}.lora_B.weight": up}
    lora = load_lora(saved(tmp_path / "a.safetensors", tensors))
    model, _ = apply_lora(small.model, None, lora, 1.0)
    model, _ = apply_lora(model, None, lora, -1.0)
    assert model is not None
    original = small.model.model.diffusion_model.get_parameter(f"{LAYER}.weight")
    with applied(model.model.diffusion_model, model.patches, torch.float32):
        changed = weight_of(model, f"{LAYER}.weight")
    torch.testing.assert_close(changed, original.float(), rtol=0, atol=1e-6)
    assert small.model.model.diffusion_model.get_parameter(f"{LAYER}.weight") is original


def test_a_text_encoder_is_changed_too(small: Checkpoint, tmp_path: Path) -> None:
    assert small.clip is not None
    up, down = pair(64, 64)
    stem = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    lora = load_lora(
        saved(tmp_path / "a.safetensors", {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down})
    )
    before = encode(small.clip, "a cat")[0][0]
    _, clip = apply_lora(small.model, small.clip, lora, 1.0, 0.7)
    assert clip is not None
    assert not torch.allclose(encode(clip, "a cat")[0][0], before)
    assert torch.equal(encode(small.clip, "a cat")[0][0], before)


def test_a_lora_for_another_family_names_both(small: Checkpoint, tmp_path: Path) -> None:
    up, down = pair(32, 2048)
    stem = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    path = saved(
        tmp_path / "xl.safetensors", {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}
    )
    with pytest.raises(DiffusionError, match=r"xl\.safetensors is a LoRA for Stable Diffusion XL.*1\.x"):
        apply_lora(small.model, None, load_lora(path))


def test_a_file_without_changes_is_no_lora(tmp_path: Path) -> None:
    with pytest.raises(DiffusionError, match="is not a LoRA"):
        load_lora(saved(tmp_path / "a.safetensors", {"emb_params": torch.zeros(1, 768)}))


def test_a_hadamard_product_is_taken_value_by_value() -> None:
    a, b = pair(6, 8)
    c, d = pair(6, 8, rank=2)
    delta = delta_of({"w1_a": a, "w1_b": b, "w2_a": c, "w2_b": d, "alpha": torch.tensor(2.0)})
    assert delta is not None
    torch.testing.assert_close(delta(torch.zeros(6, 8)), (a @ b) * (c @ d) * 0.5)


def test_a_kronecker_product_may_have_a_low_rank_side() -> None:
    left = torch.randn(2, 2)
    a, b = pair(3, 4)
    delta = delta_of({"k1": left, "k2_a": a, "k2_b": b, "alpha": torch.tensor(4.0)})
    assert delta is not None
    torch.testing.assert_close(delta(torch.zeros(6, 8)), torch.kron(left, a @ b))


def test_a_convolution_may_have_a_core_in_the_middle() -> None:
    up, down = torch.randn(6, 2, 1, 1), torch.randn(3, 8, 1, 1)
    core = torch.randn(2, 3, 3, 3)
    delta = delta_of({"up": up, "down": down, "mid": core})
    assert delta is not None
    expected = torch.einsum("or,rskl,si->oikl", up[..., 0, 0], core, down[..., 0, 0])
    torch.testing.assert_close(delta(torch.zeros(6, 8, 3, 3)), expected)


def test_a_decomposed_weight_gets_the_learned_length() -> None:
    weight = torch.randn(6, 8)
    up, down = pair(6, 8)
    length = torch.full((1, 8), 3.0)
    delta = delta_of({"up": up, "down": down, "dora": length})
    assert delta is not None
    torch.testing.assert_close((weight + delta(weight)).norm(dim=0), length[0])


def test_the_family_of_every_format_is_read_from_its_header(tmp_path: Path) -> None:
    stem = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    rank, width, wide = 4, 640, 2048
    files: dict[str, dict[str, Tensor]] = {
        "kohya": {f"{stem}.lora_down.weight": torch.zeros(rank, wide)},
        "peft": {f"unet.{stem}.lora_A.default.weight": torch.zeros(rank, wide)},
        "attention processors": {
            "unet.a.attn2.processor.to_k_lora.down.weight": torch.zeros(rank, wide),
        },
        "loha": {f"{stem}.hada_w1_a": torch.zeros(width, rank), f"{stem}.hada_w1_b": torch.zeros(rank, wide)},
        "lokr": {f"{stem}.lokr_w1": torch.zeros(4, 8), f"{stem}.lokr_w2": torch.zeros(160, 256)},
        "low-rank lokr": {
            f"{stem}.lokr_w1_a": torch.zeros(4, 2),
            f"{stem}.lokr_w1_b": torch.zeros(2, 8),
            f"{stem}.lokr_w2": torch.zeros(160, 256),
        },
        "whole": {f"{stem}.diff": torch.zeros(width, wide)},
    }
    for name, tensors in files.items():
        facts = probe(saved(tmp_path / f"{name}.safetensors", tensors))
        assert (name, facts.kind, facts.family) == (name, "lora", "sdxl")


def test_whole_weights_norms_and_biases_are_changed(small: Checkpoint, tmp_path: Path) -> None:
    norm, conv = "down_blocks.0.resnets.0.norm1", "conv_in"
    generator = torch.Generator().manual_seed(2)
    parts = {
        f"lora_unet_{norm.replace('.', '_')}.w_norm": torch.randn(32, generator=generator),
        f"lora_unet_{norm.replace('.', '_')}.b_norm": torch.randn(32, generator=generator),
        f"lora_unet_{conv}.diff": torch.randn(32, 4, 3, 3, generator=generator),
        f"lora_unet_{conv}.diff_b": torch.randn(32, generator=generator),
        f"diffusion_model.{'input_blocks.1.1.transformer_blocks.0.attn2.to_k'}.set_weight": torch.ones(
            32, 64
        ),
    }
    model, _ = apply_lora(small.model, None, load_lora(saved(tmp_path / "a.safetensors", parts)))
    assert model is not None
    names = [f"{norm}.weight", f"{norm}.bias", f"{conv}.weight", f"{conv}.bias"]
    before = [weight_of(model, name).float().clone() for name in names]
    with applied(model.model.diffusion_model, model.patches, torch.float32):
        for name, old, change in zip(names, before, parts.values(), strict=False):
            torch.testing.assert_close(weight_of(model, name), old + change, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(weight_of(model, f"{LAYER}.weight"), torch.ones(32, 64))
    assert all(torch.equal(weight_of(model, n).float(), old) for n, old in zip(names, before, strict=True))


def test_both_text_encoders_of_sdxl_are_found_by_every_name(
    loaded: dict[str, Checkpoint], tmp_path: Path
) -> None:
    xl = loaded["sdxl"]
    assert xl.clip is not None
    layer = "encoder.layers.0.self_attn.q_proj"
    flat = layer.replace(".", "_")
    names = {
        "l": (f"lora_te1_text_model_{flat}", f"text_encoder.text_model.{layer}"),
        "g": (f"lora_te2_text_model_{flat}", f"text_encoder_2.text_model.{layer}"),
    }
    for tower, width in (("l", 64), ("g", 128)):
        for stem in (*names[tower], f"text_encoders.clip_{tower}.transformer.text_model.{layer}"):
            up, down = pair(width, width)
            tensors = {f"{stem}.lora_up.weight": up, f"{stem}.lora_down.weight": down}
            _, clip = apply_lora(xl.model, xl.clip, load_lora(saved(tmp_path / "a.safetensors", tensors)))
            assert clip is not None
            assert list(clip.patches) == [f"{tower}.{layer}.weight"], stem


def test_changes_of_another_size_are_left_out_and_told(small: Checkpoint, tmp_path: Path) -> None:
    up, down = pair(32, 96)
    fits, _ = pair(32, 64)
    other = LAYER.replace("to_k", "to_v")
    tensors = {f"unet.{LAYER}.lora_A.weight": down, f"unet.{LAYER}.lora_B.weight": up}
    told: list[str] = []
    apply_lora(small.model, None, load_lora(saved(tmp_path / "a.safetensors", tensors)), warn=told.append)
    tensors |= {f"unet.{other}.lora_A.weight": pair(32, 64)[1], f"unet.{other}.lora_B.weight": fits}
    model, _ = apply_lora(
        small.model, None, load_lora(saved(tmp_path / "b.safetensors", tensors)), warn=told.append
    )
    assert model is not None and list(model.patches) == [f"{other}.weight"]
    assert told[0].startswith("a.safetensors changes nothing")
    assert told[1].startswith("1 of the 2 changes in b.safetensors fit no layer")


@pytest.mark.parametrize(
    "parts",
    [
        {"up": (6, 2), "down": (2, 8)},
        {"up": (6, 2, 1, 1), "down": (2, 8, 3, 3)},
        {"up": (6, 2, 1, 1), "down": (3, 8, 1, 1), "mid": (2, 3, 3, 3)},
        {"w1_a": (6, 2), "w1_b": (2, 8), "w2_a": (6, 2), "w2_b": (2, 8)},
        {
            "w1_a": (2, 6),
            "w1_b": (2, 8),
            "t1": (2, 2, 3, 3),
            "w2_a": (2, 6),
            "w2_b": (2, 8),
            "t2": (2, 2, 3, 3),
        },
        {"k1": (2, 2), "k2": (3, 4)},
        {"k1_a": (2, 1), "k1_b": (1, 2), "k2_a": (3, 2), "k2_b": (2, 4)},
        {"k1": (2, 2), "k2_a": (2, 3), "k2_b": (2, 4), "kt2": (2, 2, 3, 3)},
        {"diff": (6, 8)},
        {"set": (6, 8, 3, 3)},
    ],
    ids=lambda parts: " ".join(parts),
)
def test_every_format_knows_how_large_a_weight_it_changes(parts: dict[str, tuple[int, ...]]) -> None:
    made = {name: torch.randn(shape) for name, shape in parts.items()}
    wide = any(len(shape) == 4 and shape[-1] == 3 for shape in parts.values())
    weight = torch.zeros(6, 8, 3, 3) if wide else torch.zeros(6, 8)
    change = delta_of(made)
    assert change is not None
    assert change(weight).shape == weight.shape
    assert count_of(made) == weight.numel()
