"""Validation: every problem of a workflow at once, before anything runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from graph.checking import Checking, Kind, outputs_named
from graph.context import Files
from graph.document import SUBGRAPH, Node, Port, Workflow
from graph.fact_checks import Told, fact_problems
from graph.flat import flat, targets_within
from graph.modes import active_workflow
from graph.node_checks import node_problems
from graph.order import circles, needed_by, ordered
from graph.problems import Problem, Repair, capped
from graph.registry import Ambiguous, Registry
from graph.spec import NodeSpec, never_run
from graph.subgraph_checks import subgraph_problems
from graph.suggestions import did_you_mean, listed

MOST_SUGGESTIONS = 20
LONGEST_CIRCLE = 20
MOST_PROBLEMS = 1000
ENDLESS = ("endless_subgraph", "too_large")
"""Problems of subgraphs that cannot be expanded, so that nothing else can be told."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check finds: every problem, and the facts that are known of outputs before anything runs."""

    problems: list[Problem]
    facts: Told


def validate(
    workflow: Workflow,
    registry: Registry,
    files: Files | None = None,
    targets: Iterable[str] | None = None,
) -> list[Problem]:
    """Every problem of a workflow, in the order of its nodes; errors stop a run, warnings do not."""
    return check(workflow, registry, files, targets).problems


def check(
    workflow: Workflow,
    registry: Registry,
    files: Files | None = None,
    targets: Iterable[str] | None = None,
) -> Checked:
    """Every problem of a workflow, in the order of its nodes, and the facts of its outputs.

    targets: ids of the nodes to run; without, all output nodes. Problems of nodes that no target needs are
    warnings. Strict for our own documents; one with `imported` gets the field's conversions, with warnings.
    Linear in nodes and links, any depth, and nothing is changed. Nodes within instances are told by their
    path: 5:12 is node 12 in instance 5.
    """
    structure = subgraph_problems(workflow)
    if any(problem.code in ENDLESS for problem in structure):
        return Checked(structure, {})
    workflow = flat(workflow, registry)
    checking = Checking(workflow, registry, _kinds(workflow, registry), files)
    asked = None if targets is None else targets_within(workflow, targets)
    goals = _goals(checking) if asked is None else [key for key in asked if key in workflow.nodes]
    order = ordered(checking.sources)
    facts: Told = {}
    found = [
        *structure,
        *_type_problems(checking),
        *_node_problems(checking),
        *_circle_problems(checking, circles(checking.sources, order.circular)),
        *fact_problems(checking, order.nodes, facts),
        *_port_problems(checking),
    ]
    found.extend(_goal_problems(checking, goals) if asked is None else _target_problems(checking, asked))
    ranked = _ranked(workflow, found, needed_by(goals, checking.sources) if goals else None)
    return Checked(ranked, facts)


def _kinds(workflow: Workflow, registry: Registry) -> dict[str, Kind]:
    names = dict.fromkeys(node.type for node in workflow.nodes.values())
    found = {name: registry.resolve(name) for name in names}
    return {name: Kind.of(spec) for name, spec in found.items() if isinstance(spec, NodeSpec)}


def _goals(checking: Checking) -> list[str]:
    """Nodes that a run is for: outputs and those of unknown type, which may be outputs; else output ports."""
    nodes, muted = checking.workflow.nodes, _stopped_by_mute(checking)
    running = [key for key, node in nodes.items() if node.mode == "run" and key not in muted]
    outputs = [key for key in running if (kind := checking.kind(key)) is None or kind.spec.output]
    ports = {port.node for port in checking.workflow.ports.values() if port.output}
    return outputs or [key for key in running if key in ports]


def _stopped_by_mute(checking: Checking) -> set[str]:
    """Nodes that do not run because they need a muted node: wanted so, and no mistake."""
    nodes = checking.workflow.nodes
    dropped = active_workflow(checking.workflow, checking.registry).dropped
    return {key for key, cut in dropped.items() if nodes[cut.node].mode == "mute"}


def _ranked(workflow: Workflow, found: list[Problem], needed: set[str] | None) -> list[Problem]:
    """Problems in the order of nodes, those of the whole last; warnings where no target needs the node."""
    place = {key: index for index, key in enumerate(workflow.nodes)}
    if needed is not None:
        found = [
            replace(problem, severity="warning")
            if problem.node in place and problem.node not in needed and problem.code != "dangling_port"
            else problem
            for problem in found
        ]
    return capped(sorted(found, key=lambda problem: place.get(problem.node or "", len(place))))


