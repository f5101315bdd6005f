"""Autoencoders in the published single-file (LDM) key layout: their dimensions, and diffusers' names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Shapes = Mapping[str, tuple[int, ...]]

_ATTENTION: Final = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
_MIDDLE: Final = {"block_1": "resnets.0", "block_2": "resnets.1", "attn_1": "attentions.0"}
_BLOCK = re.compile(r"(encoder|decoder)\.(down|up)\.(\d+)\.(block|downsample|upsample)\.(.+)")
_MID = re.compile(r"(encoder|decoder)\.mid\.(\w+)\.(.+)")


@dataclass(frozen=True, slots=True)
class VaeLayout:
    """The exact dimensions of an autoencoder: widths of the encoder's levels from the picture inwards, res
    blocks a level, channels of the latent and of the picture, and which of the two moment convolutions it
    has."""

    channels: tuple[int, ...]
    blocks: int
    latent_channels: int
    picture_channels: int
    quant: bool
    post_quant: bool

    @property
    def downscale(self) -> int:
        return 2 ** (len(self.channels) - 1)


def vae_layout(shapes: Shapes) -> VaeLayout:
    """The layout of an autoencoder from its tensors' shapes (names without prefix)."""
    levels, blocks = 0, 0
    while f"encoder.down.{levels}.block.0.conv1.weight" in shapes:
        levels += 1
    while f"encoder.down.0.block.{blocks}.conv1.weight" in shapes:
        blocks += 1
    return VaeLayout(
        channels=tuple(shapes[f"encoder.down.{i}.block.0.conv1.weight"][0] for i in range(levels)),
        blocks=blocks,
        latent_channels=shapes["decoder.conv_in.weight"][1],
        picture_channels=shapes["encoder.conv_in.weight"][1],
        quant="quant_conv.weight" in shapes,
        post_quant="post_quant_conv.weight" in shapes,
    )


def vae_config(layout: VaeLayout) -> dict[str, Any]:
    """The arguments that build diffusers' AutoencoderKL with these dimensions."""
    levels = len(layout.channels)
    return {
        "in_channels": layout.picture_channels,
        "out_channels": layout.picture_channels,
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": layout.channels,
        "layers_per_block": layout.blocks,
        "latent_channels": layout.latent_channels,
        "use_quant_conv": layout.quant,
        "use_post_quant_conv": layout.post_quant,
    }


def rename_vae(shapes: Shapes, layout: VaeLayout) -> dict[str, str]:
    """Single-file name → diffusers name for every tensor of an autoencoder (names without prefix)."""
    return {name: _rename(name, len(layout.channels)) for name in shapes if not name.startswith("loss.")}


def _rename(name: str, levels: int) -> str:
    if found := _BLOCK.match(name):
        half, side, level, kind, rest = found.groups()
        # The decoder runs its levels from the last to the first.
        at = levels - 1 - int(level) if side == "up" else int(level)
        inner = {"block": "resnets.", "downsample": "downsamplers.0.", "upsample": "upsamplers.0."}[kind]
        return f"{half}.{side}_blocks.{at}.{inner}{rest.replace('nin_shortcut', 'conv_shortcut')}"
    if found := _MID.match(name):
        half, part, rest = found.groups()
        stem, _, leaf = rest.rpartition(".")
        inner = _ATTENTION[stem] if part == "attn_1" else stem
        return f"{half}.mid_block.{_MIDDLE[part]}.{inner}.{leaf}"
    return name.replace("norm_out", "conv_norm_out")
