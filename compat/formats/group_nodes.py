"""Group nodes, the front end's older way to fold nodes into one: each instance becomes a subgraph of its own.

A file keeps them in `extra.groupNodes` by name: nodes with an index, links `[index, slot, index, slot]`, the
outputs shown although they are used inside (`external`), and what the user renamed or hid (`config`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from compat.formats.litegraph import Definition, RawGraph, RawLink, RawNode, RawSlot, parse_node
from compat.formats.shape import identity, mapping, sequence, text, whole
from compat.formats.slots import output_name
from compat.formats.values import read_values
from compat.formats.widgets import front_order, has_control, has_upload, has_widget
from graph.document import PRIMITIVE
from graph.formats import NodeTypes
from graph.spec import NodeSpec

PREFIXES: Final = ("workflow>", "workflow/")
_IN, _OUT = "-10", "-20"


@dataclass(frozen=True, slots=True)
class GroupNodes:
    """The group nodes of a file by name."""

    data: Mapping[str, Any]
    types: NodeTypes

    def definition(self, instance: RawNode) -> Definition | None:
        """The subgraph of an instance, its values inside; None for any other node."""
        if not instance.type.startswith(PREFIXES):
            return None
        name = instance.type[len(PREFIXES[0]) :]
        data = mapping(self.data.get(name))
        return _definition(name, data, instance, self.types) if data else None


@dataclass(frozen=True, slots=True)
class Inside:
    """The parts of a group: its nodes, the links among them, and the names that its inputs got so far."""

    nodes: Mapping[str, RawNode]
    specs: Mapping[str, NodeSpec | None]
    links: Mapping[str, RawLink]
    config: Mapping[str, Any]
    seen: dict[str, int] = field(default_factory=dict[str, int])

    def name(self, node: RawNode, input: str) -> str:
        """What the instance calls an input: its own name, made unique by the node's title."""
        own = text(mapping(self._inputs(node).get(input)).get("name"))
        label = next((slot.label for slot in node.inputs if slot.name == input), "")
        name = key = own or label or input
        title = text(node.data.get("title"))
        if (node.type == PRIMITIVE and title) or name in self.seen:
            name = key = f"{title or node.type} {input}"
            if name in self.seen:
                name = f"{title or node.type} {self.seen[name]} {input}"
        self.seen[key] = self.seen.get(key, 1) + 1
        return name

    def hides(self, node: RawNode, input: str) -> bool:
        """Whether the user took an input off the group."""
        return mapping(self._inputs(node).get(input)).get("visible") is False

    def _inputs(self, node: RawNode) -> Mapping[str, Any]:
        return mapping(mapping(self.config.get(node.id)).get("input"))

    def hides_output(self, node: RawNode, slot: int) -> bool:
        """Whether the user took an output off the group."""
        outputs = mapping(mapping(self.config.get(node.id)).get("output"))
        return mapping(outputs.get(str(slot))).get("visible") is False


@dataclass(frozen=True, slots=True)
class Shown:
    """An input of the instance: the node and input inside that it feeds, and whether it is a widget there.

    An empty `input` stands for a value without meaning, such as an upload button's.
    """

    name: str
    node: str
    input: str
    widget: bool = False
    hidden: bool = False


def _definition(name: str, data: Mapping[str, Any], instance: RawNode, types: NodeTypes) -> Definition:
    nodes = dict[str, RawNode]()
    mode = instance.mode if instance.mode == "run" else "mute"
    for position, item in enumerate(map(mapping, sequence(data.get("nodes")))):
        id = identity(item.get("index")) or str(position)
        node = parse_node({**item, "id": id}, "", [])
        if node:
            nodes[id] = node if mode == "run" else replace(node, mode=mode)
    links = dict(_links(data, nodes))
    specs = {id: types.get(node.type) for id, node in nodes.items()}
    inside = Inside(nodes, specs, links, mapping(data.get("config")))
    shown = _shown(inside, {slot.name for slot in instance.inputs})
    values = _values(shown, instance)
    outputs = list(_outputs(inside, data))
    wires = {f"in{index}": RawLink(_IN, index, show.node, -1) for index, show in enumerate(shown)}
    ends = {f"out{index}": RawLink(node, slot, _OUT, index) for index, (node, slot) in enumerate(outputs)}
    graph = RawGraph(
        {id: _filled(node, inside, shown, values) for id, node in nodes.items()}, {**links, **wires, **ends}
    )
    inputs = tuple(RawSlot(show.name, widget=show.widget) for show in shown)
    made = tuple(RawSlot(output_name(specs[node], slot)) for node, slot in outputs)
    return Definition(instance.type, name, graph, inputs, made, promoted=())


def _links(data: Mapping[str, Any], nodes: Mapping[str, RawNode]) -> Iterator[tuple[str, RawLink]]:
    for number, item in enumerate(map(sequence, sequence(data.get("links")))):
        origin, target = (identity(item[at]) if len(item) >= 4 else "" for at in (0, 2))
        if origin in nodes and target in nodes:
            yield f"inner{number}", RawLink(origin, whole(item[1]) or 0, target, whole(item[3]) or 0)


