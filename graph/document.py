"""The workflow document in memory: what is saved, edited, run, posted and embedded in pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

FORMAT: Final = "darkroom/1"

Mode = Literal["run", "mute", "bypass"]


@dataclass(frozen=True, slots=True)
class Link:
    """A wire's far end: the node and the name of its output. In JSON: {"link": [node, output]}."""

    node: str
    output: str


@dataclass(frozen=True, slots=True)
class Node:
    """One box of a workflow. `inputs` holds literals (JSON values) and Links by input name."""

    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    title: str = ""
    mode: Mode = "run"
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output of the whole workflow, at one node's input or output."""

    node: str
    input: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Workflow:
    """A saved workflow. The engine reads `nodes` and `ports`; the rest rides along unchanged."""

    nodes: Mapping[str, Node]
    ports: Mapping[str, Port] = field(default_factory=dict[str, Port])
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    groups: tuple[Any, ...] = ()
    notes: tuple[Any, ...] = ()
    lock: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    imported: bool = False
    """True for a document read from a foreign format: it gets leniency (conversions become warnings)."""
