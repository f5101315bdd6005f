"""ComfyUI's editor format, read: widgets named, reroutes and primitives resolved, subgraphs flattened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from compat.formats.arrangement import Box, place_of, read_group, read_note, shifted
from compat.formats.expand import Scope, expand, trace
from compat.formats.group_nodes import GroupNodes
from compat.formats.litegraph import (
    NOTES,
    PRIMITIVE,
    REROUTE,
    Definition,
    RawGraph,
    RawNode,
    RawSlot,
    parse_definitions,
    parse_graph,
)
from compat.formats.ours import OURS, Ours, read_ours, read_ports
from compat.formats.shape import mapping, text
from compat.formats.slots import output_name
from compat.formats.values import read_values
from compat.formats.widgets import CONTROLS, has_widget
from graph.document import Link, Node, Workflow
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from graph.spec import MISSING, NodeSpec

VIRTUAL: Final = (REROUTE, PRIMITIVE, *NOTES)
"""Node types that only the front end knows."""

_CANVAS: Final = (
    "nodes",
    "links",
    "groups",
    "definitions",
    "reroutes",
    "floatingLinks",
    "state",
    "extra",
    "version",
)
_DRAWING: Final = ("reroutes", "linkExtensions", "groupNodes", OURS)
_LOOKS: Final = ("color", "bgcolor", "shape", "flags")
_CLASS_PROPERTY: Final = "Node name for S&R"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file being read: its scopes, the node types there are, and what each node is called with us."""

    scopes: Sequence[Scope]
    types: NodeTypes
    names: Mapping[tuple[str, str], str]

    def name(self, scope: Scope, node: RawNode) -> str:
        """A node's id in our document."""
        return self.names[scope.path, node.id]


def recognises_editor(data: Any) -> bool:
    """Whether this is a workflow as the editor saves it."""
    document = mapping(data)
    return isinstance(document.get("nodes"), list) and "format" not in document


def read_editor(data: Any, types: NodeTypes) -> Workflow:
    """The workflow in editor-format data, version 0.4 or 1. Raises WorkflowError with all that is wrong."""
    document = mapping(data)
    problems = list[Problem]()
    graph = parse_graph(document, problems)
    definitions = parse_definitions(document, problems)
    extra = mapping(document.get("extra"))
    groups = GroupNodes(mapping(extra.get("groupNodes")), types)

    def definition_of(node: RawNode) -> Definition | None:
        return definitions.get(node.type) or groups.definition(node)

    scopes = expand(graph, definition_of, problems)
    if problems:
        raise WorkflowError(problems)
    reading = Reading(scopes, types, _names(scopes))
    ours = mapping(extra.get(OURS))
    return Workflow(
        nodes=dict(_nodes(reading)),
        ports=read_ports(ours.get("ports")),
        layout=_layout(reading, mapping(ours.get("layout"))),
        groups=tuple(_groups(reading)),
        notes=tuple(_notes(scopes)),
        lock=mapping(ours.get("lock")),
        extra=_extra(document),
        imported=True,
    )


