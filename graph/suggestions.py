"""The nearest fix: which known name a wrong one was probably meant to be."""

import difflib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, cast

LONGEST_WORD: Final = 120
SHOWN: Final = 60


def nearest(word: str, options: Iterable[str], count: int = 1) -> list[str]:
    """The options most like `word`, best first; empty when none is like it."""
    return list(_nearest(word[:LONGEST_WORD], tuple(dict.fromkeys(options)), count))


@lru_cache(maxsize=256)
def _nearest(word: str, known: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Large workflows repeat a mistake; the comparison is the slow part of telling it."""
    wanted = word.casefold()
    by_form = {option[:LONGEST_WORD].casefold(): option for option in reversed(known)}
    close = difflib.get_close_matches(wanted, _alike(wanted, by_form), n=count, cutoff=0.55)
    return tuple(by_form[form] for form in close)


def _alike(wanted: str, forms: Iterable[str]) -> list[str]:
    """Forms of about the same length: the only ones worth the slow comparison."""
    low, high = len(wanted) * 0.35, len(wanted) * 2.7 + 1
    return [form for form in forms if low <= len(form) <= high]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A sentence that offers the nearest option, or lists the options when they are few, or ""."""
    known = list(options)
    if found := nearest(word, known):
        return f"Did you mean {found[0]}?"
    return f"There {'is' if len(known) == 1 else 'are'} {listed(known)}." if 0 < len(known) <= 12 else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Words joined for a sentence, shortened after `most`: "a, b and c"."""
    known = list(words)
    if len(known) > most:
        return ", ".join(known[:most]) + f" and {len(known) - most} more"
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))


def shown(value: object) -> str:
    """A value as a person would write it in a workflow, cut to a readable length; never fails."""
    match value:
        case int() if value.bit_length() > 256:
            return f"a number of {value.bit_length()} bits"
        case list() if value:
            return f"a list of {len(cast(list[Any], value))}"
        case dict() if value:
            return f"an object of {len(cast(dict[Any, Any], value))}"
        case _:
            text = _plain(value)
            return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _plain(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__}"
