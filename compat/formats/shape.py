"""Foreign JSON, taken for what it ought to be: anything else counts as absent."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard, cast

LARGEST_PLACE: Final = 1e9


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """The value if it is a whole number, else None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identity(value: object) -> str:
    """The id of a node or link, which may be a whole number or a text, as a text; else an empty one."""
    number = whole(value)
    return text(value) if number is None else str(number)


def numbers(value: object, count: int) -> list[float]:
    """The first `count` of a list of numbers, or of an object `{"0": x, "1": y}`; else nothing."""
    items = sequence(value)[:count] or [mapping(value).get(str(index)) for index in range(count)]
    fine = [item for item in items if is_number(item)]
    return fine if len(fine) == count else []


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number of a size that a place on a canvas may have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_PLACE


def kind(value: object) -> str:
    """What a JSON value is, for sentences."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
