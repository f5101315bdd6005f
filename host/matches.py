"""Files that may take the place of one a workflow names and nobody has here, the likeliest first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePosixPath
from typing import Final, Literal

from host.stand_ins import family_said

Why = Literal["hash", "name", "alike"]
MOST: Final = 5
_CANDIDATES: Final = 12
_LIKELY: Final = 60
_ORDER: Final[Mapping[str, int]] = {"hash": 0, "name": 1, "alike": 2}


@dataclass(frozen=True, slots=True)
class Match:
    """A file. why: its content is the same, its name is but for folder and spelling, or it is alike."""

    name: str
    why: Why
    likeness: float
    family: str | None = None


def matches(
    names: Sequence[str],
    missing: str,
    digest: str,
    digests: Mapping[str, str],
    family_of: Callable[[str], str | None],
) -> list[Match]:
    """The files that fit best. digest: of the missing one, or its beginning; digests: those known here."""
    alike = _most_alike(names, missing)
    same = [name for name in names if digest and digests.get(name, "").startswith(digest)]
    wanted = family_said(missing)
    found = [
        Match(name, _why(name, missing, same), _likeness(name, missing), family_of(name))
        for name in dict.fromkeys([*same, *alike])
    ]
    return sorted(found, key=lambda item: (_ORDER[item.why], item.family != wanted, -item.likeness))[:MOST]


def _why(name: str, missing: str, same: Sequence[str]) -> Why:
    if name in same:
        return "hash"
    return "name" if plain(name) == plain(missing) else "alike"


def _most_alike(names: Sequence[str], missing: str) -> list[str]:
    """Some names that are most alike, of thousands: most are told apart by their letters alone."""
    matcher = SequenceMatcher(None, "", plain(missing))

    def at_most(name: str) -> float:
        matcher.set_seq1(plain(name))
        return -matcher.quick_ratio()

    likely = sorted(names, key=at_most)[:_LIKELY]
    return sorted(likely, key=lambda name: -_likeness(name, missing))[:_CANDIDATES]


def _likeness(name: str, missing: str) -> float:
    return SequenceMatcher(None, plain(name), plain(missing)).ratio()


def plain(name: str) -> str:
    """A file's name without folder, ending, signs and capitals."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return "".join(letter for letter in stem.lower() if letter.isalnum())
