"""Runs a diffusers U-Net block by block, in the published block numbering, with a place for every patch.

The modules are diffusers'; walking them here (and not through their own forward) is what lets ControlNets,
FreeU and plugins' attention patches see "input block 4" or "output block 8" under the names that the field
knows.
"""

from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Options = dict[str, Any]
Control = Mapping[str, list[Tensor | None]]


def timestep_embedding(timesteps: Tensor, width: int) -> Tensor:
    """Sinusoids of each timestep, cosines first (Vaswani et al. 2017): (B,) -> (B, width) in fp32."""
    half = width // 2
    rates = torch.exp(-log(10000) * torch.arange(half, dtype=torch.float32, device=timesteps.device) / half)
    angles = timesteps[:, None].float() * rates[None]
    waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
    return F.pad(waves, (0, 1)) if width % 2 else waves


def run_unet(
    unet: Any,
    x: Tensor,
    timesteps: Tensor,
    context: Tensor,
    y: Tensor | None = None,
    control: Control | None = None,
    transformer_options: Options | None = None,
) -> Tensor:
    """The network's output (B, C, H, W) for a scaled latent x, timesteps (B,), text (B, T, W) and vector
    y."""
    options = {"patches": {}, "patches_replace": {}, **(transformer_options or {})}
    options["original_shape"] = list(x.shape)
    options["transformer_index"] = 0
    residuals = {side: list(parts) for side, parts in (control or {}).items()}
    if unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last):
        x = x.contiguous(memory_format=torch.channels_last)
    emb = _embedding(unet, x, timesteps, y, options)
    h, skips = _down(unet, x, emb, context, residuals, options)
    options["block"] = ("middle", 0)
    h = _run(middle_block(unet), h, emb, context, options)
    h = _add(h, residuals, "middle")
    h = _up(unet, h, skips, emb, context, residuals, options)
    return unet.conv_out(F.silu(unet.conv_norm_out(h)))


def control_residuals(
    network: Any,
    x: Tensor,
    hint: Tensor,
    timesteps: Tensor,
    context: Tensor,
    y: Tensor | None = None,
    kinds: Sequence[int] = (),
) -> tuple[list[Tensor], Tensor]:
    """What a ControlNet adds to each skip of the U-Net and to its middle.

    kinds: what a network for several kinds of hints is told of the hint's kind.
    """
    options: Options = {"patches": {}, "patches_replace": {}, "transformer_index": 0}
    emb = _embedding(network, x, timesteps, y, options)
    shown = network.controlnet_cond_embedding(hint)
    if getattr(network, "union", None) is not None:
        emb, shown = network.union(emb, shown, kinds)
    h, skips = x, []
    for number, layers in enumerate(input_blocks(network)):
        options["block"] = ("input", number)
        h = _run(layers, h, emb, context, options)
        if number == 0:
            h = h + shown
        skips.append(network.controlnet_down_blocks[number](h))
    options["block"] = ("middle", 0)
    return skips, network.controlnet_mid_block(_run(middle_block(network), h, emb, context, options))


def _embedding(unet: Any, x: Tensor, timesteps: Tensor, y: Tensor | None, options: Options) -> Tensor:
    waves = timestep_embedding(timesteps, unet.conv_in.out_channels).to(x.dtype)
    emb = unet.time_embedding(waves)
    for patch in options["patches"].get("emb_patch", ()):
        emb = patch(emb, unet.conv_in.out_channels, options)
    if y is not None and getattr(unet, "add_embedding", None) is not None:
        emb = emb + unet.add_embedding(y.to(x.dtype))
    return emb


def _down(
    unet: Any, h: Tensor, emb: Tensor, context: Tensor, residuals: dict[str, Any], options: Options
) -> tuple[Tensor, list[Tensor]]:
    skips: list[Tensor] = []
    for number, layers in enumerate(input_blocks(unet)):
        options["block"] = ("input", number)
        h = _run(layers, h, emb, context, options)
        h = _add(h, residuals, "input")
        h = _patched(h, "input_block_patch", options)
        skips.append(h)
        h = _patched(h, "input_block_patch_after_skip", options)
    return h, skips


def _up(
    unet: Any,
    h: Tensor,
    skips: list[Tensor],
    emb: Tensor,
    context: Tensor,
    residuals: dict[str, Any],
    options: Options,
) -> Tensor:
    for number, layers in enumerate(output_blocks(unet)):
        options["block"] = ("output", number)
        skip = _add(skips.pop(), residuals, "output")
        for patch in options["patches"].get("output_block_patch", ()):
            h, skip = patch(h, skip, options)
        size = skips[-1].shape[2:] if skips else None
        h = _run(layers, torch.cat([h, skip], dim=1), emb, context, options, size)
    return h


def _add(h: Tensor, residuals: dict[str, list[Any]], side: str) -> Tensor:
    if not residuals.get(side):
        return h
    residual = residuals[side].pop()
    return h if residual is None else h + residual.to(h.dtype)


def _patched(h: Tensor, name: str, options: Options) -> Tensor:
    for patch in options["patches"].get(name, ()):
        h = patch(h, options)
    return h


Layer = tuple[str, nn.Module]


