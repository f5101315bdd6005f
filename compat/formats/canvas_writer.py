"""One canvas of ComfyUI's editor format, written: the whole workflow's or a subgraph's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from compat.formats.arrangement import write_group, write_note
from compat.formats.bends import written_bends
from compat.formats.canvas_reader import LOOKS
from compat.formats.drawn import Drawn, draw_instance, draw_known, draw_unknown, draw_virtual, output
from compat.formats.layers import layered_places, node_columns
from compat.formats.ours import OURS, Ours, write_ours
from compat.formats.shape import mapping, numbers
from compat.formats.slots import class_name, output_slot
from graph.document import INPUTS, OUTPUTS, SUBGRAPH, VALUE, Link, Node, Subgraph, Workflow
from graph.flat import VIRTUAL
from graph.formats import NodeTypes
from graph.instances import WithSubgraphs
from graph.sockets import ANY_NAME, socket_type

MODES: Final = {"run": 0, "mute": 2, "bypass": 4}
LARGEST_ID: Final = 2**31
BORDERS: Final = {INPUTS: -10, OUTPUTS: -20}
"""What the editor calls the boundary's two sides."""
_WIDTH: Final = 270.0


@dataclass(frozen=True)
class Sheet:
    """A canvas to write. content: its nodes, places, groups and notes; own: the subgraph it is the inside of.

    kinds: the node types there are, with those of the document's subgraphs. called: what the editor calls
    each subgraph.
    """

    content: Workflow
    types: NodeTypes
    kinds: WithSubgraphs
    called: Mapping[str, str]
    own: Subgraph | None = None
    ids: Mapping[str, int] = field(default_factory=dict[str, int])

    def subgraph(self, node: Node) -> str | None:
        """The id of the subgraph that a node is an instance of."""
        id = node.type.removeprefix(SUBGRAPH)
        return id if node.type.startswith(SUBGRAPH) and id in self.called else None

    def slot(self, link: Link) -> int | None:
        """The number of the output that a link comes from, None where there is none such."""
        if link.node == INPUTS and self.own:
            names = list(self.own.inputs)
            return names.index(link.output) if link.output in names else None
        node = self.content.nodes.get(link.node)
        if node is None:
            return None
        if node.type in VIRTUAL:
            return 0 if link.output == VALUE else None
        known = self.kinds if self.subgraph(node) else self.types
        return output_slot(known.get(node.type), link.output)

    def class_of(self, node: Node) -> str:
        """What the editor calls a node's type."""
        subgraph = self.subgraph(node)
        return class_name(node.type, self.types) if subgraph is None else self.called[subgraph]


@dataclass(frozen=True, slots=True)
class Written:
    """A canvas of the editor. links: [number, origin, slot, target, end, type]; through: reroutes by link."""

    nodes: list[dict[str, Any]]
    links: list[list[Any]]
    groups: list[dict[str, Any]]
    last_node: int
    reroutes: list[dict[str, Any]]
    through: Mapping[int, int]


def node_numbers(nodes: Mapping[str, Any]) -> dict[str, int]:
    """A number for every node: its id where that is one."""
    own = {id: int(id) for id in nodes if _is_number(id)}
    following = max(own.values(), default=0)
    rest = (id for id in nodes if id not in own)
    return own | {id: following + index + 1 for index, id in enumerate(rest)}


def _is_number(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) < 10 and str(int(id)) == id and int(id) < LARGEST_ID


