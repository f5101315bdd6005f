"""ComfyUI's editor format as it lies in the file: nodes, links and subgraphs, tolerantly parsed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compat.formats.shape import identity, kind, mapping, sequence, text, whole
from graph.document import Mode
from graph.problems import Problem

NOTES: Final = ("Note", "MarkdownNote")
MODES: Final[Mapping[int, Mode]] = {2: "mute", 4: "bypass"}


@dataclass(frozen=True, slots=True)
class RawSlot:
    """An input or output of a node: its types' names, the link that ends in it, whether it is a widget's."""

    name: str
    types: tuple[str, ...] = ("*",)
    link: str = ""
    widget: bool = False
    label: str = ""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RawNode:
    """A node of the file. `values` are its widgets', in order or by name; `data` is all that is written."""

    id: str
    type: str
    mode: Mode = "run"
    inputs: tuple[RawSlot, ...] = ()
    outputs: tuple[RawSlot, ...] = ()
    values: list[Any] | Mapping[str, Any] = field(default_factory=list[Any])
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RawLink:
    """A wire of the file: output number `slot` of node `origin` feeds input number `end` of node `target`.

    reroute: the last of the reroutes that it is drawn through, where the link itself tells it.
    """

    origin: str
    slot: int
    target: str
    end: int
    reroute: str = ""


@dataclass(frozen=True, slots=True)
class RawGraph:
    """The nodes and links of one canvas: the whole workflow's or a subgraph's."""

    nodes: Mapping[str, RawNode]
    links: Mapping[str, RawLink]
    groups: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A subgraph: its canvas, its inputs and outputs in order, and the ids that stand for them in links.

    promoted: the names of inputs whose values an instance lists, in order; None to tell them by its inputs.
    """

    id: str
    name: str
    graph: RawGraph
    inputs: tuple[RawSlot, ...] = ()
    outputs: tuple[RawSlot, ...] = ()
    input_id: str = "-10"
    output_id: str = "-20"
    promoted: tuple[str, ...] | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def link_to_output(self, slot: int) -> str:
        """The id of the link that feeds an output, or ""."""
        end = (self.output_id, slot)
        return next((id for id, link in self.graph.links.items() if (link.target, link.end) == end), "")

    def feeds_widget(self, slot: int) -> bool:
        """Whether an input is joined to a widget inside."""
        start = (self.input_id, slot)
        joined = {id for id, link in self.graph.links.items() if (link.origin, link.slot) == start}
        ends = (end for node in self.graph.nodes.values() for end in node.inputs if end.link in joined)
        return any(end.widget for end in ends)


def parse_graph(data: Mapping[str, Any], problems: list[Problem], place: str = "") -> RawGraph:
    """A canvas. What cannot be read is told in `problems`, in sentences that `place` begins."""
    nodes = dict[str, RawNode]()
    for item in _items(data.get("nodes"), "nodes", place, problems):
        node = parse_node(item, place, problems)
        if node and node.id in nodes:
            message = f"{place}Two nodes have the id {node.id}."
            problems.append(Problem("duplicate_id", message, node=node.id, fix="Save the workflow again."))
        elif node:
            nodes[node.id] = node
    links = dict(
        link
        for item in _items(data.get("links"), "links", place, problems)
        if (link := _link(item, place, problems))
    )
    groups = tuple(group for group in map(mapping, sequence(data.get("groups"))) if group)
    return RawGraph(nodes, links, groups)


def parse_definitions(data: Mapping[str, Any], problems: list[Problem]) -> dict[str, Definition]:
    """Every subgraph defined in a file, also those defined within others, by id."""
    found = dict[str, Definition]()
    waiting = [data]
    while waiting:
        for item in map(mapping, sequence(mapping(waiting.pop().get("definitions")).get("subgraphs"))):
            definition = _definition(item, problems)
            if definition.id and definition.id not in found:
                found[definition.id] = definition
                waiting.append(item)
    return found


def _definition(data: Mapping[str, Any], problems: list[Problem]) -> Definition:
    id = text(data.get("id"))
    name = text(data.get("name")) or id
    return Definition(
        id,
        name,
        parse_graph(data, problems, f"In subgraph {name}: "),
        _slots(data.get("inputs")),
        _slots(data.get("outputs")),
        identity(mapping(data.get("inputNode")).get("id")) or "-10",
        identity(mapping(data.get("outputNode")).get("id")) or "-20",
        data=data,
    )


def _items(value: Any, name: str, place: str, problems: list[Problem]) -> Iterator[Any]:
    items = list(mapping(value).values()) or sequence(value)
    if not isinstance(value, list | Mapping | None):
        problems.append(Problem("bad_form", f'{place}The "{name}" are {kind(value)}, not a list.'))
    return (item for item in items if item is not None)


def parse_node(item: Any, place: str, problems: list[Problem]) -> RawNode | None:
    """A node, or None with a problem told."""
    data = mapping(item)
    id, type = identity(data.get("id")), text(data.get("type"))
    if not id or not type:
        what = "id" if not id else "type"
        message = (
            f"{place}A node is {kind(item)}."
            if not data
            else f"{place}Node {id or type or '?'} has no {what}."
        )
        problems.append(Problem("bad_node", message, node=id or None, fix="Save the workflow again."))
        return None
    named = mapping(data.get("widgets_values_named"))
    values = named or data.get("widgets_values")
    return RawNode(
        id,
        type,
        MODES.get(whole(data.get("mode")) or 0, "run"),
        _slots(data.get("inputs")),
        _slots(data.get("outputs")),
        mapping(values) or sequence(values),
        data,
    )


def _slots(value: Any) -> tuple[RawSlot, ...]:
    return tuple(_slot(mapping(item)) for item in sequence(value))


def _slot(data: Mapping[str, Any]) -> RawSlot:
    return RawSlot(
        text(data.get("name")),
        type_names(data.get("type")),
        identity(data.get("link")),
        bool(mapping(data.get("widget"))),
        text(data.get("label")),
        data,
    )


def type_names(value: Any) -> tuple[str, ...]:
    """The names in a slot's type: "IMAGE,MASK" has two, and what is no text takes anything."""
    return tuple(name.strip() for name in text(value).split(",") if name.strip()) or ("*",)


def _link(item: Any, place: str, problems: list[Problem]) -> tuple[str, RawLink] | None:
    entries = sequence(item) or [mapping(item).get(name) for name in _FIELDS]
    if len(entries) >= len(_FIELDS):
        id, origin, target = (identity(entries[index]) for index in (0, 1, 3))
        slot, end = whole(entries[2]), whole(entries[4])
        if id and origin and target and slot is not None:
            reroute = identity(mapping(item).get("parentId"))
            return id, RawLink(origin, slot, target, -1 if end is None else end, reroute)
    problems.append(Problem("bad_link", f"{place}A link cannot be read.", fix="Save the workflow again."))
    return None


_FIELDS: Final = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
