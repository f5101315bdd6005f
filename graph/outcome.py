"""What a node may return beyond plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.document import Link, Node


@dataclass(frozen=True, slots=True)
class Blocker:
    """A value that stops what depends on it; with a message the user is told, without it stops silently."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A node's result with more than values.

    values: one an output; a `Link` points into `expand`. expand: nodes to run in its place, by local id.
    ui: what a person sees, by kind: {"images": [{"filename", "subfolder", "type"}], "text": [...]}.
    """

    values: tuple[Any | Link, ...] = ()
    ui: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    expand: Mapping[str, Node] = field(default_factory=dict[str, Node])
