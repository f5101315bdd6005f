"""The mutation guard: seals values when they are made, and sees when a node changed one in place."""

import dataclasses
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final, cast

Mark = tuple[Any, Any]
Seal = tuple[Mark, ...]
"""What values looked like: pairs of an object and the mark it had. Empty for values that cannot change."""

UNCHANGING: Final = frozenset({int, float, str, bool, bytes, type(None), complex})
_MOST_OBJECTS: Final = 10_000
_SAMPLES: Final = 64
_ELEMENTS: Final = 2048


def seal(values: Iterable[Any]) -> Seal:
    """The seal of values: versions and samples of tensors, items of lists and dicts, samples of arrays.

    Looks into lists, tuples, dicts and dataclasses (not their fields that begin with _). Any depth; after
    10,000 objects it stops looking. Holds the sealed objects alive.
    """
    waiting = [value for value in values if type(value) not in UNCHANGING]
    if not waiting:
        return ()
    marks, seen = list[Mark](), set[int]()
    while waiting and len(seen) < _MOST_OBJECTS:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        mark = _mark(value)
        if mark is not None:
            marks.append((value, mark))
        waiting.extend(item for item in _inside(value) if type(item) not in UNCHANGING)
    return tuple(marks)


def broken(sealed: Seal) -> bool:
    """Whether any sealed object is no longer what it was."""
    return any(_mark(value) != mark for value, mark in sealed)


def _mark(value: Any) -> Any:
    kind = cast(type[object], type(value))
    if kind is list:
        return tuple(map(id, value))
    if kind is dict:
        return tuple((key if type(key) in UNCHANGING else id(key), id(item)) for key, item in value.items())
    if kind is tuple:
        return None
    version = _version(value)
    if version is not None:
        return version, _elements(value)
    if dataclasses.is_dataclass(value):
        return tuple(map(id, _fields(value)))
    return _sample(value)


def _version(value: Any) -> int | None:
    try:
        version = value._version
    except Exception:  # tensors made in inference mode raise here; other objects may do anything
        return None
    return version if type(version) is int else None


def _elements(value: Any) -> Any:
    """A hash of elements spread over a tensor: what is written by way of numpy counts no version.

    The step has no factor 2 or 3, so that no channel of a picture and no column of a grid is left out.
    """
    try:
        array = value.numpy()
        step = max(1, array.size // _ELEMENTS) | 1
        spread = array.flat[:: step + 2 if step % 3 == 0 else step]
        return blake2b(spread.tobytes(), digest_size=8).digest()
    except Exception:  # of a device's memory, of a kind that numpy does not have, or recorded for gradients
        return None


def _fields(value: Any) -> list[Any]:
    """The public fields of a dataclass; those that begin with _ are its own business (memos)."""
    names = (item.name for item in dataclasses.fields(value) if not item.name.startswith("_"))
    return [getattr(value, name, None) for name in names]


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        return cast("list[Any]", value)
    if cast(type[object], type(value)) is dict:
        return value.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    return ()


def _sample(value: Any) -> Any:
    """A hash of bytes spread over an array's memory; None for what has no writable memory of its own."""
    try:
        with memoryview(value) as view:
            if view.readonly or not view.c_contiguous or not view.nbytes:
                return None
            flat = view.cast("B")
            stride = max(1, len(flat) // _SAMPLES)
            return blake2b(flat[:: stride | 1].tobytes(), digest_size=8).digest()
    except (TypeError, ValueError, BufferError):
        return None
