"""Sweeps: one workflow that runs once for every value of some inputs, what is common to all run once.

A sweep is a change of the document: nodes behind a swept input are copied, one for each combination of the
values that reach them; all others stay single. Checking, planning, caching and running know nothing of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from typing import Any, Final

from graph.document import Link, Node, Port, Workflow
from graph.editing import find_input, set_input
from graph.instances import WithSubgraphs
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.spec import NodeSpec
from graph.sweep_marks import COPY_OF, POINT

GRID: Final = "SweepGrid"
"""The node type that lays the pictures of a sweep out."""
MOST_COPIES: Final = 20_000
_SWEEP: Final = "sweep"

Point = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """One place on an axis: the values it sets, by address, and what a person sees of them."""

    values: Mapping[str, Any]
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Inputs that change together, stop by stop."""

    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A swept workflow: `workflow` holds the copies, points counts the combinations that are run."""

    workflow: Workflow
    points: int = 1
    copies: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of every copy the node that it is a copy of."""


def expand_sweep(workflow: Workflow, registry: Registry, axes: Sequence[Axis]) -> Sweep:
    """The workflow with copies for every combination of the axes' stops, and a grid for its pictures.

    The axis that reaches most nodes changes slowest, so that each checkpoint is loaded once. Copies are
    called `node~2.1` after the stops on the axes that reach them; an instance of a subgraph is copied whole.
    Raises WorkflowError with a sentence when an address or value does not fit, or when there would be more
    than MOST_COPIES copies.
    """
    clean = replace(workflow, extra={key: item for key, item in workflow.extra.items() if key != _SWEEP})
    if not axes:
        return Sweep(clean)
    reach = _reach(clean, registry, axes)
    count = prod(len(axis.stops) for axis in axes)
    made = sum(prod(len(axes[number].stops) for number in own) for own in reach.values())
    if made > MOST_COPIES:
        message = f"The sweep would make {made:,} copies of nodes; {MOST_COPIES:,} are the most."
        raise WorkflowError([Problem("sweep_too_large", message, fix="Give fewer values.")])
    copies = _Copies(clean, registry, axes, reach)
    nodes = {id: node for id, node in clean.nodes.items() if id not in reach}
    names = dict[str, str]()
    for point in copies.points():
        for id in reach:
            if (name := copies.name(id, point)) not in names:
                names[name], nodes[name] = id, copies.copy(id, point)
    nodes |= dict(_grids(copies, nodes))
    swept = replace(clean, nodes=nodes, ports=dict(_ports(clean, copies)))
    return Sweep(swept, count, names)


def point_of(workflow: Workflow, registry: Registry, values: Mapping[str, Any]) -> Workflow:
    """The workflow as it stands at one point of its sweep: what a picture made there carries."""
    clean = replace(workflow, extra={key: item for key, item in workflow.extra.items() if key != _SWEEP})
    for address, value in values.items():
        clean = set_input(clean, registry, address, value)
    return clean


def _reach(workflow: Workflow, registry: Registry, axes: Sequence[Axis]) -> dict[str, tuple[int, ...]]:
    """Of every node behind a swept input, in the workflow's order, the axes that reach it."""
    users = defaultdict[str, list[str]](list)
    for id, node in workflow.nodes.items():
        for value in node.inputs.values():
            if isinstance(value, Link):
                users[value.node].append(id)
    found = defaultdict[str, set[int]](set)
    for number, axis in enumerate(axes):
        waiting = [find_input(workflow, registry, name).node for name in _addresses(axis)]
        while waiting:
            id = waiting.pop()
            if number not in found[id]:
                found[id].add(number)
                waiting.extend(users[id])
    return {id: tuple(sorted(found[id])) for id in workflow.nodes if id in found}


def _addresses(axis: Axis) -> list[str]:
    return list(dict.fromkeys(name for stop in axis.stops for name in stop.values))


