"""The workflow document in memory: what is saved, edited, run, posted and embedded in pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

FORMAT: Final = "darkroom/1"

Mode = Literal["run", "mute", "bypass"]

SUBGRAPH: Final = "subgraph/"
"""What the type of an instance begins with; the id of its subgraph follows."""
INPUTS: Final = "@inputs"
OUTPUTS: Final = "@outputs"
"""Stand for the boundary of a subgraph: in links and in its layout. No node within one may be called so."""
REROUTE: Final = "Reroute"
PRIMITIVE: Final = "PrimitiveNode"
"""Types that every document knows: they hand on their input `value`, and are not there when it runs."""
VALUE: Final = "value"


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
class Boundary:
    """A named input or output of a subgraph. `link`: what an output gives; inputs have none.

    type: the names of what it takes or gives, "" where that is left to what it is linked with.
    """

    link: Link | None = None
    type: str = ""
    label: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Nodes under one name, which a node of the type `subgraph/ID` stands for.

    Inside, a link to the node `@inputs` gets what the instance has at the input of that name.
    """

    nodes: Mapping[str, Node]
    title: str = ""
    inputs: Mapping[str, Boundary] = field(default_factory=dict[str, Boundary])
    outputs: Mapping[str, Boundary] = field(default_factory=dict[str, Boundary])
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    groups: tuple[Any, ...] = ()
    notes: tuple[Any, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Workflow:
    """A saved workflow. The engine reads `nodes`, `subgraphs` and `ports`; the rest rides along unchanged."""

    nodes: Mapping[str, Node]
    ports: Mapping[str, Port] = field(default_factory=dict[str, Port])
    layout: Mapping[str, Any] = field(default_factory=dict[str, Any])
    groups: tuple[Any, ...] = ()
    notes: tuple[Any, ...] = ()
    lock: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    subgraphs: Mapping[str, Subgraph] = field(default_factory=dict[str, Subgraph])
    imported: bool = False
    """True for a document read from a foreign format: it gets leniency (conversions become warnings)."""