def _extra(document: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to the whole file: our own, and under `editor` what its own editor wants to find again."""
    extra = mapping(document.get("extra"))
    rest = {
        key: value for key, value in document.items() if key not in _CANVAS and not key.startswith("last_")
    }
    rest = {key: value for key, value in rest.items() if (key, value) != ("config", {})}
    kept = {key: value for key, value in extra.items() if key not in _DRAWING}
    editor = {**rest, "extra": kept} if kept else rest
    ours = dict(mapping(mapping(extra.get(OURS)).get("extra")))
    return {**ours, "editor": editor} if editor else ours


def _real_nodes(reading: Reading) -> Iterator[tuple[Scope, RawNode]]:
    for scope in reading.scopes:
        for node in scope.graph.nodes.values():
            if node.type not in VIRTUAL and node.id not in scope.children:
                yield scope, node


def _names(scopes: Sequence[Scope]) -> dict[tuple[str, str], str]:
    """Ids in our document: the path of ids, or what the document of ours it was made from called the node."""
    paths = {(scope.path, id): f"{scope.path}{id}" for scope in scopes for id in scope.graph.nodes}
    wanted = {
        (scope.path, id): name
        for scope in scopes
        for id, node in scope.graph.nodes.items()
        if not scope.path and (name := read_ours(node.data).id)
    }
    taken = {path for place, path in paths.items() if place not in wanted}
    counts = dict[str, int]()
    for name in wanted.values():
        counts[name] = counts.get(name, 0) + 1
    return paths | {place: name for place, name in wanted.items() if counts[name] == 1 and name not in taken}


def _nodes(reading: Reading) -> Iterator[tuple[str, Node]]:
    for scope, raw in _real_nodes(reading):
        yield reading.name(scope, raw), _node(reading, scope, raw)


def _node(reading: Reading, scope: Scope, raw: RawNode) -> Node:
    spec, ours = reading.types.get(raw.type), read_ours(raw.data)
    wired = _wired(reading, scope, raw, spec)
    inputs = {**wired.values, **wired.links, **ours.inputs}
    kept = {name: value for name, value in inputs.items() if not _left_out(name, value, ours)}
    extra = dict[str, Any]({**_node_extra(raw, spec, wired, ours), **ours.extra})
    return Node(ours.type or raw.type, _ordered(kept, spec), _title(raw, spec), raw.mode, extra)


@dataclass(frozen=True, slots=True)
class Wired:
    """A node's values and links by input. `unnamed` values could not be told apart."""

    values: Mapping[str, Any]
    links: Mapping[str, Link]
    controls: Mapping[str, str]
    unnamed: Sequence[Any]


def _wired(reading: Reading, scope: Scope, raw: RawNode, spec: NodeSpec | None) -> Wired:
    read = read_values(raw, spec)
    values, controls, links = dict(read.values), dict(read.controls), dict[str, Link]()
    values |= {name: value for (id, name), value in scope.overrides.items() if id == raw.id}
    for slot in raw.inputs:
        end = trace(scope, slot.link, _wanted(slot, spec))
        if end.node and end.scope:
            output = output_name(reading.types.get(end.node.type), end.slot)
            links[slot.name] = Link(reading.name(end.scope, end.node), output)
        elif end.value is not MISSING and _is_widget(slot, spec):
            values[slot.name] = end.value
            controls |= {slot.name: end.control} if end.control else {}
    return Wired(values, links, controls, read.unnamed)


def _wanted(slot: RawSlot, spec: NodeSpec | None) -> tuple[str, ...]:
    found = (input.type.names for input in spec.inputs if input.name == slot.name) if spec else iter(())
    return next(found, slot.types)


def _is_widget(slot: RawSlot, spec: NodeSpec | None) -> bool:
    return slot.widget or any(
        input.name == slot.name and has_widget(input) for input in (spec.inputs if spec else ())
    )


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
    properties = {
        key: value
        for key, value in mapping(raw.data.get("properties")).items()
        if key not in (_CLASS_PROPERTY, OURS)
    }
    found: dict[str, Any] = {
        "control": {name: word for name, word in wired.controls.items() if not spec or word != CONTROLS[0]},
        "hidden_values": {
            name: value
            for name, value in wired.values.items()
            if name in wired.links and value is not None and not _left_out(name, value, ours)
        },
        "properties": properties,
        **{key: raw.data[key] for key in _LOOKS if key in raw.data},
    }
    if spec is None:
        found["slots"] = {
            "inputs": [[slot.name, ",".join(slot.types)] for slot in raw.inputs if not slot.widget],
            "widgets": [[slot.name, ",".join(slot.types)] for slot in raw.inputs if slot.widget],
            "outputs": [[slot.name, ",".join(slot.types)] for slot in raw.outputs],
        }
        found["widgets_values"] = list(wired.unnamed)
    return {key: value for key, value in found.items() if value not in ({}, [], None, "")}


def _layout(reading: Reading, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Where nodes lie, and of `kept` what our document said of nodes that are not there."""
    offsets = _offsets(reading.scopes)
    layout = dict(kept)
    for scope, node in _real_nodes(reading):
        at, ours = place_of(node.data), read_ours(node.data).place
        place = ours.get("was") if ours and ours.get("is") == at else shifted(at, offsets[scope.path])
        if place:
            layout[reading.name(scope, node)] = place
    return layout


def _offsets(scopes: Sequence[Scope]) -> dict[str, tuple[float, float]]:
    """How far each canvas is moved, so that a subgraph's top left corner lies where its instance lay."""
    offsets = dict[str, tuple[float, float]]()
    for scope in scopes:
        if scope.parent is None or scope.instance is None:
            offsets[scope.path] = (0, 0)
            continue
        at = shifted(place_of(scope.instance.data) or [0, 0], offsets[scope.parent.path])
        corner = _corner(scope.graph)
        offsets[scope.path] = (at[0] - corner[0], at[1] - corner[1])
    return offsets


def _corner(graph: RawGraph) -> tuple[float, float]:
    places = [place for node in graph.nodes.values() if (place := place_of(node.data))]
    return (min(place[0] for place in places), min(place[1] for place in places)) if places else (0, 0)


def _groups(reading: Reading) -> Iterator[dict[str, Any]]:
    """The groups drawn, and one around each expanded instance."""
    offsets = _offsets(reading.scopes)
    for scope in reading.scopes:
        boxes = [place for node in scope.graph.nodes.values() if (place := place_of(node.data))]
        if scope.definition and scope.instance and boxes:
            name = text(scope.instance.data.get("title")) or scope.definition.name
            yield {"title": name, "bounds": shifted(Box.around(boxes).padded(), offsets[scope.path])}
        yield from (read_group(group, offsets[scope.path]) for group in scope.graph.groups)


def _notes(scopes: Sequence[Scope]) -> Iterator[dict[str, Any]]:
    offsets = _offsets(scopes)
    for scope in scopes:
        for node in scope.graph.nodes.values():
            if node.type in NOTES:
                yield read_note(node, offsets[scope.path])
