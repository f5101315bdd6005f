"""Socket types: what a wire carries, and which output fits which input."""

from dataclasses import dataclass, replace
from typing import Final

ANY_NAME: Final = "*"

WIDENS: Final = {"INT": ("FLOAT",), "STRING": ("COMBO",), "COMBO": ("STRING",)}
"""Names that also fit another: a whole number is a fraction, and a choice is a text."""


@dataclass(frozen=True, slots=True)
class SocketType:
    """The type of an input or output.

    names: one name ("IMAGE"), several for a union, or ("*",) for any value.
    facts: refinements known of the value, sorted pairs such as (("family", "sdxl"),); absent means unknown.
    is_list: the input takes, or the output gives, a list of such values. Plain and list ends fit each other:
    the engine runs a node once an item, or hands it the whole list.
    """

    names: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    is_list: bool = False

    def __str__(self) -> str:
        text = "|".join(self.names)
        if self.facts:
            text += "<" + ", ".join(f"{key} {value}" for key, value in self.facts) + ">"
        return f"list of {text}" if self.is_list else text


ANY: Final = SocketType((ANY_NAME,))


@dataclass(frozen=True, slots=True)
class Socket:
    """Marks a Python type with its socket name: `Image = Annotated[Tensor, Socket("IMAGE")]`."""

    name: str
    facts: tuple[tuple[str, str], ...] = ()


def socket_type(text: str, facts: tuple[tuple[str, str], ...] = (), is_list: bool = False) -> SocketType:
    """The socket type of a name, or of several joined by commas or bars: "IMAGE", "IMAGE,MASK", "*"."""
    names = tuple(dict.fromkeys(name.strip() for name in text.replace("|", ",").split(",") if name.strip()))
    if not names or ANY_NAME in names:
        names = (ANY_NAME,)
    return SocketType(names, tuple(sorted(facts)), is_list)


def union(types: tuple[SocketType, ...]) -> SocketType:
    """A type that takes what any of `types` takes; facts are kept where all agree."""
    names = tuple(dict.fromkeys(name for kind in types for name in kind.names))
    shared = (
        set(types[0].facts).intersection(*(kind.facts for kind in types)) if types else set[tuple[str, str]]()
    )
    names = (ANY_NAME,) if ANY_NAME in names or not names else names
    return SocketType(names, tuple(sorted(shared)), any(kind.is_list for kind in types))


def as_list(kind: SocketType) -> SocketType:
    """The list form of a type."""
    return replace(kind, is_list=True)


def accepts(wanted: SocketType, given: SocketType) -> bool:
    """Whether a value of type `given` may flow into an input of type `wanted`, by names and known facts."""
    return names_fit(wanted, given) and not conflicts(wanted.facts, given.facts)


def names_fit(wanted: SocketType, given: SocketType) -> bool:
    """Whether the names of two types meet; facts are not looked at."""
    if wanted.names == given.names or ANY_NAME in wanted.names or ANY_NAME in given.names:
        return True
    return any(name in wanted.names or _widens(name, wanted.names) for name in given.names)


def _widens(name: str, wanted: tuple[str, ...]) -> bool:
    return any(wider in wanted for wider in WIDENS.get(name, ()))


def conflicts(
    wanted: tuple[tuple[str, str], ...], given: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str, str], ...]:
    """Facts known on both sides that differ, as (fact, wanted, given)."""
    known = dict(given)
    return tuple((key, value, known[key]) for key, value in wanted if known.get(key, value) != value)
