"""U-Nets in the published single-file (LDM) key layout: their dimensions, and diffusers' names for their
tensors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Any, Final

from diffusion.errors import DiffusionError

Shapes = Mapping[str, tuple[int, ...]]

RES: Final = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
ENDS: Final = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "time_embed.cond_proj": "time_embedding.cond_proj",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


@dataclass(frozen=True, slots=True)
class UnetLayout:
    """The exact dimensions of a U-Net.

    channels: width of each level; depths: transformer blocks after each res block of the way down, a tuple
    a level; up_depths: the same for the way up, in running order; middle: the middle's transformer depth,
    None without one; context: width of the text; adm: width of the vector conditioning, None without one;
    linear: projections in and out of attention are linear layers, not 1×1 convolutions; guided: width of the
    guidance scale's embedding, which networks distilled with it take (LCM, Luo et al. 2023).
    """

    channels: tuple[int, ...]
    depths: tuple[tuple[int, ...], ...]
    up_depths: tuple[tuple[int, ...], ...]
    middle: int | None
    context: int
    in_channels: int
    out_channels: int
    adm: int | None
    linear: bool
    guided: int | None = None

    @property
    def model_channels(self) -> int:
        return self.channels[0]


def unet_layout(shapes: Shapes) -> UnetLayout:
    """The layout of a U-Net from its tensors' shapes (names without prefix)."""
    down = _levels(shapes, "input_blocks", first=1)
    first = shapes["input_blocks.0.0.weight"]
    attention = next((n for n in shapes if n.endswith(".attn2.to_k.weight")), None)
    if not down or attention is None:
        raise DiffusionError(
            "this U-Net has no cross-attention: it is of a family that Darkroom does not know."
        )
    proj = attention.split(".transformer_blocks.")[0] + ".proj_in.weight"
    adm, guided = shapes.get("label_emb.0.0.weight"), shapes.get("time_embed.cond_proj.weight")
    out = shapes.get("out.2.weight")
    return UnetLayout(
        channels=tuple(width for width, _ in down),
        depths=tuple(depths for _, depths in down),
        up_depths=tuple(depths for _, depths in _levels(shapes, "output_blocks", first=0)),
        middle=_depth(shapes, "middle_block.1") if "middle_block.0.in_layers.0.weight" in shapes else None,
        context=shapes[attention][1],
        in_channels=first[1],
        out_channels=out[0] if out else 0,
        adm=adm[1] if adm else None,
        linear=len(shapes[proj]) == 2,
        guided=guided[1] if guided else None,
    )


def _levels(shapes: Shapes, side: str, first: int) -> list[tuple[int, tuple[int, ...]]]:
    """(width, transformer depth of each res block) for each level, in the order they run."""
    levels: list[tuple[int, list[int]]] = []
    fresh, k = True, first
    while True:
        block = f"{side}.{k}"
        res = shapes.get(f"{block}.0.out_layers.3.weight")
        if res is None and f"{block}.0.op.weight" not in shapes:
            return [(width, tuple(depths)) for width, depths in levels]
        if res is not None:
            if fresh:
                levels.append((res[0], []))
            levels[-1][1].append(_depth(shapes, f"{block}.1"))
        fresh = res is None or any(f"{block}.{at}.conv.weight" in shapes for at in (1, 2))
        k += 1


def _depth(shapes: Shapes, block: str) -> int:
    depth = 0
    while f"{block}.transformer_blocks.{depth}.norm1.weight" in shapes:
        depth += 1
    return depth


def unet_config(layout: UnetLayout, heads: int | None, head_width: int) -> dict[str, Any]:
    """The arguments that build diffusers' UNet2DConditionModel with these dimensions."""
    kinds = [_block_kind(depths) for depths in layout.depths]
    up_kinds = [_block_kind(depths) for depths in layout.up_depths]
    return {
        "in_channels": layout.in_channels,
        "out_channels": layout.out_channels or layout.in_channels,
        "block_out_channels": layout.channels,
        "layers_per_block": tuple(len(depths) for depths in layout.depths),
        "down_block_types": tuple(f"{kind}DownBlock2D" for kind in kinds),
        "up_block_types": tuple(f"{kind}UpBlock2D" for kind in up_kinds),
        "mid_block_type": _middle_kind(layout),
        "transformer_layers_per_block": _down_depths(layout),
        "reverse_transformer_layers_per_block": [list(depths) or 1 for depths in layout.up_depths],
        "cross_attention_dim": layout.context,
        "attention_head_dim": tuple(_heads(c, heads, head_width) for c in layout.channels),
        "use_linear_projection": layout.linear,
        "time_cond_proj_dim": layout.guided,
        **_vector_config(layout),
    }


