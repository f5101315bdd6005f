"""LoRA files put onto models and text encoders: kohya's, diffusers' and LDM's names, stacked, with any
strength."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.headers import read_header
from diffusion.loading import open_tensors
from diffusion.lora_formats import Delta, bias_delta_of, count_of, delta_of, grouped
from diffusion.probe import FileFacts, facts_of
from diffusion.values import Clip, Model, TextEncoder

# How files call the text encoders, by the name of the tower, where there are two; and one that is alone.
_TOWERS: Final = {"l": ("te", "te1"), "h": ("te",), "g": ("te2",)}
_ALONE: Final = ("te", "te1", "te2")
_DOTTED: Final = {"te": "text_encoder", "te1": "text_encoder", "te2": "text_encoder_2"}
_TEXT_MARKS: Final = ("lora_te", "text_encoder")

Warn = Callable[[str], None]
"""Takes a sentence about what was left out."""
_warn: Final[Warn] = logging.getLogger("darkroom").warning


@dataclass(frozen=True)
class Lora:
    """A LoRA file: changes by the module they belong to, in the file's own names."""

    facts: FileFacts
    groups: Mapping[str, Mapping[str, Tensor]]

    @property
    def name(self) -> str:
        return self.facts.path.name


def load_lora(path: Path | str) -> Lora:
    """The LoRA in a safetensors file; DiffusionError when it holds none."""
    path = Path(path)
    facts = facts_of(read_header(path))
    groups = grouped(open_tensors(path))
    if not groups:
        raise DiffusionError(
            f"{path.name} is not a LoRA: it holds no changes to weights, it is of kind {facts.kind}."
        )
    return Lora(facts, groups)


def apply_lora(
    model: Model | None,
    clip: Clip | None,
    lora: Lora,
    strength_model: float = 1.0,
    strength_clip: float = 1.0,
    warn: Warn = _warn,
) -> tuple[Model | None, Clip | None]:
    """Handles to the same weights with the LoRA on top; either part may be None. Strength may be negative.

    Raises:
        DiffusionError: when the file says that it is for another family. What merely finds no place is told
            to warn.
    """
    _check_family(model, clip, lora)
    placed = set[str]()
    if model is not None:
        model = model.clone()
        weights = model.model.diffusion_model.state_dict()
        deltas = _placed(lora, _unet_names(model), weights, placed)
        if strength_model:
            model.add_patches(deltas, strength_model)
    if clip is not None:
        clip = clip.clone()
        for encoder in clip.encoders:
            deltas = _placed(
                lora, _text_names(encoder, len(clip.encoders) == 1), encoder.module.state_dict(), placed
            )
            if strength_clip:
                clip.add_encoder_patches(encoder, deltas, strength_clip)
    _tell_strays(model, clip, lora, placed, warn)
    return model, clip


def _tell_strays(model: Model | None, clip: Clip | None, lora: Lora, placed: set[str], warn: Warn) -> None:
    asked = [stem for stem in lora.groups if (clip if stem.startswith(_TEXT_MARKS) else model) is not None]
    strays = [stem for stem in asked if stem not in placed]
    if not placed:
        warn(
            f"{lora.name} changes nothing: none of its {len(lora.groups)} changes fits a layer of this model "
            f"(such as '{min(lora.groups)}'). Use a LoRA made for this model's family."
        )
    elif strays:
        warn(
            f"{len(strays)} of the {len(asked)} changes in {lora.name} fit no layer of this model and are "
            f"left out (such as '{min(strays)}')."
        )


def _check_family(model: Model | None, clip: Clip | None, lora: Lora) -> None:
    family = model.family if model is not None else clip.family if clip is not None else None
    meant = lora.facts.family
    if family is None or meant is None or meant == family.base:
        return
    raise DiffusionError(
        f"{lora.name} is a LoRA for {FAMILIES[meant].title}, but this model is {family.title}. "
        f"Use a LoRA made for {family.title}, or load a {FAMILIES[meant].title} checkpoint."
    )


def _placed(
    lora: Lora, names: Mapping[str, str], weights: Mapping[str, Tensor], placed: set[str]
) -> dict[str, Delta]:
    """Weight name → its change, for every group of the file that fits a layer; placed gets those names."""
    deltas: dict[str, Delta] = {}
    for stem, parts in lora.groups.items():
        target = names.get(stem) or names.get(stem.replace(".", "_"))
        found = {} if target is None else dict(_fitting(target, parts, weights))
        if found:
            placed.add(stem)
            deltas |= found
    return deltas


def _fitting(
    target: str, parts: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> Iterator[tuple[str, Delta]]:
    """The changes to a layer's weight and bias that are of their size."""
    counts = {"weight": count_of(parts), "bias": parts["diff_b"].numel() if "diff_b" in parts else 0}
    for leaf, change in (("weight", delta_of(parts)), ("bias", bias_delta_of(parts))):
        weight = weights.get(f"{target}.{leaf}")
        if change is not None and weight is not None and weight.numel() == counts[leaf]:
            yield f"{target}.{leaf}", change


def _unet_names(model: Model) -> dict[str, str]:
    """Every name that files give a layer of the U-Net → the layer's own."""
    names: dict[str, str] = {}
    for single, ours in _stems(model.model.names):
        flat = ours.replace(".", "_")
        names |= dict.fromkeys((f"lora_unet_{flat}", f"lora_unet_{single.replace('.', '_')}"), ours)
        names |= dict.fromkeys((f"unet.{ours}", f"unet_{flat}", f"diffusion_model.{single}"), ours)
        names |= dict.fromkeys((ours, f"base_model.model.{ours}", f"unet.base_model.model.{ours}"), ours)
        # Before 2023's end diffusers kept LoRA in attention processors.
        block, attention, layer = ours.rpartition("attn1") if "attn1" in ours else ours.rpartition("attn2")
        processor = f"{block}{attention}.processor{layer.removesuffix('.0')}"
        names |= dict.fromkeys((f"unet.{processor}", processor), ours)
    return names


def _stems(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for single, ours in names.items():
        if single.endswith(".weight"):
            yield single.removesuffix(".weight"), ours.removesuffix(".weight")


def _text_names(encoder: TextEncoder, alone: bool) -> dict[str, str]:
    """Every name that files give a layer of a text encoder → the layer's own."""
    names: dict[str, str] = {}
    tower = encoder.tower.name
    for stem in {name.rpartition(".")[0] for name in encoder.module.state_dict()}:
        flat = stem.replace(".", "_")
        names[f"text_encoders.clip_{tower}.transformer.text_model.{stem}"] = stem
        for called in _ALONE if alone else _TOWERS[tower]:
            names |= dict.fromkeys((f"lora_{called}_text_model_{flat}", f"lora_{called}_{flat}"), stem)
            names |= dict.fromkeys(
                (f"{_DOTTED[called]}.text_model.{stem}", f"{_DOTTED[called]}.{stem}"), stem
            )
    return names
