"""Muted and bypassed nodes taken out as ComfyUI's front end does when it writes the API format."""

from dataclasses import dataclass, field

from compat.formats.slots import output_slot
from compat.formats.widgets import socket_order
from graph.bypass import Names, bypass_input
from graph.document import Link, Node, Workflow
from graph.formats import NodeTypes
from graph.sockets import ANY_NAME
from graph.spec import NodeSpec

_ANY: Names = (ANY_NAME,)


@dataclass(frozen=True, slots=True)
class Slots:
    """A node's inputs and outputs by number, as names and the names of their types."""

    inputs: tuple[str, ...] = ()
    input_types: tuple[Names, ...] = ()
    output_types: tuple[Names, ...] = ()
    links: frozenset[str] = field(default_factory=frozenset[str])


def slots_of(node: Node, spec: NodeSpec | None) -> Slots:
    """The slots of a node; of an unknown type those that are linked, in the order they are written."""
    if spec is None:
        names = tuple(name for name, value in node.inputs.items() if isinstance(value, Link))
        return Slots(names, (_ANY,) * len(names))
    inputs = socket_order(spec)
    return Slots(
        tuple(input.name for input in inputs),
        tuple(input.type.names for input in inputs),
        tuple(output.type.names for output in spec.outputs),
    )


def true_source(workflow: Workflow, types: NodeTypes, link: Link, wanted: Names) -> Link | None:
    """Where a link really comes from once bypassed nodes are passed by; None when it ends at nothing."""
    seen = set[Link]()
    while link not in seen:
        seen.add(link)
        node = workflow.nodes.get(link.node)
        if node is None or node.mode != "bypass":
            return link
        following = _before(node, types.get(node.type), link, wanted)
        if following is None:
            return None
        link = following
    return None


def _before(node: Node, spec: NodeSpec | None, link: Link, wanted: Names) -> Link | None:
    slots = slots_of(node, spec)
    slot = output_slot(spec, link.output)
    index = bypass_input(slots.input_types, slots.output_types, -1 if slot is None else slot, wanted)
    before = None if index is None else node.inputs.get(slots.inputs[index])
    return before if isinstance(before, Link) else None
