"""Writes the trained parts as one safetensors file in the published SD1 key layout."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.tokenizer import CHUNK
from diffusion.unet_layout import UnetLayout, unet_names
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.shipped import TABLE, whole_table
from tools.tiny.text import WIDTH
from tools.tiny.unet import WIDTHS
from tools.tiny.vae import LEVELS

_VAE_PARTS: Final = (
    (r"(encoder|decoder)\.mid_block\.resnets\.0", r"\1.mid.block_1"),
    (r"(encoder|decoder)\.mid_block\.resnets\.1", r"\1.mid.block_2"),
    (r"(encoder|decoder)\.mid_block\.attentions\.0\.group_norm", r"\1.mid.attn_1.norm"),
    (r"(encoder|decoder)\.mid_block\.attentions\.0\.to_out\.0", r"\1.mid.attn_1.proj_out"),
    (r"(encoder|decoder)\.mid_block\.attentions\.0\.to_([qkv])", r"\1.mid.attn_1.\2"),
    (r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.resnets\.(\d+)", r"\1.\2.\3.block.\4"),
    (r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(down|up)samplers\.0", r"\1.\2.\3.\4sample"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
)


SD1: Final = UnetLayout(
    WIDTHS, ((0,), (1,), (0,)), ((0, 0), (1, 1), (0, 0)), 1, WIDTH, 4, 4, None, False
)  # fmt: skip


def export(path: Path, vae: Vae, text: TextEncoder, unet: Unet) -> None:
    """Writes a checkpoint in fp16: U-Net, autoencoder, and text encoder with its whole vocabulary."""
    state = under("model.diffusion_model.", unet_state(unet, SD1))
    state |= under("first_stage_model.", vae_state(vae))
    state |= under("cond_stage_model.transformer.text_model.", text_state(text))
    write(path, state)


def write(path: Path, state: Mapping[str, Tensor], **metadata: str) -> None:
    """Writes tensors in fp16 as a safetensors file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: value.detach().to(torch.float16).contiguous() for name, value in state.items()}
    part = path.with_suffix(".part")
    save_file(halves, part, metadata={"format": "pt", **metadata})
    part.replace(path)


def under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a prefix to their names."""
    return {f"{prefix}{name}": value for name, value in state.items()}


def unet_state(unet: Unet, layout: UnetLayout) -> dict[str, Tensor]:
    """A U-Net's tensors, or those of a part of one, by their published names."""
    table = unet_table(layout)
    return {swap_prefix(name, table): value for name, value in unet.state_dict().items()}


def unet_table(layout: UnetLayout) -> dict[str, str]:
    """diffusers' name of every part of a U-Net to its published one."""
    return {ours: single for single, ours in unet_names(layout)}


def swap_prefix(name: str, table: Mapping[str, str]) -> str:
    """A name whose longest known beginning is replaced; KeyError when it has none."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if found := table.get(".".join(parts[:end])):
            return ".".join([found, *parts[end:]])
    raise KeyError(f"{name} has no place in the published layout.")


def vae_state(vae: Vae) -> dict[str, Tensor]:
    """An autoencoder's tensors by their published names."""
    return {
        single: _as_conv(single, value)
        for name, value in vae.state_dict().items()
        if (single := _vae_name(name))
    }


def _vae_name(name: str) -> str:
    for pattern, target in _VAE_PARTS:
        name = re.sub(pattern, target, name)
    # The published decoder counts its levels from the picture inwards.
    return re.sub(r"decoder\.up\.(\d+)", lambda m: f"decoder.up.{len(LEVELS) - 1 - int(m[1])}", name)


def _as_conv(name: str, value: Tensor) -> Tensor:
    return value[:, :, None, None] if ".attn_1." in name and value.ndim == 2 else value


def text_state(text: TextEncoder) -> dict[str, Tensor]:
    """A text encoder's tensors by transformers' names, with the table of the whole vocabulary."""
    state = {name.removeprefix("text_model."): value for name, value in text.state_dict().items()}
    state = {name: value for name, value in state.items() if not name.endswith("position_ids")}
    assert state["embeddings.position_embedding.weight"].shape[0] == CHUNK
    return state | {TABLE: whole_table(state[TABLE])}
