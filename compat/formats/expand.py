"""Subgraphs expanded: every instance becomes a scope of its own, and wires are traced across borders."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compat.formats.litegraph import PRIMITIVE, REROUTE, Definition, RawGraph, RawNode
from compat.formats.modes import bypass_input
from compat.formats.shape import identity, mapping, sequence, text
from compat.formats.widgets import CONTROLS
from graph.problems import Problem
from graph.spec import MISSING

MOST_NODES: Final = 200_000
MOST_LEVELS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """One canvas in the expanded workflow. `path` begins the ids of its nodes: "5:" within instance 5.

    exposed: the instance's values for inputs that are widgets inside, by input number.
    overrides: the instance's values for widgets of inner nodes, by node and widget. children: by instance id.
    """

    graph: RawGraph
    path: str = ""
    level: int = 0
    definition: Definition | None = None
    instance: RawNode | None = None
    parent: "Scope | None" = None
    exposed: Mapping[int, Any] = field(default_factory=dict[int, Any])
    overrides: Mapping[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])
    children: "dict[str, Scope]" = field(default_factory=dict[str, "Scope"])


@dataclass(frozen=True, slots=True)
class End:
    """Where a wire really comes from: an output of a node in a scope, or a value of a widget, or nothing."""

    scope: Scope | None = None
    node: RawNode | None = None
    slot: int = 0
    value: Any = MISSING
    control: str = ""


def expand(
    graph: RawGraph, definition_of: Callable[[RawNode], Definition | None], problems: list[Problem]
) -> list[Scope]:
    """All scopes of a workflow, the outermost first. Circles and runaway sizes are told in `problems`."""
    root = Scope(graph)
    scopes, waiting, count = [root], deque([root]), len(graph.nodes)
    while waiting and count <= MOST_NODES:
        scope = waiting.popleft()
        for node in scope.graph.nodes.values():
            definition = definition_of(node)
            if definition is None:
                continue
            if message := _endless(scope, definition):
                problems.append(Problem("endless_subgraph", message, fix="Take the inner instance out."))
                return scopes
            child = _child(scope, node, definition)
            scope.children[node.id] = child
            scopes.append(child)
            waiting.append(child)
            count += len(definition.graph.nodes)
    if count > MOST_NODES:
        message = f"With its subgraphs expanded the workflow has more than {MOST_NODES} nodes."
        problems.append(Problem("too_large", message, fix="Use fewer instances of its subgraphs."))
    return scopes


def _endless(scope: Scope, definition: Definition) -> str:
    outer: Scope | None = scope
    while outer:
        if outer.definition and outer.definition.id == definition.id:
            return f"Subgraph {definition.name} contains itself."
        outer = outer.parent
    too_deep = scope.level >= MOST_LEVELS
    return f"Subgraphs are nested more than {MOST_LEVELS} deep at {definition.name}." if too_deep else ""


def _child(scope: Scope, node: RawNode, definition: Definition) -> Scope:
    places = _promoted(node, definition)
    values = node.values
    if isinstance(values, Mapping):
        given = {place: values[place[1]] for place in places if place[1] in values}
    else:
        given = dict(zip(places, _without_controls(values, len(places)), strict=False))
    numbers = {slot.name: index for index, slot in enumerate(definition.inputs)}
    return Scope(
        definition.graph,
        f"{scope.path}{node.id}:",
        scope.level + 1,
        definition,
        node,
        scope,
        {numbers[name]: value for (id, name), value in given.items() if id == "-1" and name in numbers},
        {place: value for place, value in given.items() if place[0] != "-1" and value is not None},
    )


def _promoted(node: RawNode, definition: Definition) -> list[tuple[str, str]]:
    """The widgets an instance shows, in order: an inner node's id and widget, or "-1" and an input's name."""
    if definition.promoted is not None:
        return [("-1", name) for name in definition.promoted]
    proxies = [sequence(item) for item in sequence(mapping(node.data.get("properties")).get("proxyWidgets"))]
    if proxies:
        return [(identity(item[0]), text(item[1])) for item in proxies if len(item) >= 2]
    shown = {slot.name: slot.widget for slot in node.inputs}
    return [
        ("-1", slot.name)
        for index, slot in enumerate(definition.inputs)
        if (shown[slot.name] if slot.name in shown else definition.feeds_widget(index))
    ]


def _without_controls(values: list[Any], count: int) -> list[Any]:
    """Values less those that tell what happens after a run, where there are more values than widgets."""
    return [value for value in values if value not in CONTROLS] if len(values) > count else values


def trace(scope: Scope, link: str, wanted: tuple[str, ...]) -> End:
    """Where a link of a scope really comes from, through reroutes, borders and bypassed instances."""
    at: Scope | None = scope
    value: Any = MISSING
    seen = set[tuple[str, str]]()
    while at and link and (at.path, link) not in seen:
        seen.add((at.path, link))
        wire = at.graph.links.get(link)
        if wire is None:
            break
        if at.definition and wire.origin == at.definition.input_id:
            value = at.exposed.get(wire.slot, value)
            at, link = at.parent, _outer_link(at, wire.slot)
            continue
        node = at.graph.nodes.get(wire.origin)
        if node is None:
            break
        if node.type == PRIMITIVE:
            return _primitive(node)
        if node.type != REROUTE and node.id not in at.children:
            return End(at, node, wire.slot)
        at, link = _through(at, node, wire.slot, wanted)
    return End(value=value)


def _through(scope: Scope, node: RawNode, slot: int, wanted: tuple[str, ...]) -> tuple[Scope, str]:
    """The wire before a reroute, or the one inside an instance that feeds its output."""
    if node.type == REROUTE:
        return scope, node.inputs[0].link if node.inputs else ""
    if node.mode == "bypass":
        given, made = ([slot.types for slot in ends] for ends in (node.inputs, node.outputs))
        index = bypass_input(given, made, slot, wanted)
        return scope, "" if index is None else node.inputs[index].link
    child = scope.children[node.id]
    return child, child.definition.link_to_output(slot) if child.definition else ""


def _outer_link(scope: Scope, number: int) -> str:
    """The link into an instance for an input of its subgraph, by name: unlinked ones may be left out."""
    inputs = scope.definition.inputs if scope.definition else ()
    ends = scope.instance.inputs if scope.instance else ()
    if not 0 <= number < len(inputs):
        return ""
    named = [end.link for end in ends if end.name == inputs[number].name]
    return named[0] if named else ends[number].link if len(ends) == len(inputs) else ""


def _primitive(node: RawNode) -> End:
    values = node.values if isinstance(node.values, list) else list(node.values.values())
    control = next((value for value in values[1:] if value in CONTROLS), "")
    return End(value=values[0] if values else MISSING, control=control)
