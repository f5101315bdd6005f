"""LoRA files that packs read themselves change weights as the node for LoRA files does."""

import importlib
from typing import Any

import pytest
import torch

from diffusion.loading import load_checkpoint
from diffusion.lora import apply_lora
from diffusion.lora import load_lora as read_lora
from diffusion.tensors import open_tensors
from tests.compat.plugins.packs import TINY, Shelf
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import conds, sampled

LORA = next(path for path in sorted((TINY.parent / "loras").glob("*.safetensors")) if "xl" not in path.name)


def names() -> Any:
    return importlib.import_module("comfy.lora")


def key_map(loaded: Any) -> dict[str, Any]:
    return names().model_lora_keys_clip(
        loaded.clip.cond_stage_model, names().model_lora_keys_unet(loaded.model.model)
    )


@pytest.mark.parametrize("strength", [0.8, -0.5])
def test_a_lora_that_a_pack_puts_on_itself_gives_the_latent_of_ours(loaded: Any, strength: float) -> None:
    changes = names().load_lora(dict(open_tensors(LORA)), key_map(loaded))
    theirs, clip = loaded.model.clone(), loaded.clip.clone()
    taken = [*theirs.add_patches(changes, strength), *clip.add_patches(changes, strength)]
    assert sorted(map(str, taken)) == sorted(map(str, changes)) and changes
    ours, our_clip = apply_lora(loaded.model, loaded.clip, read_lora(LORA), strength, strength)
    assert our_clip is not None
    made = sampled(loaded, theirs)
    assert differ(made, sampled(loaded, ours)) < 1e-5
    assert differ(made, sampled(loaded, loaded.model)) > 1e-3
    assert differ(conds(clip, "a red circle")[0][0], conds(our_clip, "a red circle")[0][0]) < 1e-6


def test_key_maps_have_the_names_of_kohyas_and_of_diffusers_files(loaded: Any) -> None:
    keys = key_map(loaded)
    weights = set(loaded.model.model_state_dict()) | set(loaded.clip.get_sd())
    assert set(keys.values()) <= weights
    first = "clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"
    for name in (
        "lora_te_text_model_encoder_layers_0_self_attn_q_proj",
        "text_encoder.text_model.encoder.layers.0.self_attn.q_proj",
        "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj",
    ):
        assert keys[name] == first
    out = "diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_out.0.weight"
    for name in (
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0",
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_out_0",
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out",
    ):
        assert keys[name] == out
    assert keys["diffusion_model.out.2.bias"] == "diffusion_model.out.2.bias"


def test_the_two_text_encoders_of_sdxl_have_names_of_their_own(named: Shelf) -> None:
    clip: Any = load_checkpoint(TINY / "darkroom-tiny-xl.safetensors").clip
    keys = names().model_lora_keys_clip(clip.cond_stage_model, {})
    layer = "text_model_encoder_layers_1_mlp_fc1"
    weight = "transformer.text_model.encoder.layers.1.mlp.fc1.weight"
    assert keys[f"lora_te1_{layer}"] == f"clip_l.{weight}"
    assert keys[f"lora_te2_{layer}"] == f"clip_g.{weight}"


def test_a_pack_may_change_the_strength_inside_a_change(loaded: Any) -> None:
    name = "diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    shape = loaded.model.model_state_dict()[name].shape
    file = {
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_up.weight": torch.ones(shape[0], 2),
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_down.weight": torch.ones(2, shape[1]),
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.alpha": torch.tensor(4.0),
    }
    change = names().load_lora(file, key_map(loaded))[name]
    assert (change.name, change.weights[2], len(change.loaded_keys)) == ("lora", 4.0, 3)
    weight = torch.zeros(shape)
    assert float(names().calculate_weight([(0.5, change, 1.0, None, None)], weight, name).max()) == 2.0
    change.weights = (*change.weights[:2], 1.0, *change.weights[3:])
    assert float(names().calculate_weight([(0.5, change, 1.0, None, None)], weight, name).max()) == 0.5


def test_whole_changes_and_biases_are_loaded_too(loaded: Any) -> None:
    file = {"diffusion_model.out.2.diff": torch.ones(4, 8), "diffusion_model.out.2.diff_b": torch.ones(4)}
    changes = names().load_lora(file, key_map(loaded), log_missing=False)
    assert {name: kind for name, (kind, _) in changes.items()} == {
        "diffusion_model.out.2.weight": "diff", "diffusion_model.out.2.bias": "diff",
    }  # fmt: skip
