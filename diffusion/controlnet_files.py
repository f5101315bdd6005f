"""ControlNet files: plain and union networks in two namings, differences to a model, LoRAs, T2I-Adapters."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from diffusion.controlnet import ControlNet
from diffusion.controlnet_layout import control_config, control_layout, rename_control
from diffusion.controlnet_union import as_union_names, union_parts
from diffusion.devices import Device, choose_device
from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES, PUBLISHED_CONTEXTS, Family
from diffusion.headers import read_header
from diffusion.loading import open_tensors
from diffusion.modules import control_class
from diffusion.probe import CONTROL, facts_of, strip
from diffusion.t2i_adapter import adapter_of, is_adapter
from diffusion.unet_layout import UnetLayout
from diffusion.values import Model
from diffusion.weights import assign, hollow, make_casting

Tensors = Mapping[str, Tensor]

_SHUFFLE: Final = "_shuffle"
"""Networks with this at the end of their names give one value a channel for the whole picture."""
_SHARED: Final = ("time_embed.", "label_emb.", "input_blocks.", "middle_block.")


def load_controlnet(
    path: Path | str, model: Model | None = None, *, device: Device | None = None
) -> ControlNet:
    """The ControlNet or T2I-Adapter in a single file; DiffusionError says what is wrong.

    model: what a file that holds only differences to a model is added to.
    """
    path, device = Path(path), device or choose_device()
    facts = facts_of(read_header(path))
    if facts.kind != "controlnet":
        raise DiffusionError(f"{path.name} is not a ControlNet: it is of kind {facts.kind}.")
    tensors = open_tensors(path)
    tensors = strip(tensors, CONTROL) or tensors
    if is_adapter(tensors):
        return adapter_of(tensors, device, path)
    if "lora_controlnet" in tensors:
        family = FAMILIES[facts.family or "sdxl"]
        return ControlNet(None, None, family, device, path, build=partial(_built_on, tensors, path.name))
    if tensors.pop("difference", None) is not None:
        tensors = _added_to(tensors, model, path.name)
    layout, network = build_control(tensors, path.name)
    return ControlNet(network, layout, _family(layout), device, path, pooled=path.stem.endswith(_SHUFFLE))


def build_control(tensors: Tensors, what: str) -> tuple[UnetLayout, nn.Module]:
    """diffusers' ControlNet with exactly these tensors (a file's names without prefix), and its layout."""
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    layout = _layout(shapes, what)
    family, names = _family(layout), rename_control(shapes, layout)
    renamed = {names.get(name, name): tensor for name, tensor in tensors.items()}
    config = control_config(
        layout, {n: tuple(t.shape) for n, t in renamed.items()}, family.heads, family.head_width
    )
    module = hollow(lambda: _with_union(control_class()(**config), shapes))
    assign(module, as_union_names(renamed), f"The ControlNet in {what}")
    return layout, make_casting(module)


def _layout(shapes: Mapping[str, tuple[int, ...]], what: str) -> UnetLayout:
    try:
        layout = control_layout(shapes)
    except (KeyError, StopIteration):
        layout = None
    if layout is None or layout.middle is None:
        raise DiffusionError(
            f"{what} is not complete, or a ControlNet of a layout that Darkroom does not read. Download it "
            "again, or choose one for SD 1.x, SD 2.x or SDXL."
        )
    return layout


def _with_union(module: Any, shapes: Mapping[str, tuple[int, ...]]) -> nn.Module:
    if (parts := union_parts(shapes)) is not None:
        module.union = parts
    return module


def _family(layout: UnetLayout) -> Family:
    base = PUBLISHED_CONTEXTS.get(layout.context)
    if base is None:
        base = "sdxl" if layout.adm else "sd2" if layout.linear else "sd1"
    return FAMILIES[base]


def _added_to(tensors: Tensors, model: Model | None, what: str) -> dict[str, Tensor]:
    """The differences in a file, added to the weights of a model."""
    if model is None:
        raise DiffusionError(
            f"{what} holds only the difference between a ControlNet and a model. "
            "Load it with DiffControlNetLoader, which takes the model."
        )
    base = _weights(model.model)
    return {n: t.float() + base[n].to(t.device).float() if n in base else t for n, t in tensors.items()}


def _weights(network: Any) -> dict[str, Tensor]:
    """The weights of a model's network that a ControlNet has too, by single-file names."""
    unet = network.diffusion_model
    return {
        name: unet.get_parameter(ours).data
        for name, ours in network.names.items()
        if name.startswith(_SHARED)
    }


def _built_on(tensors: Tensors, what: str, network: Any) -> nn.Module:
    """A control-LoRA's network: the model's own weights with low-rank changes, and parts of its own."""
    made = {
        name: _changed(weight, tensors, name.removesuffix(".weight"))
        for name, weight in _weights(network).items()
    }
    own = {n: t for n, t in tensors.items() if not n.endswith((".up", ".down")) and n != "lora_controlnet"}
    return build_control({**made, **own}, what)[1]


def _changed(weight: Tensor, tensors: Tensors, stem: str) -> Tensor:
    up, down = tensors.get(f"{stem}.up"), tensors.get(f"{stem}.down")
    if up is None or down is None:
        return weight
    change = up.to(weight).flatten(1) @ down.to(weight).flatten(1)
    return weight + change.reshape(weight.shape)