def _type_problems(checking: Checking) -> Iterator[Problem]:
    near = dict[str, str]()
    for key, node in checking.workflow.nodes.items():
        if node.mode == "mute" or node.type in checking.kinds or node.type.startswith(SUBGRAPH):
            continue
        found = checking.registry.resolve(node.type)
        if isinstance(found, Ambiguous):
            message = f"Node {key[:80]}: node type '{node.type}' is in several plugins."
            ids = listed(found.full_ids)
            yield Problem("ambiguous_node_type", message, key, fix=f"Write the one you mean in full: {ids}.")
        else:
            message = f"Node {key[:80]}: there is no node type '{node.type[:80]}'."
            if node.type not in near:
                few = len(near) < MOST_SUGGESTIONS
                near[node.type] = next(iter(checking.registry.nearest(node.type)), "") if few else ""
            meant = near[node.type]
            fix, repair = (f"Did you mean {meant}?", Repair("retype", meant)) if meant else (_INSTALL, None)
            yield Problem("unknown_node_type", message, key, fix=fix, repair=repair)


_ALL_OFF = "Nothing would run: every output node is muted or bypassed, or needs a muted node."
_INSTALL = "Install the plugin that defines it, or delete the node."


def _node_problems(checking: Checking) -> list[Problem]:
    found, errors = list[Problem](), 0
    for key, node in checking.workflow.nodes.items():
        if node.mode == "run":
            several = list(node_problems(checking, key, node, checking.kinds.get(node.type) or _blank(node)))
            errors += sum(problem.severity == "error" for problem in several)
            found.extend(several)
        if errors > MOST_PROBLEMS:
            message = (
                f"There are more than {MOST_PROBLEMS} problems; nodes after {checking.name(key)} were left."
            )
            return [*found, Problem("more_problems", message)]
    return found


def _blank(node: Node) -> Kind:
    """Stands for an unknown node type: any input is right, so that only broken links are told."""
    return Kind.of(NodeSpec(node.type, run=never_run, takes_any_input=True))


def _circle_problems(checking: Checking, found: Sequence[Sequence[str]]) -> Iterator[Problem]:
    for circle in found:
        names = [checking.name(key) for key in (*circle, circle[0])]
        if len(names) > LONGEST_CIRCLE:
            half = LONGEST_CIRCLE // 2
            names = [*names[:half], f"{len(names) - 2 * half} more", *names[-half:]]
        what = "A node feeds itself" if len(circle) == 1 else "Nodes feed each other in a circle"
        fix = "Remove one of these links." if len(circle) > 1 else "Remove the link."
        yield Problem("cycle", f"{what}: {' → '.join(names)}.", circle[0], fix=fix)


def _goal_problems(checking: Checking, goals: Sequence[str]) -> Iterator[Problem]:
    if goals:
        return
    if any(kind.spec.output for kind in checking.kinds.values()):
        yield Problem("no_outputs", _ALL_OFF, fix="Unmute one.")
        return
    known = next((spec.id for spec in checking.registry if spec.output), "")
    fix = f"Add one, such as {known}." if known else ""
    yield Problem("no_outputs", "The workflow has no output node, so running it would make nothing.", fix=fix)


def _target_problems(checking: Checking, targets: Iterable[str]) -> Iterator[Problem]:
    nodes = checking.workflow.nodes
    for key in targets:
        if key not in nodes:
            yield Problem("unknown_target", f"There is no node {key} to run.", fix=did_you_mean(key, nodes))
        elif nodes[key].mode != "run":
            state = "muted" if nodes[key].mode == "mute" else "bypassed"
            yield Problem("muted_target", f"{checking.label(key)} is {state}, so it cannot be run.", key)


def _port_problems(checking: Checking) -> Iterator[Problem]:
    for name, port in checking.workflow.ports.items():
        if found := _port_fault(checking, port):
            message, fix = found
            yield Problem("dangling_port", f"Port {name[:80]}: {message}", port.node, port.input or None, fix)


def _port_fault(checking: Checking, port: Port) -> tuple[str, str] | None:
    nodes: Mapping[str, Node] = checking.workflow.nodes
    if port.node not in nodes:
        return f"node {port.node[:80]} does not exist.", did_you_mean(port.node, nodes)
    if bool(port.input) == bool(port.output):
        return "it must name one input or one output of its node.", "Name one of them."
    kind = checking.kind(port.node)
    if kind is None or kind.spec.takes_any_input:
        return None
    if port.input and port.input not in kind.inputs:
        return f"node {checking.name(port.node)} has no input {port.input[:80]}.", did_you_mean(
            port.input, kind.inputs
        )
    if port.output and port.output not in kind.outputs:
        return f"node {checking.name(port.node)} has no output {port.output[:80]}.", outputs_named(kind)
    return None
