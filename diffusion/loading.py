"""Model files and folders → diffusers' and transformers' modules, built from the header's dimensions. No hub
is ever asked."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from diffusion.devices import Device, choose_device
from diffusion.errors import DiffusionError
from diffusion.families import Family, TextTower
from diffusion.headers import Header, read_header
from diffusion.modules import text_classes, unet_class, vae_class
from diffusion.preview import preview_of
from diffusion.probe import UNET, VAE, facts_of, strip, unet_family, unet_prefix
from diffusion.sampling_space import sampling_of
from diffusion.tensors import check_numbers, open_tensors
from diffusion.text_layout import rename_text, text_config, text_layout, text_names
from diffusion.unet_layout import rename_unet, unet_config, unet_layout
from diffusion.vae_layout import rename_vae, vae_config, vae_layout
from diffusion.values import Checkpoint, Clip, LatentFormat, Model, Network, TextEncoder, Vae
from diffusion.weights import assign, hollow, make_casting

__all__ = ["load_checkpoint", "load_model", "load_vae", "open_tensors"]

Tensors = Mapping[str, Tensor]

MARKS: Final = ("v_pred", "ztsnr", "edm_mean", "edm_std")
"""Tensors without meaning but their presence: what a network was trained to put out, and on which noise."""

WEIGHT_DTYPES: Final = {
    "default": None,
    "fp8_e4m3fn": torch.float8_e4m3fn,
    "fp8_e4m3fn_fast": torch.float8_e4m3fn,
    "fp8_e5m2": torch.float8_e5m2,
}

# diffusers' SD2 folders leave out the last layer of the text encoder, which the family never uses.
_CUT_LAYERS: Final = {"h": 23}


def load_checkpoint(
    path: Path | str, *, device: Device | None = None, prediction: str | None = None
) -> Checkpoint:
    """The model, text encoders and autoencoder of a checkpoint file or a model folder.

    prediction: what the network puts out, where the file is not to be asked. DiffusionError says what is
    wrong.
    """
    path = Path(path)
    header = read_header(path)
    if unet_prefix(header.tensors) != UNET:
        kind = facts_of(header).kind
        raise DiffusionError(f"{path.name} is not a checkpoint{_rather(kind)}.")
    tensors, device = open_tensors(header), device or choose_device()
    _check_used(tensors, path)
    vae = _checkpoint_vae(path, tensors, device)
    model = build_model(header, strip(tensors, UNET), UNET, device, vae, prediction)
    return Checkpoint(model, build_clip(path, tensors, model.family, device), vae)


def _check_used(tensors: Tensors, path: Path) -> None:
    """Weights that are no numbers are refused; copies that training programs keep are never looked at."""
    used = {name: tensor for name, tensor in tensors.items() if not name.startswith("model_ema.")}
    check_numbers(used, path.name)


def _rather(kind: str) -> str:
    rather = {
        "lora": "; it is a LoRA: load it with LoraLoader",
        "vae": "; it is a VAE: load it with VAELoader",
        "controlnet": "; it is a ControlNet: load it with ControlNetLoader",
        "unet": "; it holds a U-Net only: load it with UNETLoader",
        "clip": "; it is a text encoder: load it with CLIPLoader",
        "clip_vision": "; it is a CLIP vision model: load it with CLIPVisionLoader",
        "embedding": "; it is an embedding: name it in a prompt as embedding:NAME",
        "upscaler": "; it is an upscaler: load it with UpscaleModelLoader",
    }
    return rather.get(kind, ": it holds no U-Net under 'model.diffusion_model.'. Choose another file")


def load_model(path: Path | str, *, device: Device | None = None, weight_dtype: str = "default") -> Model:
    """The network of a file that holds a U-Net, alone or in a checkpoint; weight_dtype: a key of
    WEIGHT_DTYPES, what its weights are kept in to save memory, at the cost of precision."""
    path = Path(path)
    header = read_header(path)
    prefix = unet_prefix(header.tensors)
    if prefix is None:
        raise DiffusionError(f"{path.name} holds no U-Net{_rather(facts_of(header).kind)}.")
    tensors = strip(open_tensors(header), prefix)
    check_numbers(tensors, path.name)
    if kept := WEIGHT_DTYPES[weight_dtype]:
        tensors = {n: t.to(kept) if t.is_floating_point() else t for n, t in tensors.items()}
    return build_model(header, tensors, prefix, device or choose_device())


def build_model(
    header: Header,
    tensors: Tensors,
    prefix: str,
    device: Device,
    vae: Vae | None = None,
    prediction: str | None = None,
) -> Model:
    """A MODEL from a U-Net's tensors (names without prefix); a VAE of its own lets previews fit."""
    # Some networks alone in a file carry the marks of their training beside their layers.
    tensors = {name: tensor for name, tensor in tensors.items() if name not in MARKS}
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    layout = unet_layout(shapes)
    family = unet_family(header, prefix, layout)
    facts = facts_of(header)
    sampling = sampling_of(family, prediction or facts.prediction, zero_snr=facts.zero_snr)
    network = Network(
        build_unet(tensors, family, header.path.name),
        family,
        layout,
        sampling,
        LatentFormat(family.latent_scale, family.latent_channels),
        device,
        rename_unet(shapes, layout),
        preview_of(vae, family.latent_scale),
    )
    return Model(network, header.path)