def write_canvas(sheet: Sheet) -> Written:
    """The canvas as the editor saves it. Nodes without a place are laid out in columns."""
    content = sheet.content
    drawn = {id: _draw(sheet, id, node) for id, node in content.nodes.items()}
    ends = dict(_links(sheet, drawn))
    links = [link for link, _ in ends.values()]
    places = _places(content, drawn)
    order = {id: index for index, id in enumerate(node_columns(content))}
    nodes = [
        _node(content, id, drawn[id], places[id], Numbered(sheet.ids[id], order[id], sheet.class_of(node)))
        for id, node in content.nodes.items()
    ]
    _join(nodes, links)
    first_note = max(sheet.ids.values(), default=0) + 1
    notes = [
        write_note(note, first_note + index, len(nodes) + index) for index, note in enumerate(content.notes)
    ]
    by_end = {(id, name): link[0] for (id, _), (link, name) in ends.items()}
    reroutes, through = written_bends((sheet.own or content).extra, by_end)
    groups = [write_group(group, index + 1) for index, group in enumerate(content.groups)]
    return Written(nodes + notes, links, groups, first_note + len(notes) - 1, reroutes, through)


def _draw(sheet: Sheet, id: str, node: Node) -> Drawn:
    drawn = _draw_plain(sheet, id, node)
    links, loose = dict[int, Link](), dict[str, Link]()
    for number, name in enumerate(drawn.ends):
        link = node.inputs.get(name)
        if isinstance(link, Link):
            if sheet.slot(link) is None:
                loose[name] = link
            else:
                links[number] = link
    unseen = {
        name: link for name, link in node.inputs.items() if isinstance(link, Link) and name not in drawn.ends
    }
    hidden = mapping(node.extra.get("hidden_values")).keys()
    told = drawn.told - ({"hidden_values"} if hidden & loose.keys() else set[str]())
    return replace(drawn, links=links, rest={**drawn.rest, **loose, **unseen}, told=told)


def _draw_plain(sheet: Sheet, id: str, node: Node) -> Drawn:
    if node.type in VIRTUAL:
        return draw_virtual(node, _first_fed(sheet, id))
    if (subgraph := sheet.subgraph(node)) is not None and (kind := sheet.kinds.get(node.type)):
        return draw_instance(node, kind, node_numbers(sheet.kinds.workflow.subgraphs[subgraph].nodes))
    spec = sheet.types.get(node.type)
    return draw_unknown(node) if spec is None else draw_known(node, spec)


def _first_fed(sheet: Sheet, id: str) -> tuple[str, str]:
    """The name and types of the first input that a node feeds."""
    link = Link(id, VALUE)
    for node in sheet.content.nodes.values():
        for name, value in node.inputs.items():
            if value == link:
                spec = sheet.kinds.get(node.type)
                types = (
                    (input.type.names for input in spec.inputs if input.name == name) if spec else iter(())
                )
                return name, ",".join(next(types, (ANY_NAME,)))
    return "", ANY_NAME


def _links(
    sheet: Sheet, drawn: Mapping[str, Drawn]
) -> Iterator[tuple[tuple[str, int], tuple[list[Any], str]]]:
    """Every link by its end, with our name of that."""
    ids, number = {**BORDERS, **sheet.ids}, 0
    for id, node in drawn.items():
        for end, link in node.links.items():
            number += 1
            slot = sheet.slot(link) or 0
            kind = _link_type(sheet, drawn, link, slot)
            yield (id, end), ([number, ids[link.node], slot, ids[id], end, kind], node.ends[end])
    for end, (name, item) in enumerate(sheet.own.outputs.items() if sheet.own else ()):
        if item.link and (slot := sheet.slot(item.link)) is not None:
            number += 1
            kind = _link_type(sheet, drawn, item.link, slot)
            yield (OUTPUTS, end), ([number, ids[item.link.node], slot, BORDERS[OUTPUTS], end, kind], name)


def _link_type(sheet: Sheet, drawn: Mapping[str, Drawn], link: Link, slot: int) -> str:
    if link.node == INPUTS and sheet.own:
        return ",".join(socket_type(sheet.own.inputs[link.output].type).names)
    outputs = drawn[link.node].outputs
    return outputs[slot]["type"] if 0 <= slot < len(outputs) else "*"