def input_blocks(unet: Any) -> list[list[Layer]]:
    """The way down as numbered blocks: each a list of (kind, module)."""
    blocks: list[list[Layer]] = [[("conv", unet.conv_in)]]
    for level in unet.down_blocks:
        blocks += _pairs(level)
        blocks += [[("down", sampler)] for sampler in level.downsamplers or ()]
    return blocks


def output_blocks(unet: Any) -> list[list[Layer]]:
    """The way up as numbered blocks; an upsampler belongs to the last block of its level."""
    blocks: list[list[Layer]] = []
    for level in unet.up_blocks:
        pairs = _pairs(level)
        pairs[-1] += [("up", sampler) for sampler in level.upsamplers or ()]
        blocks += pairs
    return blocks


def _pairs(level: Any) -> list[list[Layer]]:
    attentions = getattr(level, "attentions", None) or [None] * len(level.resnets)
    return [
        [("res", res)] + ([("attention", attention)] if attention is not None else [])
        for res, attention in zip(level.resnets, attentions, strict=True)
    ]


def middle_block(unet: Any) -> list[Layer]:
    """The layers between the ways down and up."""
    middle = unet.mid_block
    if middle is None:
        return []
    attentions = [("attention", a) for a in getattr(middle, "attentions", ()) if a is not None]
    return [("res", middle.resnets[0]), *attentions, *(("res", r) for r in middle.resnets[1:])]


def _run(
    layers: list[Layer],
    h: Tensor,
    emb: Tensor,
    context: Tensor,
    options: Options,
    size: torch.Size | None = None,
) -> Tensor:
    for kind, module in layers:
        if kind == "res":
            h = _res(module, h, emb)
        elif kind == "attention":
            h = _attention(module, h, context, options)
        elif kind == "up":
            h = _upsample(module, h, size)
        else:
            h = module.conv(h) if kind == "down" else module(h)  # type: ignore[union-attr,operator]
    return h


def _upsample(module: Any, h: Tensor, size: torch.Size | None) -> Tensor:
    wanted = size or (h.shape[2] * 2, h.shape[3] * 2)
    return module.conv(F.interpolate(h, size=tuple(wanted), mode="nearest"))


def _res(res: Any, x: Tensor, emb: Tensor) -> Tensor:
    h = res.conv1(F.silu(res.norm1(x)))
    h = h + res.time_emb_proj(F.silu(emb))[:, :, None, None]
    h = res.conv2(F.silu(res.norm2(h)))
    return (x if res.conv_shortcut is None else res.conv_shortcut(x)) + h


def _attention(module: Any, x: Tensor, context: Tensor, options: Options) -> Tensor:
    batch, _, height, width = x.shape
    options["activations_shape"] = list(x.shape)
    h = module.norm(x)
    if not module.use_linear_projection:
        h = module.proj_in(h)
    h = h.permute(0, 2, 3, 1).reshape(batch, height * width, -1)
    if module.use_linear_projection:
        h = module.proj_in(h)
    for index, block in enumerate(module.transformer_blocks):
        options["block_index"] = index
        h = transformer(block, h, context, options)
    options["transformer_index"] += 1
    if module.use_linear_projection:
        h = module.proj_out(h)
    h = h.reshape(batch, height, width, -1).permute(0, 3, 1, 2)
    if not x.is_contiguous(memory_format=torch.channels_last):
        h = h.contiguous()
    if not module.use_linear_projection:
        h = module.proj_out(h)
    return h + x


def transformer(block: Any, x: Tensor, context: Tensor, transformer_options: Options) -> Tensor:
    """One transformer block on (B, T, W): attention to itself, to the text (B, T', W'), and what follows."""
    heads = {"n_heads": block.attn1.heads, "dim_head": block.attn1.inner_dim // block.attn1.heads}
    extra = {**transformer_options, **heads}
    x = x + _patchable(block.attn1, block.norm1(x), None, "attn1", extra)
    x = _patched(x, "middle_patch", extra)
    x = x + _patchable(block.attn2, block.norm2(x), context, "attn2", extra)
    gate = block.ff.net[0]
    h, g = gate.proj(block.norm3(x)).chunk(2, dim=-1)
    return x + block.ff.net[2](h * F.gelu(g))


def _patchable(attention: Any, x: Tensor, context: Tensor | None, name: str, extra: Options) -> Tensor:
    """One attention with the three places for patches: its inputs, the attention itself, its output."""
    k = v = x if context is None else context
    for patch in extra["patches"].get(f"{name}_patch", ()):
        x, k, v = patch(x, k, v, extra)
    replace = _replacement(name, extra)
    q, k, v = attention.to_q(x), attention.to_k(k), attention.to_v(v)
    out = replace(q, k, v, extra) if replace else attend(q, k, v, attention.heads)
    out = attention.to_out[0](out)
    for patch in extra["patches"].get(f"{name}_output_patch", ()):
        out = patch(out, extra)
    return out


def _replacement(name: str, extra: Options) -> Callable[..., Tensor] | None:
    table = extra["patches_replace"].get(name)
    if not table:
        return None
    block = extra["block"]
    return table.get((*block, extra["block_index"])) or table.get(block)


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention of (B, T, heads·width) tensors; mask is added to the scores."""
    batch, _, width = q.shape
    q, k, v = (t.view(t.shape[0], t.shape[1], heads, width // heads).transpose(1, 2) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return out.transpose(1, 2).reshape(batch, -1, width)
