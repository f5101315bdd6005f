"""Subgraphs, reroutes and primitives taken out of a workflow: what is left runs, every link at its source.

Node 12 within instance 5 is called 5:12. Nothing else of the engine knows of subgraphs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast

from graph.bypass import bypass_input
from graph.document import INPUTS, PRIMITIVE, REROUTE, SUBGRAPH, VALUE, Link, Node, Port, Workflow
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.scopes import Scope, scopes_of
from graph.sockets import ANY, socket_type
from graph.spec import MISSING, NodeSpec
from graph.sweep_marks import COPY_OF, POINT

VIRTUAL: Final = (REROUTE, PRIMITIVE)
HIDDEN: Final = "hidden_values"
"""Key of a node's `extra`: values that stand behind a link, and count where it leads to nothing."""
CONTROL: Final = "control"
"""Key of a node's `extra`: what happens to values after a run."""


NO_TYPES: Final = Registry(())
"""Where only the shape of a workflow is asked for."""


class Given(NamedTuple):
    """The end of a link at a value, and what happens to that after a run."""

    value: Any
    control: str = ""


End = Link | Given | None
"""Where a link really comes from: a node that runs, a value, or nothing."""
Wanted = tuple[str, ...]


class Step(NamedTuple):
    """A link on its way to its end, and the value that counts where it leads to nothing."""

    scope: Scope
    link: Link
    fallback: Any = MISSING


def is_flat(workflow: Workflow) -> bool:
    """Whether a workflow holds nothing that has to be taken out before it runs."""
    return not any(is_structure(node) for node in workflow.nodes.values())


def is_structure(node: Node) -> bool:
    """Whether a node is an instance of a subgraph, a reroute or a primitive."""
    return node.type in VIRTUAL or node.type.startswith(SUBGRAPH)


def flat(workflow: Workflow, types: NodeTypes) -> Workflow:
    """The workflow as it runs: instances replaced by their nodes, reroutes and primitives gone.

    Given back unchanged when there are none. Linear, any length. Raises WorkflowError when subgraphs
    contain themselves or become too large. Instances of subgraphs that are not there stay.
    """
    if is_flat(workflow):
        return workflow
    problems = list[Problem]()
    scopes = scopes_of(workflow, problems)
    if problems:
        raise WorkflowError(problems)
    flattening = _Flattening(workflow, types, scopes, _names(scopes))
    nodes = dict(flattening.nodes())
    return replace(workflow, nodes=nodes, ports=dict(flattening.ports()), subgraphs={})


def targets_within(workflow: Workflow, targets: Iterable[str]) -> tuple[str, ...]:
    """Targets in a flat workflow: an instance stands for those of its nodes that no other of them needs."""
    found = dict[str, None]()
    for target in targets:
        found |= dict.fromkeys((target,) if target in workflow.nodes else _last_in(workflow, target))
    return tuple(found)


def _last_in(workflow: Workflow, target: str) -> Sequence[str]:
    start = f"{target}:"
    inside = {id: node for id, node in workflow.nodes.items() if id.startswith(start)}
    links = (value for node in inside.values() for value in node.inputs.values())
    used = {value.node for value in links if isinstance(value, Link)}
    return [id for id in inside if id not in used] or [target]


def _names(scopes: Sequence[Scope]) -> dict[tuple[str, str], str]:
    """Of every node, by its scope's path and its id there, the id it runs under."""
    found, taken = dict[tuple[str, str], str](), set[str]()
    for scope in scopes:
        for id in scope.nodes:
            name = f"{scope.path}{id}"
            while name in taken:
                name += "'"
            taken.add(name)
            found[scope.path, id] = name
    return found


