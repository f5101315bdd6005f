"""Planning: which nodes the wanted outputs need, and in what order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn

from graph.document import Link, Node, Workflow
from graph.flat import flat, targets_within
from graph.literals import resolved_value
from graph.modes import Cut, active_workflow
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.spec import FileChoice, Input, NodeSpec
from graph.suggestions import did_you_mean

_LONGEST_CIRCLE: Final = 20


class Source(NamedTuple):
    """Where a linked input gets its value: a node, and the place and name of its output."""

    node: str
    place: int
    output: str


@dataclass(frozen=True, slots=True)
class Ends:
    """A node type prepared for running: its inputs and outputs by name, and which inputs are special.

    any_links: links to undeclared inputs are passed on; any_input: literals too. partial: it runs without
    those inputs whose source failed or was blocked.
    """

    spec: NodeSpec
    inputs: Mapping[str, Input]
    outputs: Mapping[str, int]
    lazy: frozenset[str]
    raw: frozenset[str]
    files: Mapping[str, str]
    any_input: bool
    any_links: bool
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a plan: its literals as the node gets them, and where its other inputs come from.

    display: the node a person sees in its place, for nodes made while running; "" for all others.
    """

    id: str
    ends: Ends
    node: Node
    literals: Mapping[str, Any]
    sources: Mapping[str, Source]
    display: str = ""

    @property
    def spec(self) -> NodeSpec:
        """The node's type."""
        return self.ends.spec

    @property
    def name(self) -> str:
        """What a sentence calls the node: sampler (KSampler)."""
        title = self.node.title or self.ends.spec.title or self.node.type
        return f"{self.id[:80]} ({title[:80]})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs: steps by node id, sources before their users; the nodes asked for.

    dropped: nodes that would run but need a muted one, with the reason.
    """

    steps: Mapping[str, Step]
    targets: tuple[str, ...]
    dropped: Mapping[str, str] = field(default_factory=dict[str, str])


class Types:
    """Node types by the names a graph uses, each prepared once."""

    __slots__ = ("_known", "_registry")

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known = dict[str, Ends | None]()

    @property
    def registry(self) -> Registry:
        """The node types there are."""
        return self._registry

    def get(self, type: str) -> Ends | None:
        """A node type, or None when it is unknown or ambiguous."""
        if type not in self._known:
            spec = self._registry.get(type)
            self._known[type] = None if spec is None else ends_of(spec)
        return self._known[type]


def ends_of(spec: NodeSpec) -> Ends:
    """A node type, prepared for running."""
    lazy = (item.name for item in spec.inputs if item.hint.lazy and spec.needs is not None)
    return Ends(
        spec=spec,
        inputs={item.name: item for item in spec.inputs},
        outputs={item.name: index for index, item in reversed(list(enumerate(spec.outputs)))},
        lazy=frozenset(lazy),
        raw=frozenset(item.name for item in spec.inputs if item.hint.raw_link),
        files={item.name: item.widget.kind for item in spec.inputs if isinstance(item.widget, FileChoice)},
        any_input=spec.takes_any_input,
        any_links=spec.takes_any_input or bool(spec.extra.get("any_links")),
        partial=bool(spec.extra.get("partial")),
    )


def plan(workflow: Workflow, registry: Registry, targets: Iterable[str] | None = None) -> Plan:
    """The steps that the wanted nodes need, in a fixed order that ends each branch before the next begins.

    targets: ids of nodes; without, all output nodes, or else the nodes behind output ports. Muted and
    bypassed nodes are gone. Linear, any depth. Raises WorkflowError for a circle (named node by node),
    unknown types and nodes, and when there is nothing to run.
    """
    workflow = flat(workflow, registry)
    targets = None if targets is None else targets_within(workflow, targets)
    active = active_workflow(workflow, registry)
    types = Types(registry)
    goals = _goals(workflow, active.workflow, types, targets)
    steps = _steps(active.workflow, types, goals)
    return Plan(steps, goals, {node: _why(cut) for node, cut in active.dropped.items()})


def _why(cut: Cut) -> str:
    return f"needs {cut.node}, which {cut.reason}"


def _refuse(
    code: str, message: str, node: str | None = None, input: str | None = None, fix: str = ""
) -> NoReturn:
    raise WorkflowError([Problem(code, message, node, input, fix)])


def _goals(whole: Workflow, active: Workflow, types: Types, targets: Iterable[str] | None) -> tuple[str, ...]:
    if targets is not None:
        goals = tuple(dict.fromkeys(targets))
        for goal in goals:
            _check_target(whole, active, goal)
        return goals
    goals = tuple(
        key for key, node in active.nodes.items() if (ends := types.get(node.type)) and ends.spec.output
    ) or tuple(
        dict.fromkeys(
            port.node for port in active.ports.values() if port.output and port.node in active.nodes
        )
    )
    if not goals:
        _refuse("no_outputs", "The workflow has no output node, so running it would make nothing.")
    return goals


def _check_target(whole: Workflow, active: Workflow, goal: str) -> None:
    if goal not in whole.nodes:
        message = f"There is no node {goal[:80]} to run."
        _refuse("unknown_target", message, fix=did_you_mean(goal, whole.nodes))
    if goal not in active.nodes:
        _refuse(
            "muted_target",
            f"Node {goal[:80]} is muted, bypassed or needs a muted node, so it cannot be run.",
            goal,
        )


def _steps(workflow: Workflow, types: Types, goals: Sequence[str]) -> dict[str, Step]:
    """Steps in post-order from the goals: a walk that keeps its path, so a circle can be named."""
    done = dict[str, Step]()
    for goal in goals:
        if goal in done:
            continue
        first = _step(workflow, types, goal)
        path: dict[str, tuple[Step, Iterator[Source]]] = {goal: (first, iter(first.sources.values()))}
        while path:
            step, waiting = next(reversed(path.values()))
            for source in waiting:
                if source.node in path:
                    _refuse_circle(path, source.node)
                if source.node not in done:
                    deeper = _step(workflow, types, source.node)
                    path[source.node] = (deeper, iter(deeper.sources.values()))
                    break
            else:
                path.popitem()
                done[step.id] = step
    return done


def _refuse_circle(path: Mapping[str, tuple[Step, Any]], start: str) -> NoReturn:
    walked = list(path)
    names = [path[key][0].name for key in reversed(walked[walked.index(start) :])]
    names.append(names[0])
    if len(names) > _LONGEST_CIRCLE:
        half = _LONGEST_CIRCLE // 2
        names = [*names[:half], f"{len(names) - 2 * half} more", *names[-half:]]
    message = f"Nodes feed each other in a circle: {' → '.join(names)}."
    _refuse("cycle", message, start, fix="Remove one of these links.")


def _step(workflow: Workflow, types: Types, key: str) -> Step:
    node = workflow.nodes[key]
    ends = types.get(node.type)
    if ends is None:
        _refuse("unknown_node_type", f"Node {key[:80]}: there is no node type '{node.type[:80]}'.", key)
    sources = dict[str, Source]()
    for name, link in passed_links(ends, node):
        sources[name] = _source(workflow, types, key, name, link)
    return Step(key, ends, node, literals_of(ends, node, workflow.imported), sources)


def passed_links(ends: Ends, node: Node) -> Iterator[tuple[str, Link]]:
    """The links of a node that its type takes, by input name."""
    for name, value in node.inputs.items():
        if isinstance(value, Link) and (name in ends.inputs or ends.any_links):
            yield name, value


def literals_of(ends: Ends, node: Node, lenient: bool) -> dict[str, Any]:
    """The literals of a node that its type takes, as the node gets them."""
    literals = dict[str, Any]()
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            continue
        if (input := ends.inputs.get(name)) is not None:
            literals[name] = resolved_value(input, value, lenient)
        elif ends.any_input:
            literals[name] = value
    return literals


def _source(workflow: Workflow, types: Types, key: str, name: str, link: Link) -> Source:
    node = workflow.nodes.get(link.node)
    if node is None:
        _refuse(
            "dangling_link",
            f"Node {key[:80]}, input {name[:80]}: node {link.node[:80]} does not exist.",
            key,
            name,
        )
    ends = types.get(node.type)
    if ends is None:
        _refuse(
            "unknown_node_type",
            f"Node {link.node[:80]}: there is no node type '{node.type[:80]}'.",
            link.node,
        )
    if link.output not in ends.outputs:
        message = (
            f"Node {key[:80]}, input {name[:80]}: node {link.node[:80]} has no output '{link.output[:80]}'."
        )
        _refuse("unknown_output", message, key, name)
    return Source(link.node, ends.outputs[link.output], link.output)
