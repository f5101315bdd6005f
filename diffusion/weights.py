"""Weights in their file's dtype, cast when used.

A module built on the meta device gets the file's memory-mapped tensors themselves, so loading costs no
memory. When it computes, each layer either casts its weights on the way (big models: the cast copy lives
for one layer) or was cast once before (small ones).
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusion.devices import channels_last_pays, convolution_multiplies_faster, free_memory
from diffusion.errors import DiffusionError


class CastLinear(nn.Linear):
    """A linear layer whose weights may have another dtype than its input."""

    def forward(self, input: Tensor) -> Tensor:
        weight, bias = _cast(self, input)
        many = input.numel() >= _MANY * input.shape[-1]
        if many and input.is_cpu and input.dtype == torch.float32 and convolution_multiplies_faster():
            return _as_convolution(input, weight, bias)
        return F.linear(input, weight, bias)


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


def _as_convolution(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """F.linear by a 1 × 1 convolution over tokens as pixels; nothing is copied."""
    rows = x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)
    out = F.conv2d(rows, weight[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).reshape(*x.shape[:-1], weight.shape[0])


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
_MANY: Final = 64
"""Rows from which another way to multiply matrices pays."""
_FILE: Final = "_file_weights"
"""Where a module with cast weights keeps the file's own, by name."""


_INITIALISERS: Final = (
    "normal_",
    "uniform_",
    "kaiming_uniform_",
    "xavier_uniform_",
    "ones_",
    "zeros_",
    "constant_",
)


def hollow(build: Callable[[], nn.Module]) -> nn.Module:
    """The module that build makes, with weights that have shapes only.

    Nothing is initialised, and ranges (of positions) are real: computing values for mere shapes would load
    torch's compiler, in seconds.
    """
    with ExitStack() as stack:
        for name in _INITIALISERS:
            stack.enter_context(replaced(nn.init, name, _untouched))
        stack.enter_context(replaced(torch, "arange", partial(torch.arange, device="cpu")))
        stack.enter_context(torch.device("meta"))
        return build()


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """The owner with another value under a name, inside the block."""
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def _untouched(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    return tensor


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


def make_casting(module: nn.Module) -> nn.Module:
    """Let every layer of a module cast its weights to its input's dtype; returns the module."""
    for layer in module.modules():
        if type(layer) in _CASTING:
            layer.__class__ = _CASTING[type(layer)]
    return module


def ready(module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Bring a module to where it computes: cast as a whole when that is cheap, else left to cast layer by
    layer.

    The file's own tensors are kept, so that another dtype is cast from them, and another model may take the
    memory of the cast copy when it is short.
    """
    if _is_at(module, device, dtype):
        return
    release(module)
    if _is_at(module, device, dtype):
        return
    copy = sum(t.numel() for t in module.parameters()) * dtype.itemsize
    if copy >= free_memory(device) * _SHARE:
        for other in [m for m in _cast_modules() if m is not module]:
            release(other)
    if copy < free_memory(device) * _SHARE:
        vars(module)[_FILE] = {name: t.data for name, t in module.named_parameters()}
        # Not module.to: diffusers and transformers warn there about dtypes that these modules do not need.
        nn.Module.to(module, device, dtype)
        if channels_last_pays(device, dtype):
            for value in (t for t in module.parameters() if t.ndim == 4):
                value.data = value.data.contiguous(memory_format=torch.channels_last)


def release(module: nn.Module) -> None:
    """Give the memory of a module's cast copy back: its weights are the file's own again."""
    kept: dict[str, Tensor] = vars(module).pop(_FILE, {})
    for name, value in kept.items():
        module.get_parameter(name).data = value


def file_weight(module: nn.Module, name: str) -> Tensor:
    """A weight as its file has it, whatever the module computes in."""
    kept: dict[str, Tensor] = vars(module).get(_FILE, {})
    return kept[name] if name in kept else module.get_parameter(name).data


def _is_at(module: nn.Module, device: torch.device, dtype: torch.dtype) -> bool:
    return all(t.dtype == dtype and t.device == device for t in module.parameters())


def _cast_modules() -> list[nn.Module]:
    """Every module in this process that holds a cast copy of its weights."""
    objects = gc.get_objects()
    return [m for m in objects if issubclass(type(m), nn.Module) and _FILE in vars(m)]


@dataclass(frozen=True, slots=True)
class WeightPatch:
    """One change to one weight: strength · delta(weight) is added to strength_model · weight."""

    delta: Callable[[Tensor], Tensor]
    strength: float = 1.0
    strength_model: float = 1.0


def patched(weight: Tensor, patches: tuple[WeightPatch, ...], dtype: torch.dtype) -> Tensor:
    """The weight with its patches, computed in fp32 and rounded to a dtype."""
    value = weight.float()
    for patch in patches:
        delta = patch.delta(value).to(value) * patch.strength
        value = value * patch.strength_model + delta
    return value.to(dtype)


@contextmanager
def applied(
    module: nn.Module, patches: Mapping[str, tuple[WeightPatch, ...]], dtype: torch.dtype
) -> Iterator[None]:
    """The module with patched weights, in the dtype it computes in; afterwards the very same tensors are
    back."""
    kept: list[tuple[nn.Module, str, nn.Parameter]] = []
    try:
        for name, changes in patches.items():
            path, _, leaf = name.rpartition(".")
            owner = module.get_submodule(path)
            original = owner.get_parameter(leaf)
            new = patched(original.data, changes, dtype)
            kept.append((owner, leaf, original))
            setattr(owner, leaf, nn.Parameter(new, requires_grad=False))
        yield
    finally:
        for owner, leaf, original in kept:
            setattr(owner, leaf, original)
