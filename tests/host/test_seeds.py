"""Every seed of a workflow can be set at once, and moves on."""

from collections.abc import Iterable

from graph.document import Link, Node, Workflow
from host.seeds import first_seed, next_seeds, seed_inputs, set_seeds
from nodes import registry

TYPES = registry()


def workflow(**nodes: Node) -> Workflow:
    return Workflow(nodes)


def seeds(flow: Workflow) -> Iterable[object]:
    return [flow.nodes[node].inputs.get(name) for node, name in seed_inputs(flow, TYPES)]


SAMPLERS = workflow(
    first=Node("KSampler", {"seed": 3, "steps": 20}),
    second=Node("KSamplerAdvanced", {"noise_seed": 2**64 - 1}),
    third=Node("KSampler", {"seed": Link("number", "INT")}),
    number=Node("PrimitiveInt", {"value": 5}),
    count=Node("PrimitiveInt", {"value": 20}),
)


def test_seeds_are_found_also_behind_a_primitive() -> None:
    assert list(seed_inputs(SAMPLERS, TYPES)) == [
        ("first", "seed"),
        ("second", "noise_seed"),
        ("number", "value"),
    ]


def test_setting_seeds_changes_nothing_else() -> None:
    changed = set_seeds(SAMPLERS, TYPES, 9)
    assert seeds(changed) == [9, 9, 9]
    assert changed.nodes["count"] == SAMPLERS.nodes["count"]
    assert changed.nodes["first"].inputs["steps"] == 20


def test_a_random_seed_is_the_same_everywhere() -> None:
    (one,) = set(seeds(set_seeds(SAMPLERS, TYPES, None)))
    assert isinstance(one, int) and 0 <= one < 2**50


def test_the_next_seed_is_one_higher_and_wraps() -> None:
    assert seeds(next_seeds(SAMPLERS, TYPES)) == [4, 0, 6]


def test_a_primitive_for_two_seeds_moves_on_once() -> None:
    link = Link("number", "INT")
    flow = workflow(
        first=Node("KSampler", {"seed": link}),
        second=Node("KSampler", {"seed": link}),
        number=Node("PrimitiveInt", {"value": 5}),
    )
    assert next_seeds(flow, TYPES).nodes["number"].inputs["value"] == 6


def test_a_seed_linked_to_what_is_not_there_is_left_alone() -> None:
    flow = workflow(first=Node("KSampler", {"seed": Link("gone", "INT")}))
    assert set_seeds(flow, TYPES, 1) == flow


def test_the_first_seed_is_zero_when_there_is_none() -> None:
    assert first_seed(SAMPLERS, TYPES) == 3
    assert first_seed(workflow(), TYPES) == 0
