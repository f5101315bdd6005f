"""Mute and bypass: the part of a workflow that is to run, with every wire at its true source."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from graph.document import Link, Node, Workflow
from graph.registry import Registry
from graph.sockets import names_fit
from graph.spec import MISSING, Input, NodeSpec


@dataclass(frozen=True, slots=True)
class Cut:
    """Why a wire carries nothing: its source `node` is muted or passes nothing of this type."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Active:
    """A workflow without muted and bypassed nodes.

    workflow: only nodes with mode "run"; links lead to such nodes, or to nodes that do not exist.
    dropped: nodes with mode "run" that cannot run, because a value they need is muted; with the reason.
    cut: links left out because an input can do without, by (node, input).
    """

    workflow: Workflow
    dropped: Mapping[str, Cut]
    cut: Mapping[tuple[str, str], Cut]


_NONE: Final[Mapping[str, Cut]] = {}


def active_workflow(workflow: Workflow, registry: Registry) -> Active:
    """The workflow as it runs: muted nodes and what needs them gone, bypassed nodes replaced by their input.

    Given back unchanged when no node is muted or bypassed. Linear in nodes and links, any depth.
    """
    if all(node.mode == "run" for node in workflow.nodes.values()):
        return Active(workflow, _NONE, {})
    specs = {name: registry.get(name) for name in {node.type for node in workflow.nodes.values()}}
    ends, known = dict[tuple[str, str], Link | Cut](), dict[Link, Link | Cut]()
    for key, node in workflow.nodes.items():
        if node.mode == "run":
            for name, value in node.inputs.items():
                if isinstance(value, Link):
                    ends[key, name] = true_source(workflow, specs, value, known)
    dropped = _dropped(workflow, specs, ends)
    cut = {place: end for place, end in ends.items() if isinstance(end, Cut) and place[0] not in dropped}
    cut |= {
        (key, name): dropped[end.node]
        for (key, name), end in ends.items()
        if isinstance(end, Link) and end.node in dropped and key not in dropped
    }
    nodes = {
        key: _rewired(key, node, ends, cut)
        for key, node in workflow.nodes.items()
        if node.mode == "run" and key not in dropped
    }
    return Active(replace(workflow, nodes=nodes), dropped, cut)


def _rewired(
    key: str, node: Node, ends: Mapping[tuple[str, str], Link | Cut], cut: Mapping[tuple[str, str], Cut]
) -> Node:
    inputs = {
        name: ends.get((key, name), value) for name, value in node.inputs.items() if (key, name) not in cut
    }
    return replace(node, inputs=inputs)


def true_source(
    workflow: Workflow, specs: Mapping[str, NodeSpec | None], link: Link, known: dict[Link, Link | Cut]
) -> Link | Cut:
    """Where a wire really comes from: followed through bypassed nodes; a Cut when nothing comes.

    `known` remembers answers, so that a long row of bypassed nodes is walked once.
    """
    passed = dict[Link, None]()
    end: Link | Cut = link
    while isinstance(end, Link) and end not in known:
        if end in passed:
            end = Cut(end.node, "is bypassed and feeds itself")
            break
        node = workflow.nodes.get(end.node)
        if node is None or node.mode == "run":
            break
        passed[end] = None
        end = _onward(node, specs.get(node.type), end)
    end = known.get(end, end) if isinstance(end, Link) else end
    known.update(dict.fromkeys(passed, end))
    return end


def _onward(node: Node, spec: NodeSpec | None, link: Link) -> Link | Cut:
    if node.mode == "mute":
        return Cut(link.node, "is muted")
    if (onward := _passed_on(node, spec, link.output)) is not None:
        return onward
    return Cut(link.node, f"is bypassed and has no input to pass on as {link.output}")


def _passed_on(node: Node, spec: NodeSpec | None, output: str) -> Link | None:
    """The link a bypassed node passes on as one of its outputs.

    The input at the output's own place if it fits, else the first of its very type, else the first to fit.
    """
    if spec is None:
        return None
    place = next((index for index, item in enumerate(spec.outputs) if item.name == output), None)
    if place is None:
        return None
    wanted = spec.outputs[place].type
    ends = [
        item for item in spec.inputs if item.widget is None or isinstance(node.inputs.get(item.name), Link)
    ]
    linked = [(item.type, node.inputs.get(item.name)) for item in ends]
    ranked = linked[place : place + 1] + [pair for pair in linked if pair[0].names == wanted.names] + linked
    return next((link for kind, link in ranked if isinstance(link, Link) and names_fit(wanted, kind)), None)


def _dropped(
    workflow: Workflow, specs: Mapping[str, NodeSpec | None], ends: Mapping[tuple[str, str], Link | Cut]
) -> dict[str, Cut]:
    """Nodes that cannot run since an input they need is cut, and in turn the nodes that need those."""
    users = defaultdict[str, list[tuple[str, str]]](list)
    waiting = list[tuple[str, str, Cut]]()
    for (key, name), end in ends.items():
        if isinstance(end, Cut):
            waiting.append((key, name, end))
        else:
            users[end.node].append((key, name))
    dropped = dict[str, Cut]()
    while waiting:
        key, name, cut = waiting.pop()
        if key not in dropped and needs_input(specs.get(workflow.nodes[key].type), name):
            dropped[key] = cut
            waiting.extend((user, input, cut) for user, input in users[key])
    return dropped


def needs_input(spec: NodeSpec | None, name: str) -> bool:
    """Whether a node cannot run without a value for this input."""
    found = _input(spec, name)
    return found is not None and found.required and found.default is MISSING


def _input(spec: NodeSpec | None, name: str) -> Input | None:
    return None if spec is None else next((item for item in spec.inputs if item.name == name), None)
