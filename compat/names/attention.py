# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The layers of `comfy.ldm.modules.attention`: a U-Net's attention, with every place where patches act."""

import sys
from types import SimpleNamespace
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion import unet
from diffusion.weights import CastConv2d, CastGroupNorm, CastLayerNorm, CastLinear

MODULE: Final = "comfy.ldm.modules.attention"
OPERATIONS: Final = SimpleNamespace(
    Linear=CastLinear, Conv2d=CastConv2d, GroupNorm=CastGroupNorm, LayerNorm=CastLayerNorm
)
"""What layers are made of unless a pack hands over its own."""


def optimized_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    heads: int,
    mask: Tensor | None = None,
    attn_precision: Any = None,
    skip_reshape: bool = False,
    skip_output_reshape: bool = False,
    transformer_options: Any = None,
    **rest: Any,
) -> Tensor:
    """Attention of (B, T, heads · width), or (B, heads, T, width) with skip_reshape.

    Options may bring another."""
    if not rest.get("_inside_attn_wrapper") and (
        other := (transformer_options or {}).get("optimized_attention_override")
    ):
        told = {"skip_reshape": skip_reshape, "skip_output_reshape": skip_output_reshape}
        more = {"attn_precision": attn_precision, "transformer_options": transformer_options}
        inside = {"_inside_attn_wrapper": True, **rest}
        return other(optimized_attention, q, k, v, heads, mask=mask, **told, **more, **inside)
    mask = mask if mask is None or mask.ndim > 3 else mask[None, None] if mask.ndim == 2 else mask[:, None]
    if not skip_reshape and not skip_output_reshape:
        return unet.attend(q, k, v, heads, mask)
    if not skip_reshape:
        q, k, v = (x.view(x.shape[0], -1, heads, x.shape[-1] // heads).transpose(1, 2) for x in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out if skip_output_reshape else out.transpose(1, 2).flatten(2)


def _live(name: str) -> Any:
    """A function by its published name, as a pack may have put another in its place."""
    return getattr(sys.modules.get(MODULE), name, optimized_attention)


class GEGLU(nn.Module):
    """Half of a projection, gated by the other half."""

    def __init__(
        self, dim_in: int, dim_out: int, dtype: Any = None, device: Any = None, operations: Any = OPERATIONS
    ) -> None:
        super().__init__()
        self.proj = operations.Linear(dim_in, dim_out * 2, dtype=dtype, device=device)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """What follows attention, token by token."""

    def __init__(
        self, dim: int, dim_out: int | None = None, mult: int = 4, glu: bool = False, dropout: float = 0.0,
        dtype: Any = None, device: Any = None, operations: Any = OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__()
        at = {"dtype": dtype, "device": device}
        inner = int(dim * mult)
        plain = lambda: nn.Sequential(operations.Linear(dim, inner, **at), nn.GELU())  # noqa: E731
        first = GEGLU(dim, inner, operations=operations, **at) if glu else plain()
        self.net = nn.Sequential(first, nn.Dropout(dropout), operations.Linear(inner, dim_out or dim, **at))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class CrossAttention(nn.Module):
    """Attention of tokens to a context, or to themselves."""

    def __init__(
        self, query_dim: int, context_dim: int | None = None, heads: int = 8, dim_head: int = 64,
        dropout: float = 0.0, attn_precision: Any = None, dtype: Any = None, device: Any = None,
        operations: Any = OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__()
        inner, context = dim_head * heads, context_dim or query_dim
        self.heads, self.dim_head, self.attn_precision = heads, dim_head, attn_precision
        at = {"dtype": dtype, "device": device}
        self.to_q = operations.Linear(query_dim, inner, bias=False, **at)
        self.to_k = operations.Linear(context, inner, bias=False, **at)
        self.to_v = operations.Linear(context, inner, bias=False, **at)
        self.to_out = nn.Sequential(operations.Linear(inner, query_dim, **at), nn.Dropout(dropout))

    def forward(
        self,
        x: Tensor,
        context: Any = None,
        value: Any = None,
        mask: Any = None,
        transformer_options: Any = None,
    ) -> Tensor:
        keys = x if context is None else context
        q, k, v = self.to_q(x), self.to_k(keys), self.to_v(keys if value is None else value)
        told = {"attn_precision": self.attn_precision, "transformer_options": transformer_options or {}}
        if mask is None:
            return self.to_out(_live("optimized_attention")(q, k, v, self.heads, **told))
        return self.to_out(_live("optimized_attention_masked")(q, k, v, self.heads, mask, **told))


class BasicTransformerBlock(nn.Module):
    """Attention to itself, attention to the text, and what follows, each with its places for patches."""

    def __init__(
        self, dim: int, n_heads: int, d_head: int, dropout: float = 0.0, context_dim: int | None = None,
        gated_ff: bool = True, checkpoint: bool = True, attn_precision: Any = None,
        disable_self_attn: bool = False, dtype: Any = None, device: Any = None, operations: Any = OPERATIONS,
        **_: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        made: dict[str, Any] = {"dtype": dtype, "device": device}
        with_ops = {**made, "operations": operations}
        heads = {"heads": n_heads, "dim_head": d_head, "dropout": dropout, "attn_precision": attn_precision}
        own = context_dim if disable_self_attn else None
        self.attn1 = CrossAttention(dim, own, **heads, **with_ops)
        self.ff = FeedForward(dim, dropout=dropout, glu=gated_ff, **with_ops)
        self.attn2 = CrossAttention(dim, context_dim, **heads, **with_ops)
        self.norm1, self.norm2, self.norm3 = (operations.LayerNorm(dim, **made) for _ in range(3))
        self.n_heads, self.d_head, self.attn_precision = n_heads, d_head, attn_precision
        self.disable_self_attn = disable_self_attn

    def forward(self, x: Tensor, context: Any = None, transformer_options: Any = None) -> Tensor:
        options = transformer_options or {}
        extra = {name: value for name, value in options.items() if name not in ("patches", "patches_replace")}
        extra |= {"n_heads": self.n_heads, "dim_head": self.d_head, "attn_precision": self.attn_precision}
        own = context if self.disable_self_attn else None
        x = self._attended("attn1", self.norm1(x), own, options, extra) + x
        for patch in options.get("patches", {}).get("middle_patch", ()):
            x = patch(x, extra)
        if self.attn2 is not None:
            x = self._attended("attn2", self.norm2(x), context, options, extra) + x
        return x + self.ff(self.norm3(x))

    def _attended(self, name: str, n: Tensor, context: Any, options: Any, extra: dict[str, Any]) -> Tensor:
        attention, patches, value = getattr(self, name), options.get("patches", {}), None
        if inputs := patches.get(f"{name}_patch"):
            context = n if context is None else context
            value = context
            for patch in inputs:
                n, context, value = patch(n, context, value, extra)
        replace = _replacement(options, name)
        if replace is None:
            n = attention(n, context=context, value=value, transformer_options=options)
        else:
            keys = n if context is None else context
            values = keys if value is None else value
            told = attention.to_q(n), attention.to_k(keys), attention.to_v(values)
            n = attention.to_out(replace(*told, extra))
        for patch in patches.get(f"{name}_output_patch", ()):
            n = patch(n, extra)
        return n


def _replacement(options: Any, name: str) -> Any:
    """What stands in the place of this block's attention."""
    table, block = options.get("patches_replace", {}).get(name), options.get("block")
    if not table or block is None:
        return None
    return table.get((block[0], block[1], options.get("block_index", 0)), table.get(block))


class SpatialTransformer(nn.Module):
    """Transformer blocks over the pixels of a picture."""

    def __init__(
        self, in_channels: int, n_heads: int, d_head: int, depth: int = 1, dropout: float = 0.0,
        context_dim: Any = None, disable_self_attn: bool = False, use_linear: bool = False,
        use_checkpoint: bool = True, attn_precision: Any = None, dtype: Any = None, device: Any = None,
        operations: Any = OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__()
        made = {"dtype": dtype, "device": device}
        inner, texts = (
            n_heads * d_head,
            context_dim if isinstance(context_dim, list) else [context_dim] * depth,
        )
        project = operations.Linear if use_linear else lambda a, b, **at: operations.Conv2d(a, b, 1, **at)
        self.in_channels, self.use_linear = in_channels, use_linear
        self.norm = operations.GroupNorm(32, in_channels, eps=1e-6, affine=True, **made)
        self.proj_in = project(in_channels, inner, **made)
        told = {"disable_self_attn": disable_self_attn, "attn_precision": attn_precision, "dropout": dropout}
        self.transformer_blocks = nn.ModuleList(
            BasicTransformerBlock(
                inner, n_heads, d_head, context_dim=text, operations=operations, **told, **made
            )
            for text in texts
        )
        self.proj_out = project(inner, in_channels, **made)

    def forward(self, x: Tensor, context: Any = None, transformer_options: Any = None) -> Tensor:
        options = {} if transformer_options is None else transformer_options
        texts = context if isinstance(context, list) else [context] * len(self.transformer_blocks)
        options["activations_shape"] = list(x.shape)
        h = self.norm(x)
        h = h if self.use_linear else self.proj_in(h)
        height, width = h.shape[2:]
        h = h.permute(0, 2, 3, 1).reshape(h.shape[0], height * width, -1)
        h = self.proj_in(h) if self.use_linear else h
        for index, block in enumerate(self.transformer_blocks):
            options["block_index"] = index
            h = block(h, context=texts[index], transformer_options=options)
        h = self.proj_out(h) if self.use_linear else h
        h = h.reshape(h.shape[0], height, width, -1).permute(0, 3, 1, 2)
        h = h if _is_last(x) else h.contiguous()
        return (h if self.use_linear else self.proj_out(h)) + x


def _is_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)


LAYERS: Final = (GEGLU, FeedForward, CrossAttention, BasicTransformerBlock, SpatialTransformer)
