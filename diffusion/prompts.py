"""Prompt syntax: which words weigh how much."""

import re
from typing import Any, Final

_OPEN: Final = "\1"
_CLOSE: Final = "\2"


def weighted_parts(text: str) -> list[tuple[str, float]]:
    """A prompt as (words, weight) parts, in the field's way.

    (a) weighs 1.1 times its surroundings, (a:1.3) weighs 1.3 whatever surrounds it, brackets nest, "\\("
    and "\\)" are brackets in the text; square brackets mean nothing.
    """
    hidden = text.replace("\\)", _CLOSE).replace("\\(", _OPEN)
    return [
        (words.replace(_CLOSE, ")").replace(_OPEN, "("), weight) for words, weight in bracketed_parts(hidden)
    ]


def bracketed_parts(text: str, weight: float = 1.0) -> list[tuple[str, float]]:
    """The same of a text in which each bracket counts, with the weight of its surroundings."""
    parts: list[tuple[str, float]] = []
    waiting = [(text, weight, False)]
    while waiting:
        piece, weight, whole = waiting.pop()
        if whole and not _is_group(piece):
            parts.append((piece, weight))
            continue
        if whole:
            piece, weight = _group(piece, weight)
        waiting += [(item, weight, True) for item in reversed(outer_groups(piece))]
    return parts


def _is_group(piece: str) -> bool:
    return len(piece) >= 2 and piece[0] == "(" and piece[-1] == ")"


def _group(piece: str, weight: float) -> tuple[str, float]:
    inner = piece[1:-1]
    words, colon, number = inner.rpartition(":")
    if colon and words:
        try:
            return words, float(number)
        except ValueError:
            pass
    return inner, weight * 1.1


def outer_groups(text: str) -> list[str]:
    """The text cut before each outermost "(" and after its ")"."""
    items, start, depth = [], 0, 0
    for match in re.finditer(r"[()]", text):
        at = match.start()
        if text[at] == "(":
            if depth == 0:
                items.append(text[start:at])
                start = at
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                items.append(text[start : at + 1])
                start = at + 1
    items.append(text[start:])
    return [item for item in items if item]


BREAK: Final = "BREAK"
_MARKS: Final = re.compile(r"\\[()\[\]\\]|[(\[\])]|:\s*[+-]?[.\d]+\s*\)|\bBREAK\b")


def a1111_parts(text: str) -> list[tuple[str, float]]:
    """A prompt as (words, weight) parts, in the way of AUTOMATIC1111's web UI.

    (a) weighs 1.1 times and [a] 1/1.1 times its surroundings, (a:1.3) 1.3 times; what is left open ends
    with the prompt; BREAK is a part of its own and begins a new chunk.
    """
    parts: list[list[Any]] = []
    opened: list[tuple[str, int]] = []
    at = 0
    for mark in _MARKS.finditer(text):
        _words(parts, text[at : mark.start()])
        at = mark.end()
        _mark(parts, opened, mark[0])
    _words(parts, text[at:])
    for bracket, start in opened:
        _scale(parts, start, 1.1 if bracket == "(" else 1 / 1.1)
    return _joined(parts)


def _words(parts: list[list[Any]], words: str) -> None:
    if words:
        parts.append([words, 1.0])


def _mark(parts: list[list[Any]], opened: list[tuple[str, int]], mark: str) -> None:
    if mark[0] == "\\":
        parts.append([mark[1], 1.0])
    elif mark in ("(", "["):
        opened.append((mark, len(parts)))
    elif mark == BREAK:
        parts.append([BREAK, 0.0])
    else:
        wanted = "[" if mark == "]" else "("
        number = mark[1:-1].strip() if mark[0] == ":" else ""
        if opened and opened[-1][0] == wanted:
            _, start = opened.pop()
            _scale(parts, start, _number(number) or (1.1 if wanted == "(" else 1 / 1.1))
        else:
            parts.append([mark, 1.0])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _scale(parts: list[list[Any]], start: int, factor: float) -> None:
    for part in parts[start:]:
        part[1] *= factor


def _joined(parts: list[list[Any]]) -> list[tuple[str, float]]:
    joined: list[tuple[str, float]] = []
    for words, weight in parts:
        if joined and joined[-1][1] == weight and BREAK not in (words, joined[-1][0]):
            joined[-1] = (joined[-1][0] + words, weight)
        else:
            joined.append((words, weight))
    return joined
