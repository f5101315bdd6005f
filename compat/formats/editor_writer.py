"""ComfyUI's editor format, written in version 0.4, so that its front end opens what we have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from compat.formats.arrangement import write_group, write_note
from compat.formats.layers import layered_places, node_columns
from compat.formats.ours import OURS, Ours, write_ours, write_ports
from compat.formats.shape import mapping, numbers, sequence, text
from compat.formats.slots import class_name, output_slot
from compat.formats.values import widget_inputs, write_values
from compat.formats.widgets import CONTROLS, has_control, has_widget, socket_order
from graph.document import Link, Node, Workflow
from graph.formats import NodeTypes
from graph.sockets import ANY, SocketType, socket_type
from graph.spec import Input, NodeSpec

MODES: Final = {"run": 0, "mute": 2, "bypass": 4}
LARGEST_ID: Final = 2**31
LOOKS: Final = ("color", "bgcolor", "shape", "flags")
_WIDTH: Final = 270.0
_OPTIONAL_SHAPE: Final = 7
_LIST_SHAPE: Final = 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node's parts as the editor has them. `links` are by slot number; `rest` are inputs that fit nowhere.

    unset: what is written for widgets without a value. told: the keys of `Node.extra` that are in the parts.
    """

    slots: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    values: list[Any]
    links: Mapping[int, Link] = field(default_factory=dict[int, Link])
    rest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unset: Mapping[str, Any] = field(default_factory=dict[str, Any])
    told: frozenset[str] = frozenset({"properties"})


def write_editor(workflow: Workflow, types: NodeTypes) -> dict[str, Any]:
    """The workflow as ComfyUI's editor saves it. Nodes without a place are laid out in columns.

    What that format cannot say (names of nodes, ports, locks) is kept in property bags for `read_editor`.
    """
    ids = _numbers(workflow)
    drawn = {id: _draw(workflow, types, node) for id, node in workflow.nodes.items()}
    links = list(_links(workflow, types, drawn, ids))
    places = _places(workflow, drawn)
    order = {id: index for index, id in enumerate(node_columns(workflow))}
    nodes = [
        _node(workflow, id, drawn[id], places[id], Numbered(ids[id], order[id], class_name(node.type, types)))
        for id, node in workflow.nodes.items()
    ]
    _join(nodes, links)
    first_note = max(ids.values(), default=0) + 1
    notes = [
        write_note(note, first_note + index, len(nodes) + index) for index, note in enumerate(workflow.notes)
    ]
    kept = mapping(workflow.extra.get("editor"))
    return {
        **{key: value for key, value in kept.items() if key != "extra"},
        "last_node_id": first_note + len(notes) - 1,
        "last_link_id": len(links),
        "nodes": nodes + notes,
        "links": links,
        "groups": [write_group(group, index + 1) for index, group in enumerate(workflow.groups)],
        "config": mapping(kept.get("config")),
        "extra": {**mapping(kept.get("extra")), **_document(workflow)},
        "version": 0.4,
    }


def _document(workflow: Workflow) -> dict[str, Any]:
    found = {
        "ports": write_ports(workflow.ports),
        "lock": dict(workflow.lock),
        "extra": {key: value for key, value in workflow.extra.items() if key != "editor"},
        "layout": {id: place for id, place in workflow.layout.items() if id not in workflow.nodes},
    }
    kept = {key: value for key, value in found.items() if value}
    return {OURS: kept} if kept else {}


def _numbers(workflow: Workflow) -> dict[str, int]:
    """A number for every node: its id where that is one."""
    own = {id: int(id) for id in workflow.nodes if _is_number(id)}
    following = max(own.values(), default=0)
    rest = (id for id in workflow.nodes if id not in own)
    return own | {id: following + index + 1 for index, id in enumerate(rest)}


def _is_number(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) < 10 and str(int(id)) == id and int(id) < LARGEST_ID


def _draw(workflow: Workflow, types: NodeTypes, node: Node) -> Drawn:
    spec = types.get(node.type)
    drawn = _draw_unknown(node) if spec is None else _draw_known(node, spec)
    links, loose = dict[int, Link](), dict[str, Link]()
    for number, slot in enumerate(drawn.slots):
        link = node.inputs.get(slot["name"])
        if isinstance(link, Link):
            source = workflow.nodes.get(link.node)
            if source and output_slot(types.get(source.type), link.output) is not None:
                links[number] = link
            else:
                loose[slot["name"]] = link
    hidden = mapping(node.extra.get("hidden_values")).keys()
    told = drawn.told - ({"hidden_values"} if hidden & loose.keys() else set[str]())
    return replace(drawn, links=links, rest={**drawn.rest, **loose}, told=told)


