"""Inputs to try nodes with, and whether what they give is what they declare."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Output
from nodes.lazy import LazyModule

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

_PLAIN: Final = {"INT": 1, "FLOAT": 0.5, "STRING": "a red circle", "BOOLEAN": True, "*": 1}


def _random(*shape: int) -> Any:
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


_MADE: Final[Mapping[str, Callable[[], Any]]] = {
    "IMAGE": lambda: _random(2, 48, 64, 3),
    "MASK": lambda: _random(2, 48, 64),
    "LATENT": lambda: {"samples": _random(2, 4, 6, 8)},
    "SIGMAS": lambda: torch.linspace(10.0, 0.0, 5),
    "CONDITIONING": lambda: [[_random(1, 77, 16), {}]],
}


class NoSample(Exception):
    """An input that nothing can be made for; the message says which."""


def samples(spec: NodeSpec) -> dict[str, Any]:
    """A value for each input that a node needs, new every time. Raises NoSample."""
    return {item.name: _sample(item) for item in spec.inputs if item.required or item.default is not MISSING}


def _sample(item: Input) -> Any:
    if item.default is not MISSING:
        return item.default
    if isinstance(item.widget, FileChoice):
        raise NoSample(f"its input {item.name} is a file")
    if isinstance(item.widget, Choice):
        return item.widget.options[0]
    kind = item.type.names[0]
    if kind in _MADE:
        made = _MADE[kind]()
        return [made] if item.type.is_list else made
    if isinstance(item.widget, Number) and item.widget.minimum is not None:
        return int(item.widget.minimum) if kind == "INT" else item.widget.minimum
    if kind in _PLAIN:
        return [_PLAIN[kind]] if item.type.is_list else _PLAIN[kind]
    raise NoSample(f"its input {item.name} takes {item.type}")


def wrong_output(output: Output, value: Any) -> str:
    """What is wrong with a value for an output, or ""."""
    if output.is_list or output.type.is_list:
        return "" if isinstance(value, list | tuple) else f"gave {_words(value)}, not a list"
    rules: Mapping[str, Callable[[Any], bool]] = {
        "IMAGE": lambda v: _is_tensor(v, 4) and v.shape[-1] in (1, 3, 4) and v.is_floating_point(),
        "MASK": lambda v: _is_tensor(v, 3) and v.is_floating_point(),
        "LATENT": lambda v: isinstance(v, dict) and "samples" in v,
        "SIGMAS": lambda v: _is_tensor(v, 1),
        "INT": lambda v: isinstance(v, int) and not isinstance(v, bool),
        "FLOAT": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        "STRING": lambda v: isinstance(v, str),
        "BOOLEAN": lambda v: isinstance(v, bool),
    }
    known = [rules[name] for name in output.type.names if name in rules]
    if len(known) < len(output.type.names) or any(rule(value) for rule in known):
        return ""
    return f"gave {_words(value)}, and declares {output.type}"


def _is_tensor(value: Any, dimensions: int) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == dimensions


def _words(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"a tensor of {value.dtype} {tuple(value.shape)}".replace("torch.", "")
    return f"{type(value).__name__} {str(value)[:60]}"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit, however deep."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.shape == other.shape and torch.equal(one, other)
    if isinstance(one, dict):
        mine = cast("dict[Any, Any]", one)
        return (
            isinstance(other, dict)
            and mine.keys() == other.keys()
            and all(same(mine[key], other[key]) for key in mine)
        )
    if isinstance(one, list | tuple):
        if not isinstance(other, list | tuple):
            return False
        left, right = cast("Sequence[Any]", one), cast("Sequence[Any]", other)
        return len(left) == len(right) and all(map(same, left, right))
    try:
        return bool(one == other) or one is other
    except Exception:  # a plugin's own comparison
        return True