def _block_kind(depths: tuple[int, ...]) -> str:
    if any(depths) and not all(depths):
        raise DiffusionError(
            "this U-Net has attention after some res blocks of a level only, which Darkroom cannot build yet."
        )
    return "CrossAttn" if any(depths) else ""


def _middle_kind(layout: UnetLayout) -> str | None:
    if layout.middle is None:
        return None
    return "UNetMidBlock2DCrossAttn" if layout.middle else "UNetMidBlock2D"


def _down_depths(layout: UnetLayout) -> list[Any]:
    # diffusers takes the middle's depth from the last level's entry, which that level ignores when it has
    # none.
    depths: list[Any] = [list(level) if any(level) else 1 for level in layout.depths]
    last = layout.depths[-1]
    if not any(last):
        depths[-1] = layout.middle or 1
    elif len(set(last)) == 1 and layout.middle in (last[0], None):
        depths[-1] = last[0]
    else:
        raise DiffusionError(
            "this U-Net's middle is deeper or shallower than its last level: not supported yet."
        )
    return depths


def _vector_config(layout: UnetLayout) -> dict[str, Any]:
    if layout.adm is None:
        return {}
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": layout.adm,
    }


def _heads(channels: int, heads: int | None, head_width: int) -> int:
    # Heads are narrower in small networks, whose levels the published width does not divide.
    return heads or channels // gcd(channels, head_width)


def unet_names(layout: UnetLayout) -> Iterator[tuple[str, str]]:
    """Pairs of (single-file prefix, diffusers prefix) for every part of the network, without prefix or
    leaf."""
    yield from ENDS.items()
    k = 1
    for i, depths in enumerate(layout.depths):
        for j in range(len(depths)):
            yield from _res_names(f"input_blocks.{k}.0", f"down_blocks.{i}.resnets.{j}")
            yield f"input_blocks.{k}.1", f"down_blocks.{i}.attentions.{j}"
            k += 1
        yield f"input_blocks.{k}.0.op", f"down_blocks.{i}.downsamplers.0.conv"
        k += 1
    yield from _res_names("middle_block.0", "mid_block.resnets.0")
    yield "middle_block.1", "mid_block.attentions.0"
    yield from _res_names("middle_block.2", "mid_block.resnets.1")
    k = 0
    for i, depths in enumerate(layout.up_depths):
        for j, depth in enumerate(depths):
            yield from _res_names(f"output_blocks.{k}.0", f"up_blocks.{i}.resnets.{j}")
            # The upsampler follows the attention, where there is one.
            if j == len(depths) - 1 and i < len(layout.up_depths) - 1:
                yield f"output_blocks.{k}.{2 if depth else 1}.conv", f"up_blocks.{i}.upsamplers.0.conv"
            if depth:
                yield f"output_blocks.{k}.1", f"up_blocks.{i}.attentions.{j}"
            k += 1


def _res_names(single: str, ours: str) -> Iterator[tuple[str, str]]:
    return ((f"{single}.{a}", f"{ours}.{b}") for a, b in RES.items())


_BLOCK = re.compile(r"((?:input_blocks|output_blocks)\.\d+\.\d+|middle_block\.\d)\.")


def rename_unet(shapes: Shapes, layout: UnetLayout) -> dict[str, str]:
    """Single-file name → diffusers name, for every tensor of a U-Net that has one (names without prefix)."""
    table = dict(unet_names(layout))
    renamed = {}
    for name in shapes:
        stem, _, leaf = name.rpartition(".")
        target = table.get(stem)
        if target is None and (block := _BLOCK.match(name)) and block[1] in table:
            target = table[block[1]] + stem[len(block[1]) :]
        if target is not None:
            renamed[name] = f"{target}.{leaf}"
    return renamed
