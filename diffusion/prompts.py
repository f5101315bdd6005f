"""Prompt syntax: which words weigh how much."""

import re
from typing import Final

_OPEN: Final = "\1"
_CLOSE: Final = "\2"


def weighted_parts(text: str) -> list[tuple[str, float]]:
    """A prompt as (words, weight) parts, in the field's way.

    (a) weighs 1.1 times its surroundings, (a:1.3) weighs 1.3 whatever surrounds it, brackets nest, "\\("
    and "\\)" are brackets in the text; square brackets mean nothing.
    """
    hidden = text.replace("\\)", _CLOSE).replace("\\(", _OPEN)
    parts: list[tuple[str, float]] = []
    waiting = [(hidden, 1.0, False)]
    while waiting:
        piece, weight, whole = waiting.pop()
        if whole and not _is_group(piece):
            parts.append((piece.replace(_CLOSE, ")").replace(_OPEN, "("), weight))
            continue
        if whole:
            piece, weight = _group(piece, weight)
        waiting += [(item, weight, True) for item in reversed(_outer_groups(piece))]
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


def _outer_groups(text: str) -> list[str]:
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
