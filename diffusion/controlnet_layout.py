"""ControlNets in the published single-file key layout and in diffusers' own: their dimensions, and diffusers'
names for their tensors."""

from collections.abc import Mapping
from typing import Any, Final

from diffusion.unet_layout import UnetLayout, rename_unet, unet_config, unet_layout

Shapes = Mapping[str, tuple[int, ...]]

HINT: Final = "controlnet_cond_embedding."


def control_layout(shapes: Shapes) -> UnetLayout:
    """The layout of a ControlNet from its tensors' shapes, in either naming (names without prefix)."""
    return _diffusers_layout(shapes) if f"{HINT}conv_in.weight" in shapes else unet_layout(shapes)


def _diffusers_layout(shapes: Shapes) -> UnetLayout:
    levels = _count(shapes, "down_blocks.{}.resnets.0.conv1.weight")
    attention = next(n for n in shapes if n.endswith(".attn2.to_k.weight"))
    proj = attention.split(".transformer_blocks.")[0] + ".proj_in.weight"
    adm = shapes.get("add_embedding.linear_1.weight")
    return UnetLayout(
        channels=tuple(shapes[f"down_blocks.{i}.resnets.0.conv1.weight"][0] for i in range(levels)),
        depths=tuple(_depths(shapes, f"down_blocks.{i}") for i in range(levels)),
        up_depths=(),
        middle=_depth(shapes, "mid_block.attentions.0"),
        context=shapes[attention][1],
        in_channels=shapes["conv_in.weight"][1],
        out_channels=0,
        adm=adm[1] if adm else None,
        linear=len(shapes[proj]) == 2,
    )


def _count(shapes: Shapes, pattern: str) -> int:
    return next(n for n in range(len(shapes) + 1) if pattern.format(n) not in shapes)


def _depths(shapes: Shapes, level: str) -> tuple[int, ...]:
    blocks = _count(shapes, f"{level}.resnets.{{}}.conv1.weight")
    return tuple(_depth(shapes, f"{level}.attentions.{j}") for j in range(blocks))


def _depth(shapes: Shapes, attention: str) -> int:
    return _count(shapes, f"{attention}.transformer_blocks.{{}}.norm1.weight")


def control_config(layout: UnetLayout, shapes: Shapes, heads: int | None, head_width: int) -> dict[str, Any]:
    """The arguments of diffusers' ControlNetModel for these dimensions; shapes by diffusers' names."""
    dropped = ("up_block_types", "reverse_transformer_layers_per_block", "out_channels", "time_cond_proj_dim")
    config = {k: v for k, v in unet_config(layout, heads, head_width).items() if k not in dropped}
    hint = [shapes[f"{HINT}{name}.weight"] for name in ("conv_in", "blocks.1", "blocks.3", "blocks.5")]
    return {
        **config,
        # diffusers' ControlNet has one number of res blocks for all levels.
        "layers_per_block": config["layers_per_block"][0],
        "conditioning_channels": hint[0][1],
        "conditioning_embedding_out_channels": tuple(shape[0] for shape in hint),
    }


def rename_control(shapes: Shapes, layout: UnetLayout) -> dict[str, str]:
    """A file's name → diffusers name for every tensor of a ControlNet (names without prefix)."""
    if f"{HINT}conv_in.weight" in shapes:
        return {name: name for name in shapes}
    hint = {f"input_hint_block.{2 * n}": f"controlnet_cond_embedding.blocks.{n - 1}" for n in range(1, 7)}
    hint["input_hint_block.0"] = "controlnet_cond_embedding.conv_in"
    hint["input_hint_block.14"] = "controlnet_cond_embedding.conv_out"
    hint["middle_block_out.0"] = "controlnet_mid_block"
    renamed = rename_unet(shapes, layout)
    for name in shapes:
        stem, _, leaf = name.rpartition(".")
        if stem.startswith("zero_convs."):
            renamed[name] = f"controlnet_down_blocks.{stem.split('.')[1]}.{leaf}"
        elif stem in hint:
            renamed[name] = f"{hint[stem]}.{leaf}"
    return renamed
