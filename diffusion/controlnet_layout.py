"""ControlNets in the published single-file key layout: their dimensions, and diffusers' names for their
tensors."""

from collections.abc import Mapping
from typing import Any

from diffusion.unet_layout import UnetLayout, rename_unet, unet_config

Shapes = Mapping[str, tuple[int, ...]]


def control_config(layout: UnetLayout, shapes: Shapes, heads: int | None, head_width: int) -> dict[str, Any]:
    """The arguments that build diffusers' ControlNetModel with these dimensions."""
    dropped = ("up_block_types", "reverse_transformer_layers_per_block", "out_channels")
    config = {k: v for k, v in unet_config(layout, heads, head_width).items() if k not in dropped}
    hint = [shapes["input_hint_block.0.weight"]] + [
        shapes[f"input_hint_block.{n}.weight"] for n in (4, 8, 12)
    ]
    return {
        **config,
        # diffusers' ControlNet has one number of res blocks for all levels.
        "layers_per_block": config["layers_per_block"][0],
        "conditioning_channels": hint[0][1],
        "conditioning_embedding_out_channels": tuple(shape[0] for shape in hint),
    }


def rename_control(shapes: Shapes, layout: UnetLayout) -> dict[str, str]:
    """Single-file name → diffusers name for every tensor of a ControlNet (names without prefix)."""
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
