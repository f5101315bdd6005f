"""The parts of the shipped tiny model as networks to train with: where all other parts start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from diffusion.loading import load_checkpoint
from diffusion.tokenizer import END
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.text import build_text, used_tokens
from tools.tiny.unet import build_unet
from tools.tiny.vae import build_vae

CHECKPOINT: Final = (
    Path(__file__).parent.parent.parent / "models" / "checkpoints" / "darkroom-tiny.safetensors"
)
TABLE: Final = "embeddings.token_embedding.weight"


def shipped_parts(path: Path = CHECKPOINT) -> tuple[Vae, TextEncoder, Unet]:
    """The autoencoder, the text encoder over the small token table, and the U-Net, in fp32 and frozen."""
    found = load_checkpoint(path)
    assert found.clip is not None and found.vae is not None
    vae, text, unet = build_vae(), build_text(), build_unet()
    vae.load_state_dict(_floats(found.vae.first_stage_model.state_dict()))
    text.load_state_dict(small_table(_floats(found.clip.encoders[0].module.state_dict())))
    unet.load_state_dict(_floats(found.model.model.diffusion_model.state_dict()))
    for part in (vae, text, unet):
        part.requires_grad_(False).eval()
    return vae, text, unet


def _floats(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.float() for name, value in state.items()}


def small_table(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A text encoder's state with the rows that captions use alone; row 0 is what all other tokens share."""
    used = used_tokens()
    unknown = next(token for token in range(END) if token not in used)
    return {**state, TABLE: state[TABLE][[unknown, *used]]}


def whole_table(small: Tensor) -> Tensor:
    """The published vocabulary's table from a small one: (49408, W)."""
    table = small[0].repeat(END + 1, 1)
    table[list(used_tokens())] = small[1:]
    return table


def copy_shared(target: torch.nn.Module, source: Mapping[str, Tensor]) -> list[str]:
    """Gives a network every weight of another that has its name and size; the names that were left as they
    are. 1×1 convolutions fit linear layers."""
    own = target.state_dict()
    taken = {
        name: source[name].reshape(value.shape)
        for name, value in own.items()
        if name in source and source[name].numel() == value.numel()
    }
    target.load_state_dict(own | taken)
    return [name for name in own if name not in taken]