def _draw_known(node: Node, spec: NodeSpec) -> Drawn:
    inputs = socket_order(spec)
    named = {input.name for input in inputs}
    slots = [_slot(input) for input in inputs]
    slots += [{"name": name, "type": "*", "link": None} for name in _linked(node) if name not in named]
    shown = {input.name for input in inputs if has_widget(input)}
    given = {name: value for name, value in _literals(node).items() if name in shown and value is not None}
    hidden = mapping(node.extra.get("hidden_values"))
    behind = {name: hidden[name] for name in _linked(node) if hidden.get(name) is not None and name in shown}
    controls = mapping(node.extra.get("control"))
    told = {"properties"} | ({"hidden_values"} if behind == hidden else set[str]())
    told |= {"control"} if _can_tell(spec, controls) else set[str]()
    return Drawn(
        slots,
        [_output(output.name, output.type, output.is_list) for output in spec.outputs],
        write_values(spec, {**behind, **given}, controls),
        rest={name: value for name, value in _literals(node).items() if name not in given},
        unset=_defaults(spec, shown - given.keys() - behind.keys()),
        told=frozenset(told),
    )


def _can_tell(spec: NodeSpec, controls: Mapping[str, Any]) -> bool:
    """Whether all that is to happen to values after a run has a place among the widgets' values."""
    places = {input.name for input in widget_inputs(spec) if has_control(input)}
    return controls.keys() <= places and all(word in CONTROLS[1:] for word in controls.values())


def _literals(node: Node) -> dict[str, Any]:
    return {name: value for name, value in node.inputs.items() if not isinstance(value, Link)}


def _defaults(spec: NodeSpec, names: set[str]) -> dict[str, Any]:
    """What `write_values` writes for widgets without a value."""
    return {
        input.name: write_values(NodeSpec(spec.id, spec.run, (input,)), {}, {})[0]
        for input in widget_inputs(spec)
        if input.name in names
    }


def _linked(node: Node) -> list[str]:
    return [name for name, value in node.inputs.items() if isinstance(value, Link)]


def _slot(input: Input) -> dict[str, Any]:
    slot: dict[str, Any] = {"name": input.name, "type": ",".join(input.type.names), "link": None}
    slot |= {"widget": {"name": input.name}} if has_widget(input) else {}
    slot |= {"shape": _OPTIONAL_SHAPE} if not input.required else {}
    return slot | ({"label": input.hint.label} if input.hint.label else {})


def _output(name: str, type: SocketType = ANY, is_list: bool = False) -> dict[str, Any]:
    slot: dict[str, Any] = {"name": name, "type": ",".join(type.names), "links": None}
    return slot | ({"shape": _LIST_SHAPE} if is_list else {})


def _draw_unknown(node: Node) -> Drawn:
    """A node of an unknown type from what was read of it, and from how it is used."""
    facts = mapping(node.extra.get("slots"))
    sockets, widgets = (dict(_pairs(facts.get(key))) for key in ("inputs", "widgets"))
    raw = sequence(node.extra.get("widgets_values"))
    literals = _literals(node)
    more = {name: value for name, value in literals.items() if name not in widgets}
    widgets |= {} if raw else dict.fromkeys(more, "*")
    sockets |= {name: "*" for name in _linked(node) if name not in sockets and name not in widgets}
    slots: list[dict[str, Any]] = [
        {"name": name, "type": type, "link": None} for name, type in sockets.items()
    ]
    slots += [
        {"name": name, "type": type, "link": None, "widget": {"name": name}} for name, type in widgets.items()
    ]
    given = {**mapping(node.extra.get("hidden_values")), **literals}
    values = [*_in_order(widgets, given, mapping(node.extra.get("control"))), *raw]
    outputs = [_output(name, socket_type(type)) for name, type in _pairs(facts.get("outputs"))]
    told = frozenset({"properties", "slots", "widgets_values", "hidden_values", "control"})
    return Drawn(slots, outputs, values, rest=more if raw else {}, told=told)


