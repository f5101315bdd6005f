"""Literal values: what an input's written value means to a node, and what is wrong with it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from graph.problems import Repair
from graph.sockets import ANY_NAME
from graph.spec import Choice, FileChoice, Input, Number
from graph.suggestions import did_you_mean, nearest, shown

_LARGEST_EXPONENT: Final = 1023


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a value: `message` goes on from "input steps: "; a warning does not stop a run.

    repair: the fix for programs, where one can make it.
    """

    code: str
    message: str
    fix: str = ""
    warning: bool = False
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Literal:
    """A written value as the node gets it, and its faults. With an error among them `value` is as written."""

    value: Any
    faults: tuple[Fault, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether a fault stops the run."""
        return any(not fault.warning for fault in self.faults)


Reader = Callable[[Any, bool], Literal]


def resolved_value(input: Input, raw: Any, lenient: bool = False) -> Any:
    """The value a node gets for a literal: 3.0 is 3 to an INT; lenient converts as the field's engine does.

    The one truth on conversion, for checking and for running.
    """
    return read_literal(input, raw, lenient).value


def read_literal(input: Input, raw: Any, lenient: bool = False) -> Literal:
    """A literal checked against its input: type, bounds, step and choices. Files are looked up elsewhere.

    A list for an input of a list type is checked item by item. lenient: conversions the field's engine makes
    silently are made, and become warnings.
    """
    if raw is None and not input.required:
        return Literal(None)
    if input.type.is_list and isinstance(raw, list):
        return _items(input, cast(list[Any], raw), lenient)
    return _one(input, raw, lenient)


def _items(input: Input, raw: list[Any], lenient: bool) -> Literal:
    read = [_one(input, item, lenient) for item in raw]
    faults = (replace(fault, repair=None) for item in read for fault in item.faults)
    return Literal([item.value for item in read], tuple(dict.fromkeys(faults)))


def _one(input: Input, raw: Any, lenient: bool) -> Literal:
    unchecked = bool(input.extra.get("unchecked"))
    match input.widget:
        case Choice(options=options):
            return Literal(raw) if unchecked else _choice(options, raw, lenient)
        case FileChoice():
            return _file(raw)
        case widget:
            read = _with_fix(input, _typed(input, raw, lenient))
            if read.wrong or unchecked or not isinstance(widget, Number) or isinstance(read.value, bool):
                return read
            return Literal(read.value, read.faults + _number_faults(input, widget, read.value, lenient))


def _with_fix(input: Input, read: Literal) -> Literal:
    """A value nothing can be made of is answered with the numbers that may stand in its place."""
    if not isinstance(input.widget, Number) or not any(name in ("INT", "FLOAT") for name in input.type.names):
        return read
    fix = _allowed(input, input.widget)
    return Literal(read.value, tuple(replace(item, fix=item.fix or fix) for item in read.faults))


def _allowed(input: Input, number: Number) -> str:
    bounds = (("from", number.minimum), ("to", number.maximum))
    words = [f" {word} {_written(input, bound)}" for word, bound in bounds if bound is not None]
    return f"Write a {'' if 'FLOAT' in input.type.names else 'whole '}number{''.join(words)}."


def _typed(input: Input, raw: Any, lenient: bool) -> Literal:
    names = input.type.names
    if isinstance(raw, float) and not math.isfinite(raw):
        return _wrong(raw, "not_finite", f"{raw} is not a finite number.", "Write a finite number.")
    if ANY_NAME in names or not any(name in _READERS for name in names):
        return Literal(raw)
    readings = [_READERS[name](raw, lenient) for name in names if name in _READERS]
    return min(readings, key=_badness)


def _badness(read: Literal) -> int:
    return sum(1 if fault.warning else 100 for fault in read.faults)


def _wrong(raw: Any, code: str, message: str, fix: str = "", repair: Repair | None = None) -> Literal:
    return Literal(raw, (Fault(code, message, fix, repair=repair),))


def _mistyped(raw: Any, wanted: str, fix: str, meant: Any = None) -> Literal:
    repair = None if meant is None else Repair("set", meant, safe=True)
    return _wrong(raw, "wrong_type", f"takes {wanted}, not {shown(raw)}.", fix, repair)


def _converted(raw: Any, value: Any, wanted: str) -> Literal:
    message = f"takes {wanted}, not {shown(raw)}; {shown(value)} is used."
    repair = Repair("set", value, safe=True)
    return Literal(value, (Fault("converted", message, f"Write {shown(value)}.", True, repair),))


def _whole(raw: Any, lenient: bool) -> Literal:
    wanted = "a whole number"
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Literal(raw)
    if isinstance(raw, float) and raw.is_integer():
        return Literal(int(raw))
    if lenient and isinstance(raw, str | float | bool):
        try:
            return _converted(raw, int(raw), wanted)
        except ValueError:
            pass
    return _mistyped(raw, wanted, _number_fix(raw, whole=True), _number_meant(raw, whole=True))


def _fraction(raw: Any, lenient: bool) -> Literal:
    wanted = "a number"
    if isinstance(raw, float):
        return Literal(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        if raw.bit_length() > _LARGEST_EXPONENT:
            return _wrong(raw, "too_large", f"{shown(raw)} is too large.", "Write a smaller number.")
        return Literal(float(raw))
    if lenient and isinstance(raw, str | bool):
        try:
            number = float(raw)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return _converted(raw, number, wanted)
    return _mistyped(raw, wanted, _number_fix(raw, whole=False), _number_meant(raw, whole=False))


def _number_fix(raw: Any, whole: bool) -> str:
    """What number a value that is none was likely meant to be."""
    if (meant := _number_meant(raw, whole)) is not None:
        return f"Write {meant}."
    number = _number_in(raw)
    return f"Use {math.floor(number)} or {math.ceil(number)}." if math.isfinite(number) else ""


def _number_meant(raw: Any, whole: bool) -> float | None:
    """The one number that a value stands for, such as 7 for "7"; a whole number does not stand for 7.5."""
    number = _number_in(raw)
    if not math.isfinite(number) or (whole and not number.is_integer()):
        return None
    return int(number) if whole else number


def _number_in(raw: Any) -> float:
    try:
        return float(raw) if isinstance(raw, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _text(raw: Any, lenient: bool) -> Literal:
    if isinstance(raw, str):
        return Literal(raw)
    if lenient:
        return _converted(raw, _as_text(raw), "text")
    if not isinstance(raw, bool | int | float):
        return _mistyped(raw, "text", "")
    return _mistyped(raw, "text", f"Write {shown(_as_text(raw))}, in quotes.", _as_text(raw))


def _as_text(raw: Any) -> str:
    try:
        return str(raw)
    except (ValueError, RecursionError):
        return shown(raw)


def _flag(raw: Any, lenient: bool) -> Literal:
    if isinstance(raw, bool):
        return Literal(raw)
    if lenient:
        return _converted(raw, bool(raw), "true or false")
    meant = _MEANT.get(raw.strip().casefold()) if isinstance(raw, str) else _MEANT.get(shown(raw))
    quotes = ", without quotes" if isinstance(raw, str) else ""
    fix = f"Write {meant}{quotes}." if meant else "Write true or false."
    return _mistyped(raw, "true or false", fix, meant and meant == "true")


_MEANT: Final = {
    "true": "true",
    "yes": "true",
    "on": "true",
    "1": "true",
    "1.0": "true",
    "false": "false",
    "no": "false",
    "off": "false",
    "0": "false",
    "0.0": "false",
}
_READERS: Final[Mapping[str, Reader]] = {"INT": _whole, "FLOAT": _fraction, "STRING": _text, "BOOLEAN": _flag}


def _choice(options: tuple[Any, ...], raw: Any, lenient: bool) -> Literal:
    for option in options:
        if option == raw and (lenient or type(option) is type(raw)):
            return Literal(option)
    if not options:
        return _wrong(
            raw, "unknown_choice", f"{shown(raw)} cannot be chosen: there is nothing to choose from."
        )
    names = [option if isinstance(option, str) else shown(option) for option in options]
    word = raw if isinstance(raw, str) else shown(raw)
    message = f"{shown(raw)} is not among its {len(options)} choices."
    return _wrong(
        raw, "unknown_choice", message, did_you_mean(word, names), _nearest_choice(word, options, names)
    )


def _nearest_choice(word: str, options: tuple[Any, ...], names: list[str]) -> Repair | None:
    found = nearest(word, names)
    return Repair("set", options[names.index(found[0])]) if found else None


def _file(raw: Any) -> Literal:
    """A file's name, with the one separator that names are listed with."""
    return (
        Literal(raw.replace("\\", "/")) if isinstance(raw, str) else _mistyped(raw, "the name of a file", "")
    )


def _number_faults(input: Input, number: Number, value: Any, lenient: bool) -> tuple[Fault, ...]:
    if not isinstance(value, int | float):
        return ()
    if number.minimum is not None and value < number.minimum:
        least = _written(input, number.minimum)
        message = f"{shown(value)} is below its minimum {least}."
        return (Fault("too_small", message, f"Use {least} or more.", repair=_bound(input, number.minimum)),)
    if number.maximum is not None and value > number.maximum:
        most = _written(input, number.maximum)
        message = f"{shown(value)} is above its maximum {most}."
        return (Fault("too_large", message, f"Use {most} or less.", repair=_bound(input, number.maximum)),)
    return _step_faults(number, value, lenient) if isinstance(value, int) else ()


def _bound(input: Input, bound: float) -> Repair:
    """The bound in place of a value beyond it."""
    return Repair("set", float(bound) if "FLOAT" in input.type.names else int(bound), safe=True)


def _written(input: Input, bound: float) -> str:
    """A bound as it reads best: no ".0" for whole ones, and no exponent for the largest seeds."""
    return str(int(bound)) if float(bound).is_integer() and "FLOAT" not in input.type.names else f"{bound:g}"


def _step_faults(number: Number, value: int, lenient: bool) -> tuple[Fault, ...]:
    """Whole numbers go in steps from the minimum where the step is above 1 (sizes); fractions are free."""
    step = int(number.step or 1)
    start = int(number.minimum or 0)
    if step <= 1 or step != number.step or (value - start) % step == 0:
        return ()
    below = value - (value - start) % step
    near = [item for item in (below, below + step) if number.maximum is None or item <= number.maximum]
    message = (
        f"{shown(value)} is not {start} plus a multiple of {step}."
        if start % step
        else (f"{shown(value)} is not a multiple of {step}.")
    )
    repair = Repair("set", min(near, key=lambda item: abs(item - value)), safe=True)
    return (Fault("off_step", message, f"Use {' or '.join(map(str, near))}.", lenient, repair),)
