"""CLIP text encoders in their two published key layouts, and transformers' names for their tensors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.families import TextTower

Shapes = Mapping[str, tuple[int, ...]]

IGNORED: Final = ("position_ids", "logit_scale", "attn_mask")
OPEN_CLIP: Final = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
OPEN_CLIP_LAYER: Final = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_LAYER = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")


@dataclass(frozen=True, slots=True)
class TextLayout:
    """The exact dimensions of a CLIP text encoder."""

    width: int
    layers: int
    inner: int
    vocabulary: int
    positions: int
    projection: int | None


def text_names(shapes: Shapes) -> str:
    """Which of the two layouts a text encoder's tensors are named in: "clip" or "open_clip"."""
    return "clip" if any(n.endswith("embeddings.token_embedding.weight") for n in shapes) else "open_clip"


def text_layout(shapes: Shapes, layout: str) -> TextLayout:
    """The layout of a text encoder from its tensors' shapes (names without prefix)."""
    clip = layout == "clip"
    root = "text_model." if any(n.startswith("text_model.") for n in shapes) else ""
    token = f"{root}embeddings.token_embedding.weight" if clip else "token_embedding.weight"
    place = f"{root}embeddings.position_embedding.weight" if clip else "positional_embedding"
    layer = f"{root}encoder.layers." if clip else "transformer.resblocks."
    inner = f"{layer}0.mlp.{'fc1' if clip else 'c_fc'}.weight"
    if token not in shapes or place not in shapes or inner not in shapes:
        raise DiffusionError(
            "the text encoder in this file is not complete: token, position or layer weights lack."
        )
    projection = shapes.get("text_projection.weight" if clip else "text_projection")
    first = "layer_norm1.weight" if clip else "ln_1.weight"
    count = next(n for n in range(len(shapes)) if f"{layer}{n}.{first}" not in shapes)
    width = shapes[token][1]
    out = projection[0 if clip else 1] if projection else None
    return TextLayout(width, count, shapes[inner][0], shapes[token][0], shapes[place][0], out)


def text_config(layout: TextLayout, tower: TextTower) -> dict[str, Any]:
    """The arguments of transformers' CLIPTextConfig for these dimensions; every head is 64 wide."""
    return {
        "vocab_size": layout.vocabulary,
        "hidden_size": layout.width,
        "intermediate_size": layout.inner,
        "num_hidden_layers": layout.layers,
        "num_attention_heads": max(1, layout.width // 64),
        "max_position_embeddings": layout.positions,
        "hidden_act": tower.activation,
        "projection_dim": layout.projection or layout.width,
        "bos_token_id": layout.vocabulary - 2,
        "eos_token_id": layout.vocabulary - 1,
    }


def rename_text(shapes: Shapes, layout: str) -> dict[str, list[str]]:
    """Single-file name → transformers names (three for a joined query-key-value) of every tensor that is
    used.

    "text_projection" alone as a target name means a matrix to be transposed.
    """
    kept = (name for name in shapes if not name.endswith(IGNORED))
    if layout == "clip":
        return {name: [name.removeprefix("text_model.")] for name in kept}
    return {name: _open_clip(name) for name in kept}


def _open_clip(name: str) -> list[str]:
    found = _LAYER.match(name)
    if found is None:
        return [OPEN_CLIP.get(name, name)]
    root, rest = f"encoder.layers.{found[1]}.", found[2]
    if rest.startswith("attn.in_proj_"):
        leaf = rest.removeprefix("attn.in_proj_")
        return [f"{root}self_attn.{part}_proj.{leaf}" for part in "qkv"]
    stem, _, leaf = rest.rpartition(".")
    return [f"{root}{OPEN_CLIP_LAYER.get(stem, stem)}.{leaf}"]
