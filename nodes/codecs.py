# torch leaves many of its types unknown, so this file is checked as diffusion/ is.
# pyright: standard
"""How tensors are kept on disk, and how many bytes values take in memory."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from graph.disk_store import PlainCodec
from nodes.lazy import LazyModule

if TYPE_CHECKING:
    import safetensors.torch as tensor_files
    from torch import Tensor
    from torch.nn import Module
else:
    tensor_files = LazyModule("safetensors.torch")

Path = tuple[int | str, ...]
"""Where a tensor stands in a value: keys and indices from the outside in."""

STRUCTURE: Final = "structure"
PLAIN: Final = PlainCodec()
DTYPES: Final = (
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
)
MOST_OBJECTS: Final = 10_000


class TensorCodec:
    """Tensors, alone or in lists, tuples and dicts with plain values, as safetensors bytes.

    Tensors are named by their place; what is left of the value stands in the metadata as JSON.
    """

    @property
    def name(self) -> str:
        """ "tensors/1"."""
        return "tensors/1"

    def can_store(self, value: Any) -> bool:
        """Whether the value holds a tensor, and nothing but dense tensors in main memory and plain values."""
        if "torch" not in sys.modules:
            return False
        try:
            tensors = dict(_tensors(value, ()))
            return (
                bool(tensors) and all(map(_is_storable, tensors.values())) and PLAIN.can_store(_rest(value))
            )
        except RecursionError:
            return False

    def dump(self, value: Any) -> bytes:
        """The value as a safetensors file."""
        named = {
            json.dumps(path): tensor.detach().contiguous().clone() for path, tensor in _tensors(value, ())
        }
        return tensor_files.save(named, {STRUCTURE: PLAIN.dump(_rest(value)).decode("ascii")})

    def load(self, data: bytes) -> Any:
        """The value of a safetensors file that dump wrote."""
        tensors = {tuple(json.loads(name)): tensor for name, tensor in tensor_files.load(data).items()}
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        structure = PLAIN.load(header["__metadata__"][STRUCTURE].encode())
        return _mapped(structure, (), lambda path, value: tensors.get(path, value))


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_storable(tensor: "Tensor") -> bool:
    kind = str(tensor.dtype).removeprefix("torch.")
    plain = type(tensor).__name__ == "Tensor" and str(tensor.layout) == "torch.strided"
    return plain and tensor.device.type == "cpu" and kind in DTYPES and not tensor.requires_grad


def _tensors(value: Any, path: Path) -> Iterator[tuple[Path, "Tensor"]]:
    if _is_tensor(value):
        yield path, value
        return
    for key, inner in _inside(value):
        yield from _tensors(inner, (*path, key))


def _inside(value: Any) -> Iterable[tuple[int | str, Any]]:
    if type(value) is dict:
        return value.items()
    return enumerate(value) if type(value) in (list, tuple) else ()


def _rest(value: Any) -> Any:
    """The value with None in place of tensors."""
    return _mapped(value, (), lambda _, inner: None if _is_tensor(inner) else inner)


def _mapped(value: Any, path: Path, change: Callable[[Path, Any], Any]) -> Any:
    """The value with every innermost part changed."""
    if type(value) is dict:
        return {key: _mapped(inner, (*path, key), change) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(inner, (*path, place), change) for place, inner in enumerate(value))
    return change(path, value)


def measure(value: Any) -> int:
    """Bytes that a value takes in memory, weights of models included; what it holds twice counts once."""
    total, seen, waiting = 0, set[int](), [value]
    while waiting and len(seen) < MOST_OBJECTS:
        item = waiting.pop()
        if id(item) not in seen:
            seen.add(id(item))
            total += 32 + _bytes(item)
            waiting.extend(_parts(item))
    return total


def weights_in(value: Any) -> dict[int, int]:
    """Bytes of each network in a value, by its identity: what handles of one model share."""
    found, seen, waiting = dict[int, int](), set[int](), [value]
    while waiting and len(seen) < MOST_OBJECTS:
        item = waiting.pop()
        if id(item) not in seen:
            seen.add(id(item))
            if _is_module(item):
                found[id(item)] = _weights(item)
            waiting.extend(_parts(item))
    return found


def _bytes(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if _is_module(value):
        return _weights(value)
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0


def _weights(module: "Module") -> int:
    return sum(weight.nbytes for weight in (*module.parameters(), *module.buffers()))


def _is_module(value: Any) -> bool:
    nn = sys.modules.get("torch.nn")
    return nn is not None and isinstance(value, nn.Module)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, item.name, None) for item in dataclasses.fields(value)]
    return ()