def _join(nodes: Sequence[dict[str, Any]], links: Sequence[Sequence[Any]]) -> None:
    """Write the numbers of links into the slots they join."""
    by_id = {node["id"]: node for node in nodes}
    for number, origin, slot, target, end, _ in links:
        if target in by_id:
            by_id[target]["inputs"][end]["link"] = number
        if origin not in by_id:
            continue
        outputs = by_id[origin]["outputs"]
        while len(outputs) <= slot < 100:
            outputs.append(output(f"output {len(outputs)}"))
        if 0 <= slot < len(outputs):
            outputs[slot]["links"] = [*(outputs[slot]["links"] or []), number]


def _places(content: Workflow, drawn: Mapping[str, Drawn]) -> dict[str, list[float]]:
    """[x, y, width, height] of every node; those without a place come below the others, in columns."""
    sizes = {id: (_WIDTH, _height(node)) for id, node in drawn.items()}
    told = {id: place for id in drawn if (place := numbers(content.layout.get(id), 2))}
    bottom = max((place[1] for place in told.values()), default=-400) + 400
    left = min((place[0] for place in told.values()), default=0)
    rest = Workflow({id: node for id, node in content.nodes.items() if id not in told})
    laid = {id: list(place) for id, place in layered_places(rest, sizes, left, bottom).items()}
    found = {**told, **laid}
    return {
        id: place + (numbers(content.layout.get(id), 4)[2:] or list(sizes[id])) for id, place in found.items()
    }


def _height(node: Drawn) -> float:
    rows = max(sum("widget" not in slot for slot in node.slots), len(node.outputs))
    return 30.0 + 20 * rows + 24 * len(node.values or ())


@dataclass(frozen=True, slots=True)
class Numbered:
    """A node's number for the editor, its place in the order of running, and what ComfyUI calls its type."""

    number: int
    order: int
    type: str


def _node(content: Workflow, id: str, drawn: Drawn, place: list[float], as_: Numbered) -> dict[str, Any]:
    node = content.nodes[id]
    ours = write_ours(
        Ours(
            id if str(as_.number) != id else "",
            node.type if node.type != as_.type and not node.type.startswith(SUBGRAPH) else "",
            drawn.rest,
            drawn.unset,
            _left_over(node, drawn),
            _moved(content.layout.get(id), place),
        )
    )
    properties = {"Node name for S&R": as_.type, **mapping(node.extra.get("properties")), **drawn.properties}
    return {
        "id": as_.number,
        "type": as_.type,
        "pos": place[:2],
        "size": place[2:],
        "flags": {},
        "order": as_.order,
        "mode": MODES[node.mode],
        "inputs": _labelled(
            drawn.slots, drawn.ends, mapping(mapping(node.extra.get("labels")).get("inputs"))
        ),
        "outputs": _labelled(drawn.outputs, (), mapping(mapping(node.extra.get("labels")).get("outputs"))),
        "properties": {**properties, OURS: ours} if ours else properties,
        **({} if drawn.values is None else {"widgets_values": drawn.values}),
        **({"title": node.title} if node.title else {}),
        **{key: node.extra[key] for key in LOOKS if key in node.extra},
    }


def _labelled(
    slots: list[dict[str, Any]], ends: Sequence[str], labels: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Slots with what a person renamed them to, by our name or else by number."""
    names = ends or [str(number) for number in range(len(slots))]
    for slot, name in zip(slots, names, strict=True):
        if name in labels:
            slot["label"] = labels[name]
    return slots


def _left_over(node: Node, drawn: Drawn) -> dict[str, Any]:
    """What is kept with a node and has no place in the editor's format."""
    told = {*LOOKS, *drawn.told, "labels"}
    return {key: value for key, value in node.extra.items() if key not in told}


def _moved(was: Any, place: list[float]) -> dict[str, Any]:
    """Our layout of a node where it is not what the editor gets: it holds until someone moves the node."""
    return {} if was == place else {"was": was, "is": place}