@dataclass(frozen=True)
class _Copies:
    """The copies of a sweep. reach: node → the numbers of the axes that reach it."""

    workflow: Workflow
    registry: Registry
    axes: Sequence[Axis]
    reach: Mapping[str, tuple[int, ...]]

    def points(self) -> Iterator[Point]:
        """Every combination of stops, the axis that reaches most nodes changing slowest."""
        sizes = [sum(number in own for own in self.reach.values()) for number in range(len(self.axes))]
        order = sorted(range(len(self.axes)), key=lambda number: -sizes[number])
        places = {number: place for place, number in enumerate(order)}
        for stops in product(*(range(len(self.axes[number].stops)) for number in order)):
            yield tuple(stops[places[number]] for number in range(len(self.axes)))

    def name(self, id: str, point: Point) -> str:
        """The id of a node's copy at a point; of a node that no axis reaches its own."""
        own = self.reach.get(id)
        if own is None:
            return id
        name = f"{id}~{'.'.join(str(point[number] + 1) for number in own)}"
        while name in self.workflow.nodes:
            name += "~"
        return name

    def stops(self, id: str, point: Point) -> list[Stop]:
        """The stops that reach a node at a point."""
        return [self.axes[number].stops[point[number]] for number in self.reach.get(id, ())]

    def copy(self, id: str, point: Point) -> Node:
        """A node's copy at a point: swept inputs set, links leading to copies."""
        stops = self.stops(id, point)
        values = {address: value for stop in stops for address, value in stop.values.items()}
        node = self._set(id, values)
        inputs = {
            name: Link(self.name(value.node, point), value.output) if isinstance(value, Link) else value
            for name, value in node.inputs.items()
        }
        title = f"{node.title or self._title(node)} ({', '.join(stop.label for stop in stops)})"
        return replace(node, inputs=inputs, title=title, extra={**node.extra, POINT: values, COPY_OF: id})

    def _set(self, id: str, values: Mapping[str, Any]) -> Node:
        workflow = self.workflow
        for address, value in values.items():
            if find_input(workflow, self.registry, address).node == id:
                workflow = set_input(workflow, self.registry, address, value)
        return workflow.nodes[id]

    def _title(self, node: Node) -> str:
        spec = WithSubgraphs(self.workflow, self.registry).get(node.type)
        return spec.title if spec else node.type


def _ports(workflow: Workflow, copies: _Copies) -> Iterator[tuple[str, Port]]:
    """Ports at single nodes as they are; an output of a copied node once for each copy."""
    for name, port in workflow.ports.items():
        if port.node not in copies.reach:
            yield name, port
        elif port.output:
            for point in copies.points():
                copy = copies.name(port.node, point)
                yield f"{name}{copy.removeprefix(port.node)}", replace(port, node=copy)


def _grids(copies: _Copies, nodes: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """For every output node of pictures that was copied: a grid of all, and one more node that saves it."""
    if GRID not in copies.registry:
        return
    for id in copies.reach:
        node = copies.workflow.nodes[id]
        spec = copies.registry.get(node.type)
        picture = _picture_input(node, spec) if spec and spec.output and node.mode == "run" else None
        if picture is None:
            continue
        grid = f"{id}~grid"
        yield grid, _grid(id, copies, nodes, picture)
        inputs = {**node.inputs, picture: Link(grid, "IMAGE")}
        if isinstance(prefix := inputs.get("filename_prefix"), str):
            inputs["filename_prefix"] = f"{prefix}-grid"
        plain = {
            key: item for key, item in inputs.items() if key == picture or not _copied(item, copies.reach)
        }
        yield f"{id}~save grid", Node(node.type, plain, title="Grid")


def _copied(value: Any, reach: Mapping[str, Any]) -> bool:
    return isinstance(value, Link) and value.node in reach


def _picture_input(node: Node, spec: NodeSpec) -> str | None:
    """The input through which an output node gets its pictures."""
    pictures = (item.name for item in spec.inputs if "IMAGE" in item.type.names)
    return next((name for name in pictures if isinstance(node.inputs.get(name), Link)), None)


def _grid(id: str, copies: _Copies, nodes: Mapping[str, Node], picture: str) -> Node:
    """The node that lays out what the copies of an output node get: the last axis across, others down."""
    own = copies.reach[id]
    across, down = copies.axes[own[-1]], [copies.axes[number] for number in own[:-1]]
    rows = [", ".join(stop.label for stop in stops) for stops in product(*(axis.stops for axis in down))]
    inputs: dict[str, Any] = {
        "column_labels": [stop.label for stop in across.stops],
        "row_labels": [] if rows == [""] else rows,
    }
    full = [0] * len(copies.axes)
    for place, stops in enumerate(product(*(range(len(copies.axes[number].stops)) for number in own))):
        for number, stop in zip(own, stops, strict=True):
            full[number] = stop
        inputs[f"picture_{place + 1}"] = nodes[copies.name(id, tuple(full))].inputs[picture]
    return Node(GRID, inputs, title="Grid")
