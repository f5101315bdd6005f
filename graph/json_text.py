"""JSON, read with suspicion: whatever the bytes are, the answer is a value or a sentence."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NoReturn, cast

from graph.problems import Problem, WorkflowError

LARGEST: Final = 64 * 1024 * 1024
DEEPEST: Final = 64
LONGEST_NUMBER: Final = 40


def read_json(data: str | bytes | Mapping[str, Any]) -> Any:
    """The value of a JSON text, or of an already read object, checked to be plain and finite JSON.

    Raises WorkflowError with one sentence for anything else: empty, too large, not UTF-8, not JSON, nested
    too deeply, a key given twice, NaN or an infinite or overlong number, half a character.
    """
    value = _parsed(_text(data)) if isinstance(data, str | bytes) else data
    if complaint := _complaint(value):
        _refuse("unreadable", complaint)
    return value


def _refuse(code: str, message: str, fix: str = "") -> NoReturn:
    raise WorkflowError([Problem(code, message, fix=fix)])


def _text(data: str | bytes) -> str:
    if len(data) > LARGEST:
        _refuse(
            "too_large",
            f"The workflow is larger than {LARGEST // 2**20} MB.",
        )
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse("not_json", f"This is no workflow: it is not text (byte {error.start} is not UTF-8).")
    if not text.strip():
        _refuse("empty", "The workflow is empty.")
    return text.removeprefix("\ufeff")


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_whole, parse_float=_fraction
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        _refuse(
            "not_json", f"This is no workflow: it is not JSON ({error.msg.removesuffix(' at')} at {place})."
        )
    except RecursionError:
        _refuse("unreadable", f"The workflow nests values more than {DEEPEST} deep.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        _refuse(
            "duplicate_key", f"The name {json.dumps(twice[:80])} is given twice in one object.", "Keep one."
        )
    return found


def _constant(name: str) -> NoReturn:
    _refuse("not_a_number", f"The workflow holds {name}, which is not a number.", "Write a finite number.")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        _refuse(
            "huge_number", f"The workflow holds a number of {len(digits)} digits.", "Write a smaller number."
        )
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        _refuse(
            "huge_number", f"The workflow holds {digits[:40]}, which is too large.", "Write a smaller number."
        )
    return number


def _complaint(top: Any) -> str:
    """What makes a value no plain JSON, or "". Walks level by level, so depth is counted, not recursed."""
    level, depth = [top], 0
    while level:
        if depth > DEEPEST:
            return f"The workflow nests values more than {DEEPEST} deep."
        inner = list[Any]()
        for value in level:
            kind = cast(type[object], type(value))
            if kind is str:
                if not value.isascii() and _broken(value):
                    return f"The workflow holds half a character in {json.dumps(value[:40])}."
            elif kind is dict:
                if complaint := _bad_key(value):
                    return complaint
                inner.extend(value.values())
            elif kind is list:
                inner.extend(value)
            elif complaint := _odd(value, inner):
                return complaint
        level, depth = inner, depth + 1
    return ""


def _odd(value: Any, inner: list[Any]) -> str:
    """For values that are neither text nor plain containers; a tuple or mapping adds its items to `inner`."""
    match value:
        case None | bool():
            return ""
        case int():
            return "The workflow holds a number that is too large." if _is_overlong(value) else ""
        case float():
            return (
                "" if math.isfinite(value) else f"The workflow holds {value}, which is not a finite number."
            )
        case tuple():
            inner.extend(cast(tuple[Any, ...], value))
        case Mapping():
            inner.extend(cast(Mapping[Any, Any], value).values())
            return _bad_key(cast(Mapping[Any, Any], value))
        case _:
            return f"The workflow holds a {type(value).__name__}, which JSON cannot hold."
    return ""


def _is_overlong(value: int) -> bool:
    """Whether its digits are too many to be read back; far too long ones are told without writing them."""
    return value.bit_length() > 4 * LONGEST_NUMBER or len(str(value)) > LONGEST_NUMBER


def _bad_key(value: Mapping[Any, Any]) -> str:
    for key in value:
        if not isinstance(key, str):
            return f"The workflow uses a {type(key).__name__} where a name must stand."
        if not key.isascii() and _broken(key):
            return f"The workflow holds half a character in the name {json.dumps(key[:40])}."
    return ""


def _broken(text: str) -> bool:
    """Whether a text holds a lone surrogate, which no file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
