"""The parts of a node as ComfyUI's editor has them: slots, outputs, values of widgets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compat.formats.instances import BOUNDARY, PROXIES
from compat.formats.shape import identity, mapping, sequence, text
from compat.formats.values import widget_inputs, write_values
from compat.formats.widgets import CONTROLS, default_value, has_control, has_widget, socket_order
from graph.document import REROUTE, VALUE, Link, Node
from graph.sockets import ANY, SocketType, socket_type
from graph.spec import MISSING, Input, NodeSpec

_OPTIONAL_SHAPE: Final = 7
_LIST_SHAPE: Final = 6


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node's parts as the editor has them. `ends` are our names of the slots, `links` are by slot number.

    rest: inputs that fit nowhere. unset: what is written for widgets without a value. told: the keys of
    `Node.extra` that are in the parts. properties: what joins the node's own.
    """

    slots: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    values: list[Any] | None
    ends: tuple[str, ...] = ()
    links: Mapping[int, Link] = field(default_factory=dict[int, Link])
    rest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unset: Mapping[str, Any] = field(default_factory=dict[str, Any])
    told: frozenset[str] = frozenset({"properties"})
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])


def draw_known(node: Node, spec: NodeSpec) -> Drawn:
    """A node of a known type."""
    inputs = socket_order(spec)
    named = {input.name for input in inputs}
    slots = [_slot(input, has_widget(input)) for input in inputs]
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
        [output(item.name, item.type, item.is_list) for item in spec.outputs],
        write_values(spec, {**behind, **given}, controls),
        tuple(slot["name"] for slot in slots),
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


def _slot(input: Input, shown: bool) -> dict[str, Any]:
    slot: dict[str, Any] = {"name": input.name, "type": ",".join(input.type.names), "link": None}
    slot |= {"widget": {"name": input.name}} if shown else {}
    slot |= {"shape": _OPTIONAL_SHAPE} if not input.required else {}
    return slot | ({"label": input.hint.label} if input.hint.label else {})


def output(name: str, type: SocketType = ANY, is_list: bool = False) -> dict[str, Any]:
    """An output of a node."""
    slot: dict[str, Any] = {"name": name, "type": ",".join(type.names), "links": None}
    return slot | ({"shape": _LIST_SHAPE} if is_list else {})


def draw_unknown(node: Node) -> Drawn:
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
    outputs = [output(name, socket_type(type)) for name, type in _pairs(facts.get("outputs"))]
    told = frozenset({"properties", "slots", "widgets_values", "hidden_values", "control"})
    return Drawn(
        slots, outputs, values, tuple(slot["name"] for slot in slots), rest=more if raw else {}, told=told
    )


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


def draw_virtual(node: Node, fed: tuple[str, str]) -> Drawn:
    """A reroute or a primitive; fed: the name and types of the first input that it feeds."""
    told = frozenset({"properties", "slots", "widgets_values"})
    kept = _pairs(mapping(node.extra.get("slots")).get("outputs"))
    if node.type == REROUTE:
        name, kind = (kept or [("", fed[1])])[0]
        slot = {"name": "", "type": "*", "link": None}
        return Drawn([slot], [output(name, socket_type(kind))], None, (VALUE,), rest=_others(node), told=told)
    name, kind = (kept or [(fed[1], fed[1])])[0]
    widget = {"widget": {"name": fed[0]}} if fed[0] else {}
    rest, value = _others(node), node.inputs.get(VALUE)
    if isinstance(value, Link):
        rest, value = {**rest, VALUE: value}, None
    after = sequence(node.extra.get("widgets_values"))
    control = mapping(node.extra.get("control"))
    words = [control[VALUE], *after[1:]] if control.get(VALUE) in CONTROLS else after
    told |= {"control"} if control.keys() <= {VALUE} else frozenset[str]()
    values = [value, *words] if VALUE in node.inputs else []
    return Drawn([], [{**output(name, socket_type(kind)), **widget}], values, rest=rest, told=told)


def _others(node: Node) -> dict[str, Any]:
    return {name: value for name, value in node.inputs.items() if name != VALUE}


def draw_instance(node: Node, spec: NodeSpec, numbers: Mapping[str, int]) -> Drawn:
    """An instance of a subgraph; numbers: of the nodes within."""
    given, hidden = _literals(node), mapping(node.extra.get("hidden_values"))
    shown = {input.name for input in spec.inputs if input.widget or input.name in given}
    slots = [_slot(input, input.name in shown) for input in spec.inputs]
    places = _shown_places(node, spec, shown, numbers)
    values = {input.name: _first(default_value(input)) for input in spec.inputs if input.name in shown}
    held = {**values, **hidden, **given}
    names = {name: _address(name, numbers) for name in held}
    by_place = {place: held[name] for name, place in names.items()}
    told = {"properties"} | ({"hidden_values"} if hidden.keys() <= shown else set[str]())
    listed = {names[name] for name in held} & set(places)
    return Drawn(
        slots,
        [output(item.name, item.type) for item in spec.outputs],
        [by_place.get(place) for place in places],
        tuple(input.name for input in spec.inputs),
        rest={name: value for name, value in given.items() if names[name] not in listed or value is None},
        unset={name: value for name, value in values.items() if name not in given and name not in hidden},
        told=frozenset(told),
        properties={PROXIES: [list(place) for place in places]} if _lists_them(node, places) else {},
    )


Place = tuple[str, str]


def _lists_them(node: Node, places: list[Place]) -> bool:
    """Whether the shown widgets have to be listed: some are of nodes inside, or they were listed before."""
    listed = PROXIES in mapping(node.extra.get("properties"))
    return listed or any(id != BOUNDARY for id, _ in places)


def _shown_places(node: Node, spec: NodeSpec, shown: set[str], numbers: Mapping[str, int]) -> list[Place]:
    """The widgets that an instance shows: in the order the editor had, then those that came since."""
    kept = [sequence(item) for item in sequence(mapping(node.extra.get("properties")).get(PROXIES))]
    old = [(identity(item[0]), text(item[1])) for item in kept if len(item) == 2]
    own = [(BOUNDARY, input.name) for input in spec.inputs if input.name in shown]
    inside = [
        _address(name, numbers)
        for name in _literals(node)
        if name not in {input.name for input in spec.inputs}
    ]
    return list(dict.fromkeys([*old, *own, *(place for place in inside if place[0] != BOUNDARY)]))


def _address(name: str, numbers: Mapping[str, int]) -> Place:
    """ "3.width" as the editor tells it, by the number of the inner node; other names are the boundary's."""
    ids = (name[:at] for at in range(len(name) - 1, 0, -1) if name[at] == ".")
    inner = next((id for id in ids if id in numbers), None)
    return (BOUNDARY, name) if inner is None else (str(numbers[inner]), name[len(inner) + 1 :])


def _first(value: Any) -> Any:
    return "" if value is MISSING else value
