"""Weights in their file's dtype, cast when used.

A module built on the meta device gets the file's memory-mapped tensors themselves, so loading costs no
memory. When it computes, each layer either casts its weights on the way (big models: the cast copy lives
for one layer) or was cast once before (small ones).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.devices import free_memory
from diffusion.errors import DiffusionError


class CastLinear(nn.Linear):
    """A linear layer whose weights may have another dtype than its input."""

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, *_cast(self, input))


class CastConv2d(nn.Conv2d):
    """A convolution whose weights may have another dtype than its input."""

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, *_cast(self, input))


class CastGroupNorm(nn.GroupNorm):
    """A group norm whose weights may have another dtype than its input."""

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, *_cast(self, input), self.eps)


class CastLayerNorm(nn.LayerNorm):
    """A layer norm whose weights may have another dtype than its input."""

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, *_cast(self, input), self.eps)


def _cast(layer: Any, x: Tensor) -> tuple[Tensor, Tensor | None]:
    bias = layer.bias
    return layer.weight.to(x.device, x.dtype), None if bias is None else bias.to(x.device, x.dtype)


_CASTING: Final[dict[type[nn.Module], type[nn.Module]]] = {
    nn.Linear: CastLinear,
    nn.Conv2d: CastConv2d,
    nn.GroupNorm: CastGroupNorm,
    nn.LayerNorm: CastLayerNorm,
}
# A model is cast once and kept so when its cast copy takes less than this part of the free memory.
_SHARE: Final = 0.25


def assign(module: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Give a meta-device module its tensors, without copying; every tensor must be used and every weight
    filled."""
    wanted = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    missing, extra = wanted.keys() - tensors.keys(), tensors.keys() - wanted.keys()
    wrong = [n for n in wanted.keys() & tensors.keys() if tuple(tensors[n].shape) != wanted[n]]
    problems = [
        f"{len(names)} tensors {trouble} (such as {min(names)})"
        for names, trouble in (
            (missing, "are missing"),
            (extra, "have no place"),
            (wrong, "have another shape"),
        )
        if names
    ]
    if problems:
        raise DiffusionError(f"{what} does not fit its own dimensions: {'; '.join(problems)}.")
    module.load_state_dict(dict(tensors), assign=True, strict=True)
    module.requires_grad_(False).eval()
    # Patched weights are rounded to this, as if the file held them, whatever the module is cast to later.
    module.file_dtypes = {name: t.dtype for name, t in tensors.items()}  # type: ignore[assignment]


def make_casting(module: nn.Module) -> nn.Module:
    """Let every layer of a module cast its weights to its input's dtype; returns the module."""
    for layer in module.modules():
        if type(layer) in _CASTING:
            layer.__class__ = _CASTING[type(layer)]
    return module


def ready(module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Bring a module to where it computes: cast as a whole when that is cheap, else left to cast layer by
    layer."""
    values = list(module.parameters())
    if all(t.dtype == dtype and t.device == device for t in values):
        return
    copy = sum(t.numel() for t in values) * dtype.itemsize
    if copy < free_memory(device) * _SHARE:
        # Not module.to: diffusers and transformers warn there about dtypes that these modules do not need.
        nn.Module.to(module, device, dtype)


@dataclass(frozen=True, slots=True)
class WeightPatch:
    """One change to one weight: strength · delta(weight) is added to strength_model · weight."""

    delta: Callable[[Tensor], Tensor]
    strength: float = 1.0
    strength_model: float = 1.0


def patched(weight: Tensor, patches: tuple[WeightPatch, ...], dtype: torch.dtype) -> Tensor:
    """The weight with its patches, computed in fp32 and rounded to the file's dtype."""
    value = weight.float()
    for patch in patches:
        delta = patch.delta(value).to(value) * patch.strength
        value = value * patch.strength_model + delta
    return value.to(dtype).to(weight.dtype)


@contextmanager
def applied(module: nn.Module, patches: Mapping[str, tuple[WeightPatch, ...]]) -> Iterator[None]:
    """The module with patched weights inside the block; afterwards the very same tensors as before are
    back."""
    kept: list[tuple[nn.Module, str, nn.Parameter]] = []
    dtypes: Any = getattr(module, "file_dtypes", {})
    try:
        for name, changes in patches.items():
            path, _, leaf = name.rpartition(".")
            owner = module.get_submodule(path)
            original = owner.get_parameter(leaf)
            new = patched(original.data, changes, dtypes.get(name, original.dtype))
            kept.append((owner, leaf, original))
            setattr(owner, leaf, nn.Parameter(new, requires_grad=False))
        yield
    finally:
        for owner, leaf, original in kept:
            setattr(owner, leaf, original)
