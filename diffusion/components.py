"""Text encoders and small autoencoders from files of their own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from diffusion.devices import Device, choose_device
from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES, Family
from diffusion.headers import read_header
from diffusion.loading import build_text_encoder
from diffusion.modules import tiny_encoder_class
from diffusion.preview import load_tiny_decoder
from diffusion.probe import strip
from diffusion.tensors import check_numbers, open_tensors
from diffusion.text_layout import text_names
from diffusion.vae_layout import VaeLayout
from diffusion.values import Clip, Vae
from diffusion.weights import assign, hollow, make_casting

TEXT_PREFIXES: Final = (
    "cond_stage_model.transformer.",
    "cond_stage_model.model.",
    "conditioner.embedders.0.transformer.",
    "conditioner.embedders.1.model.",
    "conditioner.embedders.0.model.",
    "clip_l.transformer.",
    "clip_g.transformer.",
    "clip_h.transformer.",
    "transformer.",
    "model.",
    "",
)
_TOKENS: Final = ("text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight")
PUBLISHED_WIDTHS: Final = {768: "l", 1024: "h", 1280: "g"}
_ALONE: Final = {"l": "sd1", "h": "sd2", "g": "sdxl-refiner"}
TINY_SCALES: Final = {"taesd": 0.18215, "taesdxl": 0.13025}
"""Small autoencoders (Bohan, TAESD) by name, and the scale of the latents that each was trained on."""


def load_clip(paths: Sequence[Path], kind: str, *, on_cpu: bool = False) -> Clip:
    """A CLIP from one or two text encoder files, in any order; kind: "stable_diffusion" or "sdxl"; on_cpu:
    computing there, wherever the model does.

    DiffusionError when a file is no text encoder or the two are not a pair.
    """
    found = {name: (path, part) for path in paths for name, part in [_text_part(path)]}
    family = _family(found, paths, kind)
    device = Device(torch.device("cpu"), torch.float32) if on_cpu else choose_device()
    encoders = tuple(
        build_text_encoder(found[tower.name][1], tower, found[tower.name][0].name, device)
        for tower in family.towers
    )
    return Clip(encoders, family, paths[0])


def _text_part(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The tensors of a file's text encoder, without prefix, and which one it is: "l", "h" or "g"."""
    tensors = open_tensors(read_header(path))
    prefix = next((p for p in TEXT_PREFIXES if _has_tokens(tensors, p)), None)
    if prefix is None:
        raise DiffusionError(
            f"{path.name} holds no CLIP text encoder. Choose a file of text_encoders that does."
        )
    part = strip(tensors, prefix)
    check_numbers(part, path.name)
    return encoder_name({name: tuple(tensor.shape) for name, tensor in part.items()}), part


def _has_tokens(names: Mapping[str, Any], prefix: str) -> bool:
    return any(f"{prefix}{name}" in names for name in (*_TOKENS, "token_embedding.weight"))


def encoder_name(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Which text encoder this is, by its width; if that is unusual, one with a projection is "g"."""
    width = next(shape[-1] for name, shape in shapes.items() if name.endswith("token_embedding.weight"))
    projects = any(name.startswith("text_projection") for name in shapes)
    return PUBLISHED_WIDTHS.get(width, "g" if projects or text_names(shapes) == "open_clip" else "l")


def _family(found: Mapping[str, Any], paths: Sequence[Path], kind: str) -> Family:
    if len(paths) == 1:
        return FAMILIES[_ALONE[next(iter(found))]]
    if kind != "sdxl" or set(found) != {"l", "g"}:
        told = " and ".join(f"{path.name} ({name})" for name, (path, _) in found.items())
        raise DiffusionError(
            f"{told} are no pair for SDXL, which takes CLIP-L (768 wide) and CLIP-G (1280 wide). "
            "Choose one file of each."
        )
    return FAMILIES["sdxl"]


class _Scale(nn.Module):
    """Multiplies by a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class TinyAutoencoder(nn.Module):
    """A small autoencoder of scaled latents, with the parts of the large one, which does not scale them."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, scale: float) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.quant_conv, self.post_quant_conv = _Scale(1 / scale), _Scale(scale)


def load_tiny_vae(encoder: Path, decoder: Path, name: str, *, device: Device | None = None) -> Vae:
    """A VAE from the two files of a TAESD, named "taesd" or "taesdxl"; it is fast and rough."""
    halves = _tiny_encoder(encoder), load_tiny_decoder(decoder).module
    module = TinyAutoencoder(*halves, TINY_SCALES[name])
    layout = VaeLayout((64, 64, 64, 64), 3, 4, 3, quant=True, post_quant=True)
    return Vae(make_casting(module.eval()), layout, device or choose_device(), decoder)


def _tiny_encoder(path: Path) -> nn.Module:
    """The encoder in a file, in its authors' names or diffusers'."""
    tensors = open_tensors(read_header(path))
    check_numbers(tensors, path.name)
    named = {name if "layers." in name else f"layers.{name}": tensor for name, tensor in tensors.items()}
    encoder = tiny_encoder_class()
    module = hollow(
        lambda: encoder(
            in_channels=3,
            out_channels=4,
            num_blocks=(1, 3, 3, 3),
            block_out_channels=(64, 64, 64, 64),
            act_fn="relu",
        )
    )
    assign(module, {n.removeprefix("encoder."): t for n, t in named.items()}, f"The encoder in {path.name}")
    return module
