"""ComfyUI's editor format, read: widgets named, subgraphs, reroutes and primitives kept as such."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from compat.formats.arrangement import read_group
from compat.formats.bends import read_bends
from compat.formats.canvas_reader import Canvas, Inner, our_names, read_layout, read_nodes, read_notes
from compat.formats.group_nodes import GroupNodes
from compat.formats.litegraph import Definition, RawGraph, RawNode, RawSlot, parse_definitions, parse_graph
from compat.formats.ours import OURS, read_ports
from compat.formats.shape import mapping, numbers, text
from graph.document import INPUTS, OUTPUTS, Boundary, Link, Subgraph, Workflow
from graph.flat import flat
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from graph.scopes import MOST_NODES

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
_DEFINED: Final = ("id", "name", "inputs", "outputs", "nodes", "links", "groups", "reroutes", "definitions")
_SLOT: Final = ("name", "type", "label", "linkIds")


@dataclass(frozen=True, slots=True)
class File:
    """A file being read. inside: its subgraphs by our id; of: that of each instance, by canvas and node."""

    graph: RawGraph
    types: NodeTypes
    inside: dict[str, Inner] = field(default_factory=dict[str, Inner])
    of: dict[tuple[str, str], Inner] = field(default_factory=dict[tuple[str, str], Inner])

    def canvas(self, id: str, inner: Inner | None = None) -> Canvas:
        """One of its canvases: a subgraph's, or with the id "" the outermost."""
        graph = inner.definition.graph if inner else self.graph
        instances = {node: found for (at, node), found in self.of.items() if at == id}
        return Canvas(graph, self.types, inner.names if inner else our_names(graph), instances, inner)


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
    if problems:
        raise WorkflowError(problems)
    extra = mapping(document.get("extra"))
    file = _file(graph, definitions, GroupNodes(mapping(extra.get("groupNodes")), types), types)
    canvas = file.canvas("")
    ours = mapping(extra.get(OURS))
    workflow = Workflow(
        nodes=dict(read_nodes(canvas)),
        ports=read_ports(ours.get("ports")),
        layout={**mapping(ours.get("layout")), **dict(read_layout(canvas))},
        groups=tuple(map(read_group, graph.groups)),
        notes=tuple(read_notes(graph)),
        lock=mapping(ours.get("lock")),
        extra={**_extra(document), **read_bends(canvas, {**document, **extra})},
        subgraphs={id: _subgraph(file, inner) for id, inner in file.inside.items()},
        imported=True,
    )
    flat(workflow, types)  # tells whether its subgraphs end at all
    return workflow


def _file(
    graph: RawGraph, definitions: Mapping[str, Definition], groups: GroupNodes, types: NodeTypes
) -> File:
    """The file with every subgraph that is defined, and one for each instance of a group node."""
    file = File(graph, types)
    waiting, count = deque[tuple[str, RawGraph, tuple[str, ...]]]([("", graph, ())]), 0
    ids = {id: _our_id(id, definition) for id, definition in definitions.items()}
    for id, definition in definitions.items():
        file.inside[ids[id]] = _inner(ids[id], definition)
        waiting.append((ids[id], definition.graph, ()))
    while waiting:
        at, canvas, around = waiting.popleft()
        for node in canvas.nodes.values():
            if node.type in definitions:
                file.of[at, node.id] = file.inside[ids[node.type]]
            elif group := groups.definition(node):
                count += len(group.graph.nodes)
                _refuse_endless(group.name, around, count)
                inner = _inner(_group_id(at, node, group), group)
                file.of[at, node.id] = file.inside[inner.id] = inner
                waiting.append((inner.id, group.graph, (*around, group.name)))
    return file


def _refuse_endless(name: str, around: tuple[str, ...], count: int) -> None:
    if name in around:
        problem = Problem("endless_subgraph", f"Subgraph {name} contains itself.")
    elif count > MOST_NODES:
        problem = Problem("too_large", f"Its group nodes hold more than {MOST_NODES} nodes.")
    else:
        return
    raise WorkflowError([replace(problem, fix="Take the inner instance out.")])


def _our_id(id: str, definition: Definition) -> str:
    return text(_bag(definition.data).get("id")) or id


def _bag(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What we left in a subgraph's own extra."""
    return mapping(mapping(data.get("extra")).get(OURS))


def _group_id(at: str, node: RawNode, group: Definition) -> str:
    return f"{group.name} {at}:{node.id}" if at else f"{group.name} {node.id}"


def _inner(id: str, definition: Definition) -> Inner:
    inputs, outputs = _distinct(definition.inputs), _distinct(definition.outputs)
    return Inner(id, definition, inputs, outputs, our_names(definition.graph))


def _distinct(slots: tuple[RawSlot, ...]) -> list[str]:
    """The names of slots, numbered where two are called alike; "" stays."""
    found = list[str]()
    for slot in slots:
        name, count = slot.name, 1
        while name and name in found:
            count += 1
            name = f"{slot.name} {count}"
        found.append(name)
    return found


def _subgraph(file: File, inner: Inner) -> Subgraph:
    definition, canvas = inner.definition, file.canvas(inner.id, inner)
    data = definition.data
    ours = _bag(data)
    sockets = mapping(ours.get("sockets"))
    outputs = [canvas.link(definition.link_to_output(number)) for number in range(len(inner.outputs))]
    layout = {**dict(_borders(data)), **mapping(ours.get("layout")), **dict(read_layout(canvas))}
    return Subgraph(
        nodes=dict(read_nodes(canvas)),
        title="" if ours.get("untitled") else definition.name,
        inputs=dict(_boundaries(inner.inputs, definition.inputs, mapping(sockets.get("inputs")))),
        outputs=dict(
            _boundaries(inner.outputs, definition.outputs, mapping(sockets.get("outputs")), outputs)
        ),
        layout=layout,
        groups=tuple(map(read_group, definition.graph.groups)),
        notes=tuple(read_notes(definition.graph)),
        extra={**_rest(data), **mapping(ours.get("extra")), **read_bends(canvas, data)},
    )


def _rest(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in data.items() if key not in _DEFINED}
    if "extra" in kept:
        kept["extra"] = {key: value for key, value in mapping(kept["extra"]).items() if key != OURS}
    return {"editor": kept} if kept else {}


def _borders(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where the boundary's two cards lie."""
    for key, name in (("inputNode", INPUTS), ("outputNode", OUTPUTS)):
        if place := numbers(mapping(data.get(key)).get("bounding"), 4):
            yield name, place


def _boundaries(
    names: Sequence[str],
    slots: tuple[RawSlot, ...],
    ours: Mapping[str, Any],
    links: Sequence[Link | None] = (),
) -> Iterator[tuple[str, Boundary]]:
    for number, (name, slot) in enumerate(zip(names, slots, strict=True)):
        if not name:
            continue
        kept = {key: value for key, value in slot.data.items() if key not in _SLOT}
        extra = {**({"editor": kept} if kept else {}), **mapping(ours.get(name))}
        type = "" if slot.types == ("*",) else ",".join(slot.types)
        yield name, Boundary(links[number] if links else None, type, slot.label, extra)


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