def _pairs(value: Any) -> list[tuple[str, str]]:
    items = [sequence(item) for item in sequence(value)]
    return [(text(item[0]), text(item[1])) for item in items if len(item) == 2]


def _in_order(
    names: Mapping[str, str], values: Mapping[str, Any], controls: Mapping[str, Any]
) -> Iterator[Any]:
    for name in names:
        yield values.get(name)
        if name in controls:
            yield controls[name]


def _links(
    workflow: Workflow, types: NodeTypes, drawn: Mapping[str, Drawn], ids: Mapping[str, int]
) -> Iterator[list[Any]]:
    number = 0
    for id, node in drawn.items():
        for end, link in node.links.items():
            number += 1
            slot = output_slot(types.get(workflow.nodes[link.node].type), link.output)
            yield [number, ids[link.node], slot, ids[id], end, _link_type(drawn[link.node], slot or 0)]


def _link_type(source: Drawn, slot: int) -> str:
    return source.outputs[slot]["type"] if 0 <= slot < len(source.outputs) else "*"


def _join(nodes: Sequence[dict[str, Any]], links: Sequence[Sequence[Any]]) -> None:
    """Write the numbers of links into the slots they join."""
    by_id = {node["id"]: node for node in nodes}
    for number, origin, slot, target, end, _ in links:
        by_id[target]["inputs"][end]["link"] = number
        outputs = by_id[origin]["outputs"]
        while len(outputs) <= slot < 100:
            outputs.append(_output(f"output {len(outputs)}"))
        if 0 <= slot < len(outputs):
            outputs[slot]["links"] = [*(outputs[slot]["links"] or []), number]


def _places(workflow: Workflow, drawn: Mapping[str, Drawn]) -> dict[str, list[float]]:
    """[x, y, width, height] of every node; those without a place come below the others, in columns."""
    sizes = {id: (_WIDTH, _height(node)) for id, node in drawn.items()}
    told = {id: place for id in drawn if (place := numbers(workflow.layout.get(id), 2))}
    bottom = max((place[1] for place in told.values()), default=-400) + 400
    left = min((place[0] for place in told.values()), default=0)
    rest = Workflow({id: node for id, node in workflow.nodes.items() if id not in told})
    laid = {id: list(place) for id, place in layered_places(rest, sizes, left, bottom).items()}
    found = {**told, **laid}
    return {
        id: place + (numbers(workflow.layout.get(id), 4)[2:] or list(sizes[id]))
        for id, place in found.items()
    }


def _height(node: Drawn) -> float:
    rows = max(sum("widget" not in slot for slot in node.slots), len(node.outputs))
    return 30.0 + 20 * rows + 24 * len(node.values)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A node's number for the editor, its place in the order of running, and what ComfyUI calls its type."""

    number: int
    order: int
    type: str


def _node(workflow: Workflow, id: str, drawn: Drawn, place: list[float], as_: Numbered) -> dict[str, Any]:
    node = workflow.nodes[id]
    ours = write_ours(
        Ours(
            id if str(as_.number) != id else "",
            node.type if node.type != as_.type else "",
            drawn.rest,
            drawn.unset,
            _left_over(node, drawn),
            _moved(workflow.layout.get(id), place),
        )
    )
    properties = {"Node name for S&R": as_.type, **mapping(node.extra.get("properties"))}
    return {
        "id": as_.number,
        "type": as_.type,
        "pos": place[:2],
        "size": place[2:],
        "flags": {},
        "order": as_.order,
        "mode": MODES[node.mode],
        "inputs": drawn.slots,
        "outputs": drawn.outputs,
        "properties": {**properties, OURS: ours} if ours else properties,
        "widgets_values": drawn.values,
        **({"title": node.title} if node.title else {}),
        **{key: node.extra[key] for key in LOOKS if key in node.extra},
    }


def _left_over(node: Node, drawn: Drawn) -> dict[str, Any]:
    """What is kept with a node and has no place in the editor's format."""
    told = {*LOOKS, *drawn.told}
    return {key: value for key, value in node.extra.items() if key not in told}


def _moved(was: Any, place: list[float]) -> dict[str, Any]:
    """Our layout of a node where it is not what the editor gets: it holds until someone moves the node."""
    return {} if was == place else {"was": was, "is": place}
