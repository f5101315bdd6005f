"""What a union ControlNet has beside a plain one: it is told the kind of its hint (ControlNet++, 2024)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.unet import timestep_embedding

KINDS: Final = (
    "openpose",
    "depth",
    "hed/pidi/scribble/ted",
    "canny/lineart/anime_lineart/mlsd",
    "normal",
    "segment",
    "tile",
    "repaint",
)
"""What hints a union network knows, by number; the first networks know six of them."""

PARTS: Final = ("task_embedding", "transformer_layes.", "spatial_ch_projs.", "control_add_embedding.")
_WAVES: Final = 256


class UnionParts(nn.Module):
    """The kind of hint joins the time embedding, and moves the hint's features."""

    def __init__(self, kinds: int, width: int, layers: int, embedded: int) -> None:
        super().__init__()
        self.task_embedding = nn.Parameter(torch.empty(kinds, width))
        self.transformer_layes = nn.ModuleList(_Layer(width) for _ in range(layers))
        self.spatial_ch_projs = nn.Linear(width, width)
        self.control_add_embedding = nn.ModuleDict(
            {"linear_1": nn.Linear(kinds * _WAVES, embedded), "linear_2": nn.Linear(embedded, embedded)}
        )

    def forward(self, emb: Tensor, shown: Tensor, kinds: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The time embedding (B, E) and the hint's features (B, C, H, W) for a hint of the first kind."""
        count = self.task_embedding.shape[0]
        known = [kind for kind in kinds if kind < count]
        marks = torch.zeros(count, device=emb.device)
        marks[known] = 1.0
        waves = timestep_embedding(marks, _WAVES).reshape(1, -1).to(emb.dtype)
        first, second = self.control_add_embedding["linear_1"], self.control_add_embedding["linear_2"]
        emb = emb + second(F.silu(first(waves)))
        if not known:
            return emb, shown
        x = shown.mean((2, 3)) + self.task_embedding[known[0]].to(shown)
        for layer in self.transformer_layes:
            x = layer(x)
        return emb, shown + self.spatial_ch_projs(x)[:, :, None, None]


class _Layer(nn.Module):
    """A transformer layer over a sequence of one, which attends to nothing but itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, 1)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[1]
        weight, bias = self.attn.in_proj_weight[2 * width :], self.attn.in_proj_bias[2 * width :]
        out = self.attn.out_proj
        value = F.linear(self.ln_1(x), weight.to(x), bias.to(x))
        x = x + F.linear(value, out.weight.to(x), out.bias.to(x))
        hidden = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))


def union_parts(shapes: Mapping[str, tuple[int, ...]]) -> UnionParts | None:
    """The union parts that a ControlNet file has, without values; None for a plain ControlNet."""
    if "task_embedding" not in shapes:
        return None
    layers = {name.split(".")[1] for name in shapes if name.startswith(PARTS[1])}
    kinds, width = shapes["task_embedding"]
    return UnionParts(kinds, width, len(layers), shapes["control_add_embedding.linear_1.weight"][0])


def kinds_of(name: str) -> list[int]:
    """The numbers of a hint's kind by its name; none for "auto"."""
    return [KINDS.index(name)] if name in KINDS else []


def as_union_names(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """A file's tensors with the union parts where the module has them."""
    return {f"union.{name}" if name.startswith(PARTS) else name: value for name, value in tensors.items()}
