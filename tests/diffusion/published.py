"""Small random checkpoints in the published single-file key layout, made in code."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Sizes:
    """What tells one family's networks from another's, in small."""

    channels: tuple[int, ...] = (32, 64, 64)
    depths: tuple[int, ...] = (1, 1, 0)
    middle: int = 1
    context: int = 64
    linear: bool = False
    adm: int | None = None
    in_channels: int = 4
    towers: tuple[tuple[str, str, int], ...] = (("cond_stage_model.transformer.", "clip", 64),)
    vae: tuple[int, ...] = (32, 32, 64, 64)


_L = ("conditioner.embedders.0.transformer.", "clip", 64)
SD1 = Sizes()
SD2 = replace(
    SD1,
    channels=(64, 128, 128),
    linear=True,
    context=128,
    towers=(("cond_stage_model.model.", "open_clip", 128),),
)
SDXL = Sizes(
    channels=(64, 128),
    depths=(0, 2),
    middle=2,
    context=192,
    linear=True,
    adm=128 + 6 * 256,
    towers=(_L, ("conditioner.embedders.1.model.", "open_clip", 128)),
)
REFINER = Sizes(
    channels=(64, 128, 128),
    depths=(0, 2, 0),
    middle=2,
    context=128,
    linear=True,
    adm=128 + 5 * 256,
    towers=(("conditioner.embedders.0.model.", "open_clip", 128),),
)


def unet_shapes(sizes: Sizes, control: bool = False) -> Shapes:
    """Names and shapes of a U-Net, or of a ControlNet for it, without prefix."""
    shapes: Shapes = {}
    first, width = sizes.channels[0], sizes.channels[0] * 4
    _linear(shapes, "time_embed.0", width, first)
    _linear(shapes, "time_embed.2", width, width)
    if sizes.adm:
        _linear(shapes, "label_emb.0.0", width, sizes.adm)
        _linear(shapes, "label_emb.0.2", width, width)
    _conv(shapes, "input_blocks.0.0", first, sizes.in_channels)
    skips, now, k = [first], first, 1
    for level, channels in enumerate(sizes.channels):
        for _ in range(2):
            _res(shapes, f"input_blocks.{k}.0", now, channels, width)
            _attention(shapes, f"input_blocks.{k}.1", channels, sizes.depths[level], sizes)
            now = channels
            skips.append(now)
            k += 1
        if level < len(sizes.channels) - 1:
            _conv(shapes, f"input_blocks.{k}.0.op", now, now)
            skips.append(now)
            k += 1
    _res(shapes, "middle_block.0", now, now, width)
    _attention(shapes, "middle_block.1", now, sizes.middle, sizes)
    _res(shapes, "middle_block.2", now, now, width)
    if control:
        return _control(shapes, skips, now, first)
    for k in range(3 * len(sizes.channels)):
        level = len(sizes.channels) - 1 - k // 3
        channels, depth = sizes.channels[level], sizes.depths[level]
        _res(shapes, f"output_blocks.{k}.0", now + skips.pop(), channels, width)
        _attention(shapes, f"output_blocks.{k}.1", channels, depth, sizes)
        now = channels
        if level and k % 3 == 2:
            _conv(shapes, f"output_blocks.{k}.{2 if depth else 1}.conv", now, now)
    _norm(shapes, "out.0", now)
    _conv(shapes, "out.2", 4, now)
    return shapes


def _control(shapes: Shapes, skips: list[int], now: int, first: int) -> Shapes:
    for j, channels in enumerate(skips):
        _conv(shapes, f"zero_convs.{j}.0", channels, channels, 1)
    _conv(shapes, "middle_block_out.0", now, now, 1)
    widths = (16, 16, 32, 32, 96, 96, 256)
    _conv(shapes, "input_hint_block.0", widths[0], 3)
    for j in range(1, 7):
        _conv(shapes, f"input_hint_block.{2 * j}", widths[j], widths[j - 1])
    _conv(shapes, "input_hint_block.14", first, widths[-1])
    return shapes


def vae_shapes(channels: tuple[int, ...]) -> Shapes:
    """Names and shapes of an autoencoder, without prefix."""
    shapes: Shapes = {}
    _conv(shapes, "encoder.conv_in", channels[0], 3)
    now = channels[0]
    for i, width in enumerate(channels):
        for j in range(2):
            _vae_res(shapes, f"encoder.down.{i}.block.{j}", now, width)
            now = width
        if i < len(channels) - 1:
            _conv(shapes, f"encoder.down.{i}.downsample.conv", now, now)
    _vae_middle(shapes, "encoder", now)
    _norm(shapes, "encoder.norm_out", now)
    _conv(shapes, "encoder.conv_out", 8, now)
    _conv(shapes, "quant_conv", 8, 8, 1)
    _conv(shapes, "post_quant_conv", 4, 4, 1)
    _conv(shapes, "decoder.conv_in", now, 4)
    _vae_middle(shapes, "decoder", now)
    for i, width in reversed(list(enumerate(channels))):
        for j in range(3):
            _vae_res(shapes, f"decoder.up.{i}.block.{j}", now, width)
            now = width
        if i:
            _conv(shapes, f"decoder.up.{i}.upsample.conv", now, now)
    _norm(shapes, "decoder.norm_out", now)
    _conv(shapes, "decoder.conv_out", 3, now)
    return shapes


def text_shapes(layout: str, width: int, layers: int = 3) -> Shapes:
    """Names and shapes of a text encoder, without prefix."""
    shapes: Shapes = {}
    if layout == "clip":
        shapes["text_model.embeddings.token_embedding.weight"] = (49408, width)
        shapes["text_model.embeddings.position_embedding.weight"] = (77, width)
        for i in range(layers):
            root = f"text_model.encoder.layers.{i}"
            for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
                _linear(shapes, f"{root}.self_attn.{name}", width, width)
            _linear(shapes, f"{root}.mlp.fc1", width * 4, width)
            _linear(shapes, f"{root}.mlp.fc2", width, width * 4)
            _norm(shapes, f"{root}.layer_norm1", width)
            _norm(shapes, f"{root}.layer_norm2", width)
        _norm(shapes, "text_model.final_layer_norm", width)
        return shapes
    shapes["positional_embedding"] = (77, width)
    shapes["text_projection"] = (width, width)
    shapes["token_embedding.weight"] = (49408, width)
    shapes["logit_scale"] = ()
    _norm(shapes, "ln_final", width)
    for i in range(layers):
        root = f"transformer.resblocks.{i}"
        shapes[f"{root}.attn.in_proj_weight"] = (3 * width, width)
        shapes[f"{root}.attn.in_proj_bias"] = (3 * width,)
        _linear(shapes, f"{root}.attn.out_proj", width, width)
        _linear(shapes, f"{root}.mlp.c_fc", width * 4, width)
        _linear(shapes, f"{root}.mlp.c_proj", width, width * 4)
        _norm(shapes, f"{root}.ln_1", width)
        _norm(shapes, f"{root}.ln_2", width)
    return shapes


def checkpoint_shapes(sizes: Sizes) -> Shapes:
    """Names and shapes of a whole checkpoint."""
    shapes = {f"model.diffusion_model.{n}": s for n, s in unet_shapes(sizes).items()}
    shapes |= {f"first_stage_model.{n}": s for n, s in vae_shapes(sizes.vae).items()}
    for prefix, layout, width in sizes.towers:
        shapes |= {f"{prefix}{n}": s for n, s in text_shapes(layout, width).items()}
    return shapes


def filled(shapes: Shapes, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Seeded values that keep activations near unit size."""
    generator = torch.Generator().manual_seed(seed)
    return {name: _values(name, shape, generator).to(dtype) for name, shape in shapes.items()}


