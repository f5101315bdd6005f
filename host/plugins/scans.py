"""What a look at a pack's text says of each of its nodes, before it is installed."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """A node of a pack. why: what keeps it from working here, nothing where it will work."""

    node: str
    file: str
    why: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether it will work, as far as its text tells."""
        return not self.why

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "works": self.works}


@dataclass(frozen=True, slots=True)
class Scan:
    """All nodes of a pack. why: what keeps the whole pack from loading. unread: files that are no Python."""

    nodes: tuple[Verdict, ...]
    why: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
