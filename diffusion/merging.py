"""Models and text encoders mixed weight by weight. A mix is a patch, computed when it is used."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from diffusion.errors import DiffusionError
from diffusion.values import Clip, Model, TextEncoder
from diffusion.weights import WeightPatch, file_weight, patched

Warn = Callable[[str], None]
_warn: Final[Warn] = logging.getLogger("darkroom").warning

Shares = Callable[[str], tuple[float, float]]
"""A weight's single-file name → what the first and what the second model's weight are multiplied with."""


@dataclass(frozen=True)
class OtherWeight:
    """The same weight of another model, with that model's patches, as a change to add."""

    module: nn.Module
    name: str
    patches: tuple[WeightPatch, ...] = ()

    def __call__(self, weight: Tensor) -> Tensor:
        return patched(file_weight(self.module, self.name), self.patches, torch.float32).to(weight)


def mix_models(first: Model, second: Model, shares: Shares, warn: Warn = _warn) -> Model:
    """The first model with every weight multiplied, and the second's, multiplied, added.

    Weights that only one has, or of other shapes (as where an inpainting model takes more channels), stay
    the first model's.

    Raises:
        DiffusionError: when the models are of different families.
    """
    ours, theirs = first.model, second.model
    if ours.family.base != theirs.family.base:
        raise DiffusionError(
            f"a {theirs.family.title} model cannot be merged with a {ours.family.title} model: their layers "
            "differ. Load two models of one family."
        )
    mixed, left = first.clone(), list[str]()
    changes = dict[tuple[float, float], dict[str, OtherWeight]]()
    for single, name in ours.names.items():
        other = theirs.names.get(single)
        if other is None or not _alike(ours.diffusion_model, name, theirs.diffusion_model, other):
            left.append(single)
            continue
        change = OtherWeight(theirs.diffusion_model, other, second.patches.get(other, ()))
        changes.setdefault(shares(single), {})[name] = change
    for (mine, added), group in changes.items():
        mixed.add_patches(group, added, mine)
    if left:
        warn(
            f"{len(left)} weights that the two models do not share stay as they are (such as '{min(left)}')."
        )
    return mixed


def _alike(a: nn.Module, name: str, b: nn.Module, other: str) -> bool:
    return a.get_parameter(name).shape == b.get_parameter(other).shape


def by_block(shares: Mapping[str, float]) -> Callable[[str], float]:
    """A weight's share by the longest of some beginnings of its name; others get the first share."""

    def share(name: str) -> float:
        fitting = [start for start in shares if name.startswith(start)]
        return shares[max(fitting, key=len)] if fitting else next(iter(shares.values()))

    return share


def mix_clips(first: Clip, second: Clip, mine: float, added: float) -> Clip:
    """The first text encoders with every weight multiplied, and the second's, multiplied, added.

    Raises:
        DiffusionError: when the text encoders differ in kind or size.
    """
    others = {encoder.tower.name: encoder for encoder in second.encoders}
    mixed, encoders = first.clone(), list[TextEncoder]()
    for encoder in first.encoders:
        other = others.get(encoder.tower.name)
        if other is None or other.width != encoder.width:
            raise DiffusionError(
                f"the second CLIP has no text encoder like the first's '{encoder.tower.name}' of width "
                f"{encoder.width}. Load two of one family."
            )
        theirs = second.patches_of(other)
        changes = {
            name: OtherWeight(other.module, name, theirs.get(name, ()))
            for name, weight in encoder.module.named_parameters()
            if weight.shape == other.module.get_parameter(name).shape
        }
        mixed.add_encoder_patches(encoder, changes, added, mine)
        encoders.append(replace(encoder, projection=_mixed_projection(encoder, other, mine, added)))
    mixed.encoders = tuple(encoders)
    return mixed


def _mixed_projection(a: TextEncoder, b: TextEncoder, mine: float, added: float) -> Tensor | None:
    if a.projection is None or b.projection is None:
        return a.projection
    return (a.projection.float() * mine + b.projection.float() * added).to(a.projection.dtype)
