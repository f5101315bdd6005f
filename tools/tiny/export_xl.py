"""Writes the trained parts of SDXL's kind in its published single-file key layout."""

from copy import deepcopy
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from diffusion.text_layout import OPEN_CLIP, OPEN_CLIP_LAYER
from diffusion.unet_layout import UnetLayout
from tools.tiny.export import text_state, under, unet_state, vae_state, write
from tools.tiny.networks import TextEncoder, Unet, Vae
from tools.tiny.towers import Towers
from tools.tiny.vae import SCALE as SD1_SCALE
from tools.tiny.vae import fold_scale
from tools.tiny.xl import BASE
from tools.tiny.xl import SCALE as XL_SCALE

_LOGIT_SCALE: Final = 4.6052


def export_base(path: Path, vae: Vae, towers: Towers, unet: Unet) -> None:
    """Writes the base: its U-Net, the autoencoder at SDXL's scale, and both text encoders."""
    text = under("conditioner.embedders.0.transformer.text_model.", text_state(towers.l))
    text |= under("conditioner.embedders.1.model.", open_clip_state(towers.g, towers.projection))
    _export(path, vae, unet, BASE, text)


def export_refiner(path: Path, vae: Vae, towers: Towers, unet: Unet, layout: UnetLayout) -> None:
    """Writes the refiner: its U-Net, the autoencoder at SDXL's scale, and the G alone."""
    text = under("conditioner.embedders.0.model.", open_clip_state(towers.g, towers.projection))
    _export(path, vae, unet, layout, text)


def _export(path: Path, vae: Vae, unet: Unet, layout: UnetLayout, text: dict[str, Tensor]) -> None:
    state = under("model.diffusion_model.", unet_state(unet, layout))
    state |= under("first_stage_model.", vae_state(at_scale_of_xl(vae)))
    write(path, state | text)


def at_scale_of_xl(vae: Vae) -> Vae:
    """The same autoencoder with latents that SDXL's factor, not SD1's, brings to deviation 1."""
    scaled = deepcopy(vae)
    fold_scale(scaled, torch.zeros(4), torch.full((4,), 1 / SD1_SCALE), XL_SCALE)
    return scaled


def open_clip_state(text: TextEncoder, projection: Tensor) -> dict[str, Tensor]:
    """A text encoder's tensors by OpenCLIP's names: query, key and value joined, the projection transposed
    to what transformers keeps."""
    state, out = text_state(text), dict[str, Tensor]()
    for theirs, ours in OPEN_CLIP.items():
        out[theirs] = state.pop(ours)
    for number in range(text.config.num_hidden_layers):
        ours, theirs = f"encoder.layers.{number}.", f"transformer.resblocks.{number}."
        for leaf in ("weight", "bias"):
            joined = [state.pop(f"{ours}self_attn.{part}_proj.{leaf}") for part in "qkv"]
            out[f"{theirs}attn.in_proj_{leaf}"] = torch.cat(joined)
            for single, name in OPEN_CLIP_LAYER.items():
                out[f"{theirs}{single}.{leaf}"] = state.pop(f"{ours}{name}.{leaf}")
    assert not state, sorted(state)
    return out | {"text_projection": projection, "logit_scale": torch.tensor(_LOGIT_SCALE)}