def _shown(inside: Inside, outer: set[str]) -> list[Shown]:
    """The instance's inputs: node by node its widgets and then its sockets; last the widgets made sockets."""
    found, converted = list[Shown](), list[tuple[RawNode, str]]()
    for node in inside.nodes.values():
        fed = _fed(inside, node)
        sockets, widgets = _split(node, inside.specs[node.id])
        for name, places in widgets.items():
            if _is_converted(node, name, name in fed, outer):
                converted.append((node, name))
                continue
            shown = Shown(inside.name(node, name), node.id, name, True, inside.hides(node, name))
            found += [shown, *[Shown("", node.id, "", True)] * (places - 1)]
        found += [_socket(inside, node, name) for name in sockets if name not in fed]
    found += [_socket(inside, node, name) for node, name in converted if name not in _fed(inside, node)]
    return [show for show in found if show.widget or not show.hidden]


def _socket(inside: Inside, node: RawNode, name: str) -> Shown:
    return Shown(inside.name(node, name), node.id, name, False, inside.hides(node, name))


def _split(node: RawNode, spec: NodeSpec | None) -> tuple[list[str], dict[str, int]]:
    """The names of a node's sockets, and of its widgets with how many values each has."""
    if node.type == PRIMITIVE:
        return [], {"value": 1}
    if spec is None:
        return [slot.name for slot in node.inputs if not slot.widget], {}
    order = front_order(spec)
    widgets = {input.name: 1 + has_control(input) + has_upload(input) for input in order if has_widget(input)}
    return [input.name for input in order if not has_widget(input)], widgets


def _fed(inside: Inside, node: RawNode) -> set[str]:
    """The inputs of a node that are linked within the group."""
    return {_slot_name(inside, link) for link in inside.links.values() if link.target == node.id}


def _slot_name(inside: Inside, link: RawLink) -> str:
    node = inside.nodes[link.target]
    if 0 <= link.end < len(node.inputs):
        return node.inputs[link.end].name
    sockets, _ = _split(node, inside.specs[node.id])
    return sockets[link.end] if 0 <= link.end < len(sockets) else ""


def _is_converted(node: RawNode, name: str, fed: bool, outer: set[str]) -> bool:
    """Whether a widget was made a socket inside. Newer files list every widget among the inputs anyway."""
    listed = any(slot.name == name and slot.widget for slot in node.inputs)
    plain = sum(slot.widget for slot in node.inputs) == 0
    return fed or (listed and not plain and name in outer and not _all_listed(node))


def _all_listed(node: RawNode) -> bool:
    return isinstance(node.values, list) and sum(slot.widget for slot in node.inputs) >= len(node.values)


def _values(shown: Sequence[Shown], instance: RawNode) -> dict[tuple[str, str], Any]:
    """The instance's values by node and input inside. Hidden widgets may or may not have theirs listed."""
    if isinstance(instance.values, Mapping):
        named = instance.values
        return {(show.node, show.input): named[show.name] for show in shown if show.name in named}
    widgets = [show for show in shown if show.widget]
    visible = [show for show in widgets if not show.hidden]
    places = visible if len(instance.values) == len(visible) else widgets
    pairs = zip(places, instance.values, strict=False)
    return {(show.node, show.input): value for show, value in pairs if show.input}


def _outputs(inside: Inside, data: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The outputs that the instance shows: those not used inside, or shown all the same."""
    external = {
        (identity(item[0]), whole(item[1]))
        for item in map(sequence, sequence(data.get("external")))
        if len(item) > 1
    }
    used = {(link.origin, link.slot) for link in inside.links.values()}
    for node in inside.nodes.values():
        spec = inside.specs[node.id]
        for slot in range(len(spec.outputs) if spec else len(node.outputs)):
            wanted = (node.id, slot) not in used or (node.id, slot) in external
            if wanted and not inside.hides_output(node, slot):
                yield node.id, slot


def _filled(
    node: RawNode, inside: Inside, shown: Sequence[Shown], values: Mapping[tuple[str, str], Any]
) -> RawNode:
    """A node inside with the instance's values, and with its inputs joined to their links."""
    given = {input: value for (id, input), value in values.items() if id == node.id}
    outer = {
        show.input: f"in{index}" for index, show in enumerate(shown) if show.node == node.id and show.input
    }
    inner = {_slot_name(inside, link): id for id, link in inside.links.items() if link.target == node.id}
    own = {slot.name: slot for slot in node.inputs}
    widgets = {show.input for show in shown if show.node == node.id and show.widget}
    widgets |= {slot.name for slot in node.inputs if slot.widget}
    slots = tuple(
        replace(own.get(name, RawSlot(name)), link=id, widget=name in widgets)
        for name, id in {**outer, **inner}.items()
    )
    return replace(node, inputs=slots, values=_filled_values(node, inside.specs[node.id], given))


def _filled_values(
    node: RawNode, spec: NodeSpec | None, given: Mapping[str, Any]
) -> list[Any] | Mapping[str, Any]:
    if node.type == PRIMITIVE:
        own = node.values if isinstance(node.values, list) else []
        return [given["value"], *own[1:]] if "value" in given else own
    read = read_values(node, spec)
    return {**read.values, **given} if read.values or not read.unnamed else node.values