@dataclass(frozen=True)
class _Flattening:
    """A workflow being flattened.

    known: ends that were found, so that long ways are gone once. copied: of every scope the path before a
    sweep copied what it lies in, and the point that the copy is for.
    """

    workflow: Workflow
    types: NodeTypes
    scopes: Sequence[Scope]
    names: Mapping[tuple[str, str], str]
    known: dict[tuple[str, Link, Wanted], End] = field(default_factory=dict[Any, End])
    copied: dict[str, tuple[str, Any]] = field(default_factory=dict[str, tuple[str, Any]])

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """The nodes that run, by id."""
        off = set[str]()
        for scope in self.scopes:
            self._note_copy(scope)
            parent = scope.parent
            if parent and (parent.path in off or parent.nodes[scope.id].mode != "run"):
                off.add(scope.path)
            for id, node in scope.nodes.items():
                if not self._is_gone(scope, id, node):
                    muted = scope.path in off and not self.workflow.imported
                    yield self.names[scope.path, id], self._node(scope, id, node, muted)

    def ports(self) -> Iterator[tuple[str, Port]]:
        """The ports at nodes that run. An output of an instance is that of the node behind it."""
        root = self.scopes[0]
        for name, port in self.workflow.ports.items():
            node = root.nodes.get(port.node)
            if node is None or not self._is_gone(root, port.node, node):
                yield name, port
            elif port.output:
                end = self._end(Step(root, Link(port.node, port.output)), ANY.names)
                if isinstance(end, Link):
                    yield name, replace(port, node=end.node, output=end.output)

    def _is_gone(self, scope: Scope, id: str, node: Node) -> bool:
        return id in scope.children or (node.type in VIRTUAL and self.types.get(node.type) is None)

    def _node(self, scope: Scope, id: str, node: Node, muted: bool) -> Node:
        spec, inputs, controls = self.types.get(node.type), dict[str, Any](), dict[str, str]()
        hidden = _mapping(node.extra.get(HIDDEN))
        for name, (value, at) in scope.values(id).items():
            end = self._end(Step(at, value), _wanted(spec, name)) if isinstance(value, Link) else Given(value)
            if isinstance(end, Link):
                inputs[name] = end
            elif isinstance(end, Given) and not (value is not end.value and self._refuses(spec, name)):
                inputs[name] = end.value
                controls |= {name: end.control} if end.control else {}
            elif name in hidden:
                inputs[name] = hidden[name]
        extra = {**node.extra, **self._copy_of(scope, id)}
        if controls:
            extra[CONTROL] = {**_mapping(node.extra.get(CONTROL)), **controls}
        return replace(node, inputs=inputs, extra=extra, mode="mute" if muted else node.mode)

    def _refuses(self, spec: NodeSpec | None, name: str) -> bool:
        """Whether an input takes links only: ComfyUI's front end drops the value there."""
        found = next((input for input in spec.inputs if input.name == name), None) if spec else None
        return self.workflow.imported and found is not None and found.widget is None

    def _copy_of(self, scope: Scope, id: str) -> dict[str, Any]:
        """What tells a node within a copy that a sweep made of an instance which node it is a copy of."""
        path, point = self.copied[scope.path]
        return {} if point is None else {POINT: point, COPY_OF: f"{path}{id}"}

    def _note_copy(self, scope: Scope) -> None:
        if scope.parent is None:
            self.copied[scope.path] = ("", None)
            return
        path, point = self.copied[scope.parent.path]
        extra = scope.parent.nodes[scope.id].extra
        self.copied[scope.path] = (f"{path}{extra.get(COPY_OF, scope.id)}:", extra.get(POINT, point))

    def _end(self, step: Step, wanted: Wanted) -> End:
        """Where a link really comes from, through reroutes, borders and bypassed instances."""
        trail = [step]
        while (key := (step.scope.path, step.link, wanted)) not in self.known:
            self.known[key] = None  # what a circle gives
            onward = self._onward(step, wanted)
            if isinstance(onward, Step):
                trail.append(step := onward)
            else:
                self.known[key] = onward
        end = self.known[key]
        for before, after in pairwise(reversed(trail)):
            if end is None and before.fallback is not MISSING:
                end = Given(before.fallback)
            self.known[after.scope.path, after.link, wanted] = end
        return end

    def _onward(self, step: Step, wanted: Wanted) -> Step | End:
        scope, link = step.scope, step.link
        if link.node == INPUTS and scope.parent:
            return self._value(scope.parent, scope.id, link.output)
        node = scope.nodes.get(link.node)
        if node is None:
            return None if scope.parent else link
        if not self._is_gone(scope, link.node, node):
            return Link(self.names[scope.path, link.node], link.output)
        child = scope.children.get(link.node)
        if child is None:
            control = _mapping(node.extra.get(CONTROL)).get(VALUE, "")
            return self._value(scope, link.node, VALUE, control)
        if node.mode == "bypass":
            return self._passed_by(scope, child, link, wanted)
        output = child.definition.outputs.get(link.output) if child.definition else None
        return Step(child, output.link) if output and output.link else None

    def _value(self, scope: Scope, id: str, input: str, control: str = "") -> Step | End:
        value, at = scope.value(id, input)
        hidden = _mapping(scope.nodes[id].extra.get(HIDDEN)).get(input, MISSING)
        if isinstance(value, Link):
            return Step(at, value, hidden)
        return None if value is MISSING else Given(value, control)

    def _passed_by(self, scope: Scope, child: Scope, link: Link, wanted: Wanted) -> Step | End:
        if child.definition is None:
            return None
        ends = child.definition.inputs, child.definition.outputs
        given, made = ([socket_type(item.type).names for item in side.values()] for side in ends)
        names = list(child.definition.outputs)
        slot = names.index(link.output) if link.output in names else -1
        index = bypass_input(given, made, slot, wanted)
        return None if index is None else self._value(scope, child.id, list(ends[0])[index])


def _wanted(spec: NodeSpec | None, name: str) -> Wanted:
    found = (input.type.names for input in spec.inputs if input.name == name) if spec else iter(())
    return next(found, ANY.names)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
