"""One canvas of ComfyUI's editor format, read: its nodes with widgets named and links by output."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from compat.formats.arrangement import place_of, read_note
from compat.formats.instances import BOUNDARY, outer_link, shown_values
from compat.formats.litegraph import NOTES, Definition, RawGraph, RawNode, RawSlot
from compat.formats.ours import OURS, Ours, read_ours
from compat.formats.shape import mapping, text
from compat.formats.slots import output_name
from compat.formats.values import read_values
from compat.formats.widgets import CONTROLS
from graph.document import INPUTS, REROUTE, SUBGRAPH, VALUE, Link, Node
from graph.flat import VIRTUAL
from graph.formats import NodeTypes
from graph.spec import NodeSpec

LOOKS: Final = ("color", "bgcolor", "shape", "flags")
"""Keys of a node that are kept as they are."""
_CLASS_PROPERTY: Final = "Node name for S&R"


@dataclass(frozen=True, slots=True)
class Inner:
    """A subgraph as its instances need to know it: our id, its definition, our names of inputs and nodes."""

    id: str
    definition: Definition
    inputs: Sequence[str]
    outputs: Sequence[str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Canvas:
    """A canvas being read. names: our ids of its nodes. own: the subgraph it is the inside of.

    instances: the subgraphs of those nodes that are instances.
    """

    graph: RawGraph
    types: NodeTypes
    names: Mapping[str, str]
    instances: Mapping[str, Inner]
    own: Inner | None = None

    def link(self, id: str) -> Link | None:
        """Where a link of this canvas comes from, None for none that is there."""
        wire = self.graph.links.get(id)
        if wire is None:
            return None
        if self.own and wire.origin == self.own.definition.input_id:
            inputs = self.own.inputs
            return Link(INPUTS, inputs[wire.slot]) if 0 <= wire.slot < len(inputs) else None
        node = self.graph.nodes.get(wire.origin)
        if node is None or node.type in NOTES:
            return None
        return Link(self.names[node.id], self._output(node, wire.slot))

    def _output(self, node: RawNode, slot: int) -> str:
        if node.type in VIRTUAL:
            return VALUE
        inner = self.instances.get(node.id)
        if inner is None:
            return output_name(self.types.get(node.type), slot)
        return inner.outputs[slot] if 0 <= slot < len(inner.outputs) else f"output {slot}"


def our_names(graph: RawGraph) -> dict[str, str]:
    """Ids in our document: those of the file, or what our document that it was made from called the node."""
    wanted = {id: name for id, node in graph.nodes.items() if (name := read_ours(node.data).id)}
    taken, counts = {id for id in graph.nodes if id not in wanted}, dict[str, int]()
    for name in wanted.values():
        counts[name] = counts.get(name, 0) + 1
    kept = {id: name for id, name in wanted.items() if counts[name] == 1 and name not in taken}
    return {id: kept.get(id, id) for id in graph.nodes}


def read_nodes(canvas: Canvas) -> Iterator[tuple[str, Node]]:
    """The nodes of a canvas, notes left out, by our ids."""
    for id, raw in canvas.graph.nodes.items():
        if raw.type in NOTES:
            continue
        if inner := canvas.instances.get(id):
            yield canvas.names[id], _instance(canvas, raw, inner)
        else:
            yield canvas.names[id], _node(canvas, raw)


def read_layout(canvas: Canvas) -> Iterator[tuple[str, Any]]:
    """Where the nodes of a canvas lie."""
    for id, raw in canvas.graph.nodes.items():
        if raw.type not in NOTES:
            at, ours = place_of(raw.data), read_ours(raw.data).place
            place = ours.get("was") if ours and ours.get("is") == at else at
            if place:
                yield canvas.names[id], place


def read_notes(graph: RawGraph) -> Iterator[dict[str, Any]]:
    """The notes of a canvas."""
    return (read_note(node) for node in graph.nodes.values() if node.type in NOTES)


def _node(canvas: Canvas, raw: RawNode) -> Node:
    spec, ours = canvas.types.get(raw.type), read_ours(raw.data)
    wired = _wired_virtual(canvas, raw) if raw.type in VIRTUAL else _wired(canvas, raw, spec)
    inputs = {**wired.values, **wired.links, **ours.inputs}
    kept = {name: value for name, value in inputs.items() if not _left_out(name, value, ours)}
    extra = dict[str, Any]({**_node_extra(raw, spec, wired, ours), **ours.extra})
    return Node(ours.type or raw.type, _ordered(kept, spec), _title(raw, spec), raw.mode, extra)


def _instance(canvas: Canvas, raw: RawNode, inner: Inner) -> Node:
    ours, definition = read_ours(raw.data), inner.definition
    named = dict(zip((slot.name for slot in definition.inputs), inner.inputs, strict=True))
    values, links = dict[str, Any](), dict[str, Link]()
    for (id, name), value in shown_values(raw, definition).items():
        address = named.get(name) if id == BOUNDARY else f"{inner.names.get(id, id)}.{name}"
        if address and value is not None:
            values[address] = value
    for number, name in enumerate(inner.inputs):
        link = canvas.link(outer_link(raw, definition.inputs, number)) if name else None
        if link:
            links[name] = link
    wired = Wired(values, links, {}, ())
    inputs = {**values, **links, **ours.inputs}
    kept = {name: value for name, value in inputs.items() if not _left_out(name, value, ours)}
    ordered = {name: kept[name] for name in inner.inputs if name in kept} | kept
    title = text(raw.data.get("title"))
    usual = {slot.name: slot.label for slot in definition.inputs}
    extra = {**_extra(raw, usual, wired, ours, {}), **ours.extra}
    return Node(f"{SUBGRAPH}{inner.id}", ordered, "" if title == definition.name else title, raw.mode, extra)


@dataclass(frozen=True, slots=True)
class Wired:
    """A node's values and links by input. `unnamed` values could not be told apart."""

    values: Mapping[str, Any]
    links: Mapping[str, Link]
    controls: Mapping[str, str]
    unnamed: Sequence[Any]