def save_checkpoint(folder: Path, sizes: Sizes, name: str = "small.safetensors", seed: int = 0) -> Path:
    """A whole random checkpoint on disk, in fp16."""
    path = folder / name
    save_file(filled(checkpoint_shapes(sizes), seed, torch.float16), path)
    return path


def _values(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    noise = torch.randn(shape, generator=generator)
    if len(shape) < 2:
        return noise * 0.05 + float(name.endswith("weight"))
    if "embedding" in name:
        return noise * 0.1
    return noise / math.sqrt(math.prod(shape[1:]))


def _linear(shapes: Shapes, name: str, out: int, inp: int, bias: bool = True) -> None:
    shapes[f"{name}.weight"] = (out, inp)
    if bias:
        shapes[f"{name}.bias"] = (out,)


def _conv(shapes: Shapes, name: str, out: int, inp: int, kernel: int = 3) -> None:
    shapes[f"{name}.weight"] = (out, inp, kernel, kernel)
    shapes[f"{name}.bias"] = (out,)


def _norm(shapes: Shapes, name: str, channels: int) -> None:
    shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (channels,)


def _res(shapes: Shapes, name: str, inp: int, out: int, width: int) -> None:
    _norm(shapes, f"{name}.in_layers.0", inp)
    _conv(shapes, f"{name}.in_layers.2", out, inp)
    _linear(shapes, f"{name}.emb_layers.1", out, width)
    _norm(shapes, f"{name}.out_layers.0", out)
    _conv(shapes, f"{name}.out_layers.3", out, out)
    if inp != out:
        _conv(shapes, f"{name}.skip_connection", out, inp, 1)


def _attention(shapes: Shapes, name: str, channels: int, depth: int, sizes: Sizes) -> None:
    if not depth:
        return
    project = _linear if sizes.linear else lambda s, n, o, i: _conv(s, n, o, i, 1)
    _norm(shapes, f"{name}.norm", channels)
    project(shapes, f"{name}.proj_in", channels, channels)
    for d in range(depth):
        root = f"{name}.transformer_blocks.{d}"
        for attention, width in (("attn1", channels), ("attn2", sizes.context)):
            _linear(shapes, f"{root}.{attention}.to_q", channels, channels, bias=False)
            _linear(shapes, f"{root}.{attention}.to_k", channels, width, bias=False)
            _linear(shapes, f"{root}.{attention}.to_v", channels, width, bias=False)
            _linear(shapes, f"{root}.{attention}.to_out.0", channels, channels)
        _linear(shapes, f"{root}.ff.net.0.proj", channels * 8, channels)
        _linear(shapes, f"{root}.ff.net.2", channels, channels * 4)
        for norm in ("norm1", "norm2", "norm3"):
            _norm(shapes, f"{root}.{norm}", channels)
    project(shapes, f"{name}.proj_out", channels, channels)


def _vae_res(shapes: Shapes, name: str, inp: int, out: int) -> None:
    _norm(shapes, f"{name}.norm1", inp)
    _conv(shapes, f"{name}.conv1", out, inp)
    _norm(shapes, f"{name}.norm2", out)
    _conv(shapes, f"{name}.conv2", out, out)
    if inp != out:
        _conv(shapes, f"{name}.nin_shortcut", out, inp, 1)


def _vae_middle(shapes: Shapes, half: str, channels: int) -> None:
    _vae_res(shapes, f"{half}.mid.block_1", channels, channels)
    _norm(shapes, f"{half}.mid.attn_1.norm", channels)
    for name in ("q", "k", "v", "proj_out"):
        _conv(shapes, f"{half}.mid.attn_1.{name}", channels, channels, 1)
    _vae_res(shapes, f"{half}.mid.block_2", channels, channels)
