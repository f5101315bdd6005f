"""Prompts that change while a picture is made: `[a:b:0.5]` and `[a|b]`, read into spans of steps."""

from dataclasses import dataclass
from typing import Final

DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Change:
    """`[before:after:when]`: when is a step, or with a point in it a share of all steps."""

    before: "list[str | Change | Turns]"
    after: "list[str | Change | Turns]"
    when: float
    share: bool


@dataclass(frozen=True, slots=True)
class Turns:
    """`[a|b|c]`: one after another, a step each."""

    options: "list[list[str | Change | Turns]]"


Parts = list[str | Change | Turns]


def spans(text: str, steps: int) -> list[tuple[float, float, str]]:
    """The prompts of a text with times, as (start, end, prompt), from 0 to 1 without gaps.

    Steps with the same prompt are one span. Brackets that are no change stay as they are.
    """
    parts = parse(text)
    told = [_at(parts, step, steps) for step in range(steps)]
    starts = [step for step in range(steps) if step == 0 or told[step] != told[step - 1]]
    ends = [*starts[1:], steps]
    return [
        (_border(start, steps), _border(end, steps), told[start])
        for start, end in zip(starts, ends, strict=True)
    ]


def _border(step: int, steps: int) -> float:
    """A share of the schedule between the step before and this one.

    Even schedules put step n at n / steps or at n / (steps - 1); halfway between the latest place of the one
    and the earliest of the other both fall on the right side.
    """
    if step in (0, steps):
        return step / steps
    return ((step - 1) / (steps - 1) + step / steps) / 2


def _at(parts: Parts, step: int, steps: int) -> str:
    return "".join(_said(part, step, steps) for part in parts)


def _said(part: str | Change | Turns, step: int, steps: int) -> str:
    match part:
        case str():
            return part
        case Change(before, after, when, share):
            border = round(when * steps) if share else int(when)
            return _at(before if step < border else after, step, steps)
        case Turns(options):
            return _at(options[step % len(options)], step, steps)


def parse(text: str, depth: int = DEEPEST) -> Parts:
    """A text as plain parts, changes and turns; an outermost bracket is read from the inside on."""
    parts, plain, at = Parts(), "", 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            plain, at = plain + text[at : at + 2], at + 2
            continue
        end = _closing(text, at) if text[at] == "[" and depth else None
        read = None if end is None else _bracket(text[at + 1 : end], depth - 1)
        if end is None or read is None:
            plain, at = plain + text[at], at + 1
            continue
        parts += [*([plain] if plain else []), read]
        plain, at = "", end + 1
    return [*parts, *([plain] if plain else [])]


def _closing(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` closes."""
    level, at = 0, start
    while at < len(text):
        level += {"[": 1, "]": -1}.get(text[at], 0)
        if level == 0:
            return at
        at += 2 if text[at] == "\\" else 1
    return None


def _bracket(inside: str, depth: int) -> Change | Turns | None:
    """What the inside of a bracket says, or None when it is no change."""
    options = _split(inside, "|")
    if len(options) > 1:
        return Turns([parse(option, depth) for option in options])
    fields = _split(inside, ":")
    if len(fields) not in (2, 3) or (when := _number(fields[-1])) is None:
        return None
    before, after = (fields[0], fields[1]) if len(fields) == 3 else ("", fields[0])
    return Change(parse(before, depth), parse(after, depth), when, "." in fields[-1] or when == 0)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e6 else None


def _split(text: str, mark: str) -> list[str]:
    """A text split where a mark stands outside of brackets."""
    fields, level, at = [""], 0, 0
    while at < len(text):
        piece = text[at : at + 2] if text[at] == "\\" else text[at]
        level += {"[": 1, "(": 1, "]": -1, ")": -1}.get(piece, 0)
        if piece == mark and level == 0:
            fields.append("")
        else:
            fields[-1] += piece
        at += len(piece)
    return fields
