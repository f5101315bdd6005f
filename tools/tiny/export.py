"""Writes the trained parts as one safetensors file in the published SD1 key layout."""

import re
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.tokenizer import CHUNK, END
from diffusion.unet_layout import UnetLayout, unet_names
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.text import UNKNOWN, WIDTH, used_tokens
from tools.tiny.unet import WIDTHS
from tools.tiny.vae import LEVELS

VOCABULARY: Final = END + 1
_TOKENS: Final = "embeddings.token_embedding.weight"
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


def export(path: Path, vae: Vae, text: TextEncoder, unet: Unet) -> None:
    """Writes a checkpoint in fp16: U-Net, autoencoder, and text encoder with its whole vocabulary."""
    state = {f"model.diffusion_model.{name}": value for name, value in _unet_state(unet).items()}
    state |= {f"first_stage_model.{name}": value for name, value in _vae_state(vae).items()}
    state |= {
        f"cond_stage_model.transformer.text_model.{name}": value for name, value in _text_state(text).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = {name: value.to(torch.float16).contiguous() for name, value in state.items()}
    part = path.with_suffix(".part")
    save_file(halves, part, metadata={"format": "pt"})
    part.replace(path)


def _unet_state(unet: Unet) -> dict[str, Tensor]:
    plain = tuple((0,) for _ in WIDTHS)
    ups = tuple((0, 0) for _ in WIDTHS)
    layout = UnetLayout(
        WIDTHS, (plain[0], (1,), plain[0]), (ups[0], (1, 1), ups[0]), 1, WIDTH, 4, 4, None, False
    )
    table = {ours: single for single, ours in unet_names(layout)}
    return {_swap_prefix(name, table): value for name, value in unet.state_dict().items()}


def _swap_prefix(name: str, table: dict[str, str]) -> str:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if found := table.get(".".join(parts[:end])):
            return ".".join([found, *parts[end:]])
    raise KeyError(f"{name} has no place in the published layout.")


def _vae_state(vae: Vae) -> dict[str, Tensor]:
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


def _text_state(text: TextEncoder) -> dict[str, Tensor]:
    state = {name.removeprefix("text_model."): value for name, value in text.state_dict().items()}
    state = {name: value for name, value in state.items() if not name.endswith("position_ids")}
    small = state[_TOKENS]
    table = small[UNKNOWN].repeat(VOCABULARY, 1)
    table[list(used_tokens())] = small[1:]
    assert state["embeddings.position_embedding.weight"].shape[0] == CHUNK
    return state | {_TOKENS: table}
