"""The seeds of a workflow: setting them all, and moving on after a run."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from graph.document import SUBGRAPH, Link, Node, Workflow
from graph.flat import flat
from graph.formats import NodeTypes
from graph.instances import FEEDS, Nodes, WithSubgraphs, on_every_canvas
from graph.registry import Registry
from graph.spec import Input, Number

LARGEST: Final = 2**64 - 1
RANDOM_LIMIT: Final = 2**50
"""Random seeds stay below this, so that every program that reads JSON numbers keeps them exact."""
SEED_NAMES: Final = ("seed", "noise_seed")


def seed_inputs(workflow: Workflow, types: NodeTypes) -> Iterator[tuple[str, str]]:
    """Node and input of every seed that stands in the workflow as a number, one linked to included."""
    for key, node in workflow.nodes.items():
        spec = types.get(node.type)
        for item in spec.inputs if spec else ():
            if not _is_seed(item):
                continue
            match node.inputs.get(item.name):
                case Link(source):
                    if (primitive := workflow.nodes.get(source)) and "value" in primitive.inputs:
                        yield source, "value"
                case _:
                    yield key, item.name


def _is_seed(item: Input) -> bool:
    return isinstance(item.widget, Number) and item.extra.get(FEEDS, item.name) in SEED_NAMES


def change_seeds(workflow: Workflow, types: Registry, change: Callable[[int], int]) -> Workflow:
    """The workflow with every seed changed, also within its subgraphs and at their instances."""
    known = WithSubgraphs(workflow, types)

    def changed(nodes: Nodes) -> Nodes:
        found = dict(nodes)
        for key, name in dict.fromkeys(seed_inputs(Workflow(nodes), known)):
            now = _seed_at(found[key], name, known)
            if type(now) is int:
                found[key] = replace(found[key], inputs={**found[key].inputs, name: change(now)})
        return found

    return on_every_canvas(workflow, changed)


def _seed_at(node: Node, name: str, types: NodeTypes) -> Any:
    """The value of a seed; of an instance without one that of the node inside."""
    spec = types.get(node.type)
    within = (item.default for item in spec.inputs if item.name == name) if spec else iter(())
    default = next(within, 0) if node.type.startswith(SUBGRAPH) else 0
    return node.inputs.get(name, default if type(default) is int else 0)


def set_seeds(workflow: Workflow, types: Registry, seed: int | None) -> Workflow:
    """The workflow with every seed set to `seed`, or to one random number when it is None."""
    chosen = random.randrange(RANDOM_LIMIT) if seed is None else seed
    return change_seeds(workflow, types, lambda _: chosen)


def next_seeds(workflow: Workflow, types: Registry) -> Workflow:
    """The workflow with every seed one higher, for the next run of a series."""
    return change_seeds(workflow, types, lambda seed: (seed + 1) & LARGEST)


def first_seed(workflow: Workflow, types: Registry) -> int:
    """The seed that stands first in a workflow, 0 when there is none."""
    workflow = flat(workflow, types)
    values = (workflow.nodes[node].inputs.get(name) for node, name in seed_inputs(workflow, types))
    return next((value for value in values if type(value) is int), 0)