def _wired(canvas: Canvas, raw: RawNode, spec: NodeSpec | None) -> Wired:
    read = read_values(raw, spec)
    links = {slot.name: link for slot in raw.inputs if (link := canvas.link(slot.link))}
    return Wired(read.values, links, read.controls, read.unnamed)


def _wired_virtual(canvas: Canvas, raw: RawNode) -> Wired:
    """A reroute hands on its link; a primitive its first value, after which stand its control and more."""
    link = canvas.link(raw.inputs[0].link) if raw.inputs else None
    links = {VALUE: link} if link else {}
    if raw.type == REROUTE:
        return Wired({}, links, {}, ())
    values = raw.values if isinstance(raw.values, list) else list(raw.values.values())
    control = next((value for value in values[1:] if value in CONTROLS), "")
    return Wired({VALUE: values[0]} if values else {}, links, {VALUE: control} if control else {}, values[1:])


def _ordered(inputs: Mapping[str, Any], spec: NodeSpec | None) -> dict[str, Any]:
    """The inputs in the order of the node type, then the rest."""
    known = {
        input.name: inputs[input.name] for input in (spec.inputs if spec else ()) if input.name in inputs
    }
    return {**known, **inputs}


def _left_out(name: str, value: Any, ours: Ours) -> bool:
    """Whether a value is a default that our document left out and nobody has changed since."""
    return name in ours.unset and repr(ours.unset[name]) == repr(value)


def _title(raw: RawNode, spec: NodeSpec | None) -> str:
    title = text(raw.data.get("title"))
    return "" if title in (raw.type, spec.title if spec else "") else title


def _node_extra(raw: RawNode, spec: NodeSpec | None, wired: Wired, ours: Ours) -> dict[str, Any]:
    words = {name: word for name, word in wired.controls.items() if not spec or word != CONTROLS[0]}
    found: dict[str, Any] = {"control": words}
    if raw.type in VIRTUAL:
        found["slots"] = {"outputs": _pairs(raw.outputs)}
        found["widgets_values"] = list(wired.unnamed)
    elif spec is None:
        found["slots"] = {
            "inputs": _pairs(slot for slot in raw.inputs if not slot.widget),
            "widgets": _pairs(slot for slot in raw.inputs if slot.widget),
            "outputs": _pairs(raw.outputs),
        }
        found["widgets_values"] = list(wired.unnamed)
    usual = {input.name: input.hint.label for input in (spec.inputs if spec else ())}
    return _extra(raw, usual, wired, ours, found)


def _pairs(slots: Iterator[RawSlot] | Sequence[RawSlot]) -> list[list[str]]:
    return [[slot.name, ",".join(slot.types)] for slot in slots]


def _extra(
    raw: RawNode, usual: Mapping[str, str], wired: Wired, ours: Ours, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What is kept of a node; usual: the labels that its inputs have of themselves."""
    properties = {
        key: value
        for key, value in mapping(raw.data.get("properties")).items()
        if key not in (_CLASS_PROPERTY, OURS)
    }
    found: dict[str, Any] = {
        "control": {},
        "hidden_values": {
            name: value
            for name, value in wired.values.items()
            if name in wired.links and value is not None and not _left_out(name, value, ours)
        },
        "properties": properties,
        **{key: raw.data[key] for key in LOOKS if key in raw.data},
        "labels": _labels(raw, usual),
        **more,
    }
    return {key: value for key, value in found.items() if value not in ({}, [], None, "")}


def _labels(raw: RawNode, usual: Mapping[str, str]) -> dict[str, Any]:
    """What a person renamed inputs and outputs to; outputs by number."""
    inputs = {
        slot.name: slot.label
        for slot in raw.inputs
        if slot.label and slot.label not in (slot.name, usual.get(slot.name))
    }
    outputs = {str(number): slot.label for number, slot in enumerate(raw.outputs) if slot.label}
    found = {"inputs": inputs, "outputs": outputs}
    return {side: labels for side, labels in found.items() if labels}
