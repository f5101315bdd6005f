"""T2I-Adapters (Mou et al. 2023): small networks that see the hint once and add to the way down."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from diffusion.controlnet import ControlNet, Residuals
from diffusion.devices import Device
from diffusion.families import FAMILIES
from diffusion.modules import adapter_class
from diffusion.weights import assign, hollow, make_casting, ready

Tensors = Mapping[str, Tensor]

_XL_INPUTS: Final = (256, 768)
"""Values that an SDXL adapter sees of a 16×16 block of a grey or a coloured picture."""
_FULL: Final = re.compile(r"body\.(\d+)\.(block1|block2|in_conv)\.(.+)")
_LIGHT: Final = re.compile(r"body\.(\d+)\.body\.(\d+)\.(.+)")


def is_adapter(names: Mapping[str, Any]) -> bool:
    """Whether a file's tensors are a T2I-Adapter's."""
    stems = {name.removeprefix("adapter.") for name in names}
    return (
        "body.0.in_conv.weight" in stems
        or {"conv_in.weight", "body.3.block1.weight"} <= stems
        or {
            "conv_in.weight",
            "body.0.resnets.0.block1.weight",
        }
        <= stems
    )


def adapter_of(tensors: Tensors, device: Device, path: Path) -> ControlNet:
    """The handle to an adapter with exactly these tensors, in either naming."""
    plain = {name.removeprefix("adapter."): tensor for name, tensor in tensors.items()}
    full = "conv_in.weight" in plain
    flat = "body.3.block1.weight" in plain
    renamed = {_renamed(name, flat): tensor for name, tensor in plain.items()}
    config = _config({name: tuple(t.shape) for name, t in renamed.items()}, full)
    module = hollow(lambda: adapter_class()(**config).adapter)
    assign(module, renamed, f"The T2I-Adapter in {path.name}")
    xl = config["adapter_type"] == "full_adapter_xl"
    return ControlNet(
        make_casting(module),
        None,
        FAMILIES["sdxl" if xl else "sd1"],
        device,
        path,
        read=read_adapter,
        multiple=config["downscale_factor"],
    )


def _renamed(name: str, flat: bool) -> str:
    """The published name of a tensor → diffusers' name; diffusers' own names stay.

    flat: the res blocks of all levels are numbered through, two a level.
    """
    if flat and (found := _FULL.fullmatch(name)) is not None:
        number, part, rest = int(found[1]), found[2], found[3]
        inner = "" if part == "in_conv" else f"resnets.{number % 2}."
        return f"body.{number // 2}.{inner}{part}.{rest}"
    return _LIGHT.sub(r"body.\1.resnets.\2.\3", name)


def _config(shapes: Mapping[str, tuple[int, ...]], full: bool) -> dict[str, Any]:
    levels = 1 + max(int(name.split(".")[1]) for name in shapes if name.startswith("body."))
    inputs = shapes["conv_in.weight" if full else "body.0.in_conv.weight"][1]
    factor = 16 if inputs in _XL_INPUTS else 8
    outs = [
        f"body.{i}.resnets.0.block1.weight" if full else f"body.{i}.out_conv.weight" for i in range(levels)
    ]
    return {
        "in_channels": inputs // factor**2,
        # The light adapter's last level has the width of the one before and is not listed.
        "channels": [shapes[name][0] for name in (outs if full else outs[:-1])],
        "num_res_blocks": sum(
            bool(re.fullmatch(r"body\.0\.resnets\.\d+\.block1\.weight", n)) for n in shapes
        ),
        "downscale_factor": factor,
        "adapter_type": "light_adapter"
        if not full
        else "full_adapter_xl"
        if factor == 16
        else "full_adapter",
    }


@torch.no_grad()
def read_adapter(
    control: ControlNet, x: Tensor, t: Tensor, cond: Mapping[str, Any], hint: Tensor
) -> Residuals:
    """What an adapter adds to the input blocks (SDXL: and to the middle). It does not depend on the step."""
    network = control.network()
    key = tuple(hint.shape)
    if key not in control.kept:
        device, dtype = control.compute.device, control.compute.dtype
        ready(network, device, dtype)
        grey = network.unshuffle.downscale_factor**2 == _inputs(network)
        seen = hint.mean(1, keepdim=True) if grey else hint
        control.kept[key] = _placed(network(seen.to(device, dtype)), control.multiple == 16)
    return control.kept[key]


def _inputs(network: Any) -> int:
    first = network.conv_in if hasattr(network, "conv_in") else network.body[0].in_conv
    return first.in_channels


def _placed(features: list[Tensor], xl: bool) -> Residuals:
    """Features by the block they are added to; the lists are read from their ends."""
    if not xl:
        return {"input": [part for f in features for part in (None, None, f)][::-1]}
    gaps = (3, 1, 2, 1)
    parts = [part for gap, f in zip(gaps, features, strict=True) for part in (*[None] * gap, f)][::-1]
    return {"input": parts[1:], "middle": parts[:1]}
