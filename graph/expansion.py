"""Expansion: nodes that a node asks to run in its place become steps of the same run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from graph.document import Link, Node, Workflow
from graph.keys import canonical
from graph.literals import resolved_value
from graph.mapping import WrongResult
from graph.modes import active_workflow
from graph.order import ordered
from graph.outcome import Outcome
from graph.plan import Ends, Source, Step, Types, passed_links

DISPLAY: Final = "display_node"
"""Key of `Node.extra`: the node that a person sees in place of one made while running."""
_LONGEST_ID: Final = 80

FindStep = Callable[[str], Step | None]


@dataclass(frozen=True, slots=True)
class Expansion:
    """What one call made: its steps, sources first, and their ids by local id."""

    steps: tuple[Step, ...]
    ids: Mapping[str, str]


def expand(parent: Step, root: str, call: int, outcome: Outcome, types: Types, find: FindStep) -> Expansion:
    """The steps of an Outcome's `expand`.

    Ids are made of the parent's id, the call and the local id: unique, the same in every run, and short at
    any depth. Links name local nodes, or any node that is already in the run (`find`). Raises WrongResult.
    """
    nodes = active_workflow(Workflow(outcome.expand), types.registry).workflow.nodes
    ids = _ids(parent.id, root, call, nodes, find)
    made = dict[str, Step]()
    reach = _Reach(nodes, ids, types, find)
    display = parent.display or parent.id
    for local, node in nodes.items():
        made[ids[local]] = _step(ids[local], node, reach, display)
    wires = {key: [source.node for source in step.sources.values()] for key, step in made.items()}
    order = ordered(wires)
    if order.circular:
        raise WrongResult(
            f"made nodes that feed each other in a circle: {', '.join(sorted(order.circular)[:10])}."
        )
    return Expansion(tuple(made[key] for key in order.nodes), ids)


@dataclass(frozen=True, slots=True)
class _Reach:
    nodes: Mapping[str, Node]
    ids: Mapping[str, str]
    types: Types
    find: FindStep

    def ends(self, node: Node) -> Ends:
        ends = self.types.get(node.type)
        if ends is None:
            raise WrongResult(f"made a node of unknown type '{node.type[:80]}'.")
        return ends

    def source(self, link: Link) -> Source:
        if link.node in self.ids:
            key, ends = self.ids[link.node], self.ends(self.nodes[link.node])
        elif (step := self.find(link.node)) is not None:
            key, ends = step.id, step.ends
        else:
            raise WrongResult(f"made a link to node {link.node[:80]}, which does not exist.")
        if link.output not in ends.outputs:
            raise WrongResult(
                f"made a link to output '{link.output[:80]}', which node {link.node[:80]} does not have."
            )
        return Source(key, ends.outputs[link.output], link.output)


def source_of(link: Link, expansion: Expansion, find: FindStep) -> Source:
    """Where a link among an expanding node's results gets its value. Raises WrongResult."""
    step = find(expansion.ids.get(link.node, link.node))
    if step is None or link.output not in step.ends.outputs:
        raise WrongResult(f"returned a link to {link.node[:80]}, {link.output[:80]}, which does not exist.")
    return Source(step.id, step.ends.outputs[link.output], link.output)


def _step(key: str, node: Node, reach: _Reach, display: str) -> Step:
    ends = reach.ends(node)
    sources = {name: reach.source(link) for name, link in passed_links(ends, node)}
    links = {name: Link(source.node, source.output) for name, source in sources.items()}
    shown = node.extra.get(DISPLAY)
    return Step(
        id=key,
        ends=ends,
        node=replace(node, inputs=dict(node.inputs) | links),
        literals=_literals(ends, node),
        sources=sources,
        display=shown if isinstance(shown, str) and shown else display,
    )


def _literals(ends: Ends, node: Node) -> dict[str, Any]:
    """Literals here may be any object; only plain ones are converted, leniently, as made by a program."""
    literals = dict[str, Any]()
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            continue
        if (input := ends.inputs.get(name)) is not None:
            literals[name] = value if canonical(value) is None else resolved_value(input, value, lenient=True)
        elif ends.any_input:
            literals[name] = value
    return literals


def _ids(parent: str, root: str, call: int, nodes: Mapping[str, Node], find: FindStep) -> dict[str, str]:
    ids, taken = dict[str, str](), set[str]()
    for local in nodes:
        key = f"{parent}.{call}.{local.removeprefix(parent + '.')}"
        if len(key) > _LONGEST_ID or key in taken or find(key) is not None:
            path = "\0".join((parent, str(call), local)).encode("utf-8", "surrogatepass")
            key = f"{root}.{blake2b(path, digest_size=10).hexdigest()}"
        taken.add(key)
        ids[local] = key
    return ids
