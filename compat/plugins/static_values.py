# pyright: standard
# Values of packs have no types.
"""Values that a pack's text tells of: enough to follow how it puts its table of nodes together."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast


class Unknown:
    """What only running the code would tell."""


UNKNOWN: Final = Unknown()
Names = dict[str, Any]


@dataclass(slots=True, eq=False)
class ClassValue:
    """A class of the pack: where it is written, and what its body and its bases say."""

    module: str
    name: str
    names: Names
    bases: list[Any] = field(default_factory=list[Any])

    def get(self, name: str) -> Any:
        """An attribute, of the class or the nearest base that has it."""
        if name == "__name__":
            return self.name
        if name in self.names:
            return self.names[name]
        found = (base.get(name) for base in self.bases if isinstance(base, ClassValue))
        return next((value for value in found if value is not UNKNOWN), UNKNOWN)


@dataclass(slots=True, eq=False)
class FunctionValue:
    """A function of the pack with the names around it, the innermost first."""

    code: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: str
    around: tuple[Names, ...]


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the pack."""

    name: str


def joined(left: Any, operator: ast.operator, right: Any) -> Any:
    """Two values put together."""
    match left, operator, right:
        case (dict(), ast.BitOr(), dict()):
            return {**left, **right}
        case (str(), ast.Add(), str()):
            return left + right
        case (list(), ast.Add(), list()):
            return [*left, *right]
        case (str(), ast.Mod(), _) if right is not UNKNOWN and not isinstance(right, dict):
            return _formatted(left, right)
        case (dict(), ast.BitOr(), _):
            return left
        case (_, ast.BitOr(), dict()):
            return right
        case _:
            return UNKNOWN


def _formatted(text: str, value: Any) -> Any:
    parts = tuple(cast("list[Any]", value)) if isinstance(value, list) else (value,)
    try:
        return text % parts if all(isinstance(part, str | int | float) for part in parts) else UNKNOWN
    except (TypeError, ValueError):
        return UNKNOWN


def item_of(value: Any, key: Any) -> Any:
    """An item of a list or dictionary."""
    try:
        return value[key] if isinstance(value, dict | list | str) else UNKNOWN
    except (KeyError, IndexError, TypeError):
        return UNKNOWN


def many(value: Any) -> list[Any] | None:
    """What a loop over a value goes through, None where that is unknown."""
    if isinstance(value, dict):
        return list(cast("dict[Any, Any]", value))
    return list(cast("list[Any]", value)) if isinstance(value, list) else None


_TEXT: Final = frozenset(
    {"format", "lower", "upper", "replace", "strip", "title", "removeprefix", "removesuffix", "capitalize"}
)


def method(value: Any, name: str) -> Callable[..., Any] | None:
    """A method of a plain value that is safe to call, and changes nothing but lists and dictionaries."""
    if isinstance(value, str) and name in _TEXT:
        return lambda *given: _text(value, name, given)
    if isinstance(value, dict):
        return _dict_method(cast("dict[Any, Any]", value), name)
    if isinstance(value, list):
        listed = cast("list[Any]", value)
        actions: Mapping[str, Callable[..., Any]] = {"append": listed.append, "extend": _extender(listed)}
        return actions.get(name)
    return None


def _text(value: str, name: str, given: tuple[Any, ...]) -> Any:
    if not all(isinstance(item, str | int) for item in given):
        return UNKNOWN
    try:
        return getattr(value, name)(*given)
    except (TypeError, ValueError, IndexError, KeyError):
        return UNKNOWN


def _dict_method(value: dict[Any, Any], name: str) -> Callable[..., Any] | None:
    actions: Mapping[str, Callable[..., Any]] = {
        "items": lambda: [[key, item] for key, item in value.items()],
        "keys": lambda: list(value),
        "values": lambda: list(value.values()),
        "copy": lambda: dict(value),
        "get": lambda key, other=None: value.get(key, other) if isinstance(key, str) else UNKNOWN,
        "update": lambda more=UNKNOWN, **named: value.update({**_table(more), **named}),
    }
    return actions.get(name)


def _table(value: Any) -> dict[Any, Any]:
    return cast("dict[Any, Any]", value) if isinstance(value, dict) else {}


def _extender(value: list[Any]) -> Callable[[Any], None]:
    return lambda more: value.extend(many(more) or [])
