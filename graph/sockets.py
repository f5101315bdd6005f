"""Socket types: what a wire carries, and which output fits which input."""

from dataclasses import dataclass
from typing import Final

ANY_NAME: Final = "*"


@dataclass(frozen=True, slots=True)
class SocketType:
    """The type of an input or output.

    names: one name ("IMAGE"), several for a union, or ("*",) for any value.
    facts: refinements known of the value, sorted pairs such as (("family", "sdxl"),); absent means unknown.
    is_list: the wire carries a list of such values.
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
