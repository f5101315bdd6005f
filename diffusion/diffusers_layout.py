"""Networks in diffusers' key layout: the names of their tensors in the published single-file layout."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from diffusion.unet_layout import UnetLayout, unet_names

Shapes = Mapping[str, tuple[int, ...]]

_ATTENTION = re.compile(r"((?:down_blocks|up_blocks)\.\d+\.attentions\.\d+|mid_block\.attentions\.\d+)\.")
_VAE_BLOCK = re.compile(
    r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(.+)"
)
_VAE_MIDDLE = re.compile(r"(encoder|decoder)\.mid_block\.(resnets\.[01]|attentions\.0)\.(.+)\.(\w+)")
_VAE_PARTS: Final = {"resnets.0": "block_1", "resnets.1": "block_2", "attentions.0": "attn_1"}
_VAE_ATTENTION: Final = {
    "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
    "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out",
}  # fmt: skip


def is_unet(names: Iterable[str]) -> bool:
    """Whether these are the tensors of a U-Net as diffusers saves it, and of nothing else."""
    found = set(names)
    return {"conv_in.weight", "conv_out.weight", "time_embedding.linear_1.weight"} <= found and any(
        name.startswith("up_blocks.") for name in found
    )


def is_vae(names: Iterable[str]) -> bool:
    """Whether these are the tensors of an autoencoder as diffusers saves it."""
    found = set(names)
    return "encoder.down_blocks.0.resnets.0.conv1.weight" in found and "decoder.conv_in.weight" in found


def unet_single_names(shapes: Shapes) -> dict[str, str]:
    """diffusers' name → single-file name (without prefix) of a U-Net's tensors; strangers keep theirs."""
    table = {ours: single for single, ours in unet_names(_layout(shapes))}
    return {name: _unet_name(name, table) for name in shapes}


def _unet_name(name: str, table: Mapping[str, str]) -> str:
    stem, _, leaf = name.rpartition(".")
    if stem in table:
        return f"{table[stem]}.{leaf}"
    if (block := _ATTENTION.match(name)) and block[1] in table:
        return table[block[1]] + name[len(block[1]) :]
    return name


def _layout(shapes: Shapes) -> UnetLayout:
    """As much of the layout as names depend on: which res blocks there are, and where attention follows."""
    return UnetLayout(
        channels=(),
        depths=tuple(_level_depths(shapes, "down_blocks")),
        up_depths=tuple(_level_depths(shapes, "up_blocks")),
        middle=None,
        context=0,
        in_channels=0,
        out_channels=0,
        adm=None,
        linear=False,
    )


def _level_depths(shapes: Shapes, side: str) -> Iterable[tuple[int, ...]]:
    level = 0
    while f"{side}.{level}.resnets.0.conv1.weight" in shapes:
        depths, j = list[int](), 0
        while f"{side}.{level}.resnets.{j}.conv1.weight" in shapes:
            depths.append(int(f"{side}.{level}.attentions.{j}.norm.weight" in shapes))
            j += 1
        yield tuple(depths)
        level += 1


def vae_single_names(names: Iterable[str]) -> dict[str, str]:
    """diffusers' name → single-file name (without prefix) of every tensor of an autoencoder."""
    known = list(names)
    levels = 1 + max((int(m[3]) for n in known if (m := _VAE_BLOCK.match(n))), default=0)
    return {name: _vae_name(name, levels) for name in known}


def _vae_name(name: str, levels: int) -> str:
    if found := _VAE_BLOCK.match(name):
        half, side, level, kind, rest = found.groups()
        at = levels - 1 - int(level) if side == "up" else int(level)
        inner = {"resnets": "block.", "downsamplers": "downsample.", "upsamplers": "upsample."}[kind]
        rest = rest if kind == "resnets" else rest.removeprefix("0.")
        return f"{half}.{side}.{at}.{inner}{rest.replace('conv_shortcut', 'nin_shortcut')}"
    if found := _VAE_MIDDLE.match(name):
        half, part, stem, leaf = found.groups()
        inner = _VAE_ATTENTION.get(stem, stem) if part == "attentions.0" else stem
        return f"{half}.mid.{_VAE_PARTS[part]}.{inner.replace('conv_shortcut', 'nin_shortcut')}.{leaf}"
    return name.replace("conv_norm_out", "norm_out")