def build_unet(tensors: Tensors, family: Family, what: str) -> nn.Module:
    """diffusers' U-Net with exactly these tensors (single-file names without prefix)."""
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    layout = unet_layout(shapes)
    names = rename_unet(shapes, layout)
    _refuse_strays(what, "U-Net", shapes.keys() - names.keys())
    unet = hollow(lambda: unet_class()(**unet_config(layout, family.heads, family.head_width)))
    assign(unet, {new: tensors[old] for old, new in names.items()}, f"The U-Net in {what}")
    return make_casting(unet)


def _refuse_strays(what: str, part: str, strays: set[str]) -> None:
    if strays:
        raise DiffusionError(
            f"The {part} in {what} has {len(strays)} tensors that no layer takes (such as '{min(strays)}'): "
            "it is of a family that Darkroom does not know. Choose a checkpoint of SD 1.x, SD 2.x or SDXL."
        )


def build_clip(path: Path, tensors: Tensors, family: Family, device: Device) -> Clip | None:
    """A CLIP from a checkpoint's tensors; None when it holds none of its family's text encoders."""
    found = [(tower, strip(tensors, tower.prefix)) for tower in family.towers]
    if not any(part for _, part in found):
        return None
    lacking = [tower.prefix for tower, part in found if not part]
    if lacking:
        raise DiffusionError(
            f"{path.name} lacks a text encoder of {family.title}: nothing under '{lacking[0]}'. "
            "Download it again, or load its parts with UNETLoader and DualCLIPLoader."
        )
    encoders = tuple(build_text_encoder(part, tower, path.name, device) for tower, part in found)
    return Clip(encoders, family, path)


def build_text_encoder(tensors: Tensors, tower: TextTower, what: str, device: Device) -> TextEncoder:
    """transformers' CLIP text model with exactly these tensors (names of either layout, without prefix)."""
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    names = text_names(shapes)
    layout = text_layout(shapes, names)
    if layout.layers == _CUT_LAYERS.get(tower.name):
        tower = replace(tower, layer=tower.layer + 1)
    config, model = text_classes()
    module: Any = hollow(lambda: model(config(**text_config(layout, tower))))
    renamed = _text_tensors(tensors, names)
    projection = renamed.pop("text_projection.weight", None)
    assign(module, renamed, f"The text encoder in {what}")
    return TextEncoder(make_casting(module), tower, projection, device)


def _text_tensors(tensors: Tensors, names: str) -> dict[str, Tensor]:
    renamed: dict[str, Tensor] = {}
    for old, new in rename_text({n: tuple(t.shape) for n, t in tensors.items()}, names).items():
        if new == ["text_projection"]:
            renamed["text_projection.weight"] = tensors[old].t()
        else:
            renamed.update(zip(new, tensors[old].chunk(len(new)), strict=True))
    return renamed


def _checkpoint_vae(path: Path, tensors: Tensors, device: Device) -> Vae | None:
    part = strip(tensors, VAE)
    return build_vae(part, path, device) if part else None


def load_vae(path: Path | str, *, device: Device | None = None) -> Vae:
    """The autoencoder of a VAE file, or of a checkpoint."""
    path = Path(path)
    header = read_header(path)
    prefix = next((p for p in (VAE, "") if f"{p}decoder.conv_in.weight" in header.tensors), None)
    if prefix is None:
        raise DiffusionError(f"{path.name} holds no VAE{_rather(facts_of(header).kind)}.")
    tensors = strip(open_tensors(header), prefix)
    check_numbers(tensors, path.name)
    return build_vae(tensors, path, device or choose_device())


def build_vae(tensors: Tensors, path: Path, device: Device) -> Vae:
    """diffusers' AutoencoderKL with exactly these tensors (single-file names without prefix)."""
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    layout = vae_layout(shapes)
    module = hollow(lambda: vae_class()(**vae_config(layout)))
    wanted: dict[str, Any] = module.state_dict()
    renamed = {new: tensors[old] for old, new in rename_vae(shapes, layout).items()}
    # Attention projections are 1×1 convolutions in single files and linear layers here.
    fitted = {n: t.reshape(wanted[n].shape) if _is_flat(t, wanted.get(n)) else t for n, t in renamed.items()}
    assign(module, fitted, f"The VAE in {path.name}")
    return Vae(make_casting(module), layout, device, path)


def _is_flat(tensor: Tensor, wanted: Tensor | None) -> bool:
    return wanted is not None and tensor.ndim == 4 and wanted.ndim == 2 and tensor.numel() == wanted.numel()
