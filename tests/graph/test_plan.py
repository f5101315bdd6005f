"""Planning: what is needed, in what order, and what cannot be planned."""

from dataclasses import replace
from typing import Any

import pytest

from graph.document import Link, Mode, Node, Port, Workflow
from graph.plan import plan
from graph.problems import WorkflowError
from graph.registry import Registry
from tests.graph.running import STANDARD, run, show_of

REGISTRY = Registry(STANDARD)


def adding(source: str, mode: Mode = "run") -> Node:
    return Node("Add", {"a": Link(source, "INT")}, mode=mode)


NODES = {
    "unused": Node("Number"),
    "n": Node("Number"),
    "b": adding("a"),
    "a": adding("n"),
    "s": show_of("b"),
    "t": show_of("n"),
}


def order(nodes: dict[str, Node], **more: Any) -> list[str]:
    return list(plan(Workflow(nodes), REGISTRY, **more).steps)


def test_only_what_outputs_need_is_planned_sources_first() -> None:
    assert order(NODES) == ["n", "a", "b", "s", "t"]


def test_targets_may_be_any_nodes() -> None:
    assert order(NODES, targets=["a"]) == ["n", "a"]


def test_each_branch_ends_before_the_next_begins() -> None:
    nodes = {
        f"{kind}{n}": node
        for n in range(3)
        for kind, node in (("n", Node("Number")), ("s", show_of(f"n{n}")))
    }
    assert order(nodes) == ["n0", "s0", "n1", "s1", "n2", "s2"]


def test_without_output_nodes_the_ports_say_what_is_wanted() -> None:
    workflow = Workflow({"n": Node("Number"), "m": Node("Number")}, {"out": Port("m", output="INT")})
    assert list(plan(workflow, REGISTRY).steps) == ["m"]


def test_a_bypassed_node_hands_its_input_on() -> None:
    nodes = NODES | {"a": adding("n", "bypass")}
    assert run(nodes).shown("s") == [1]
    assert order(nodes) == ["n", "b", "s", "t"]


def test_what_needs_a_muted_node_is_left_out_with_the_reason() -> None:
    ran = run(NODES | {"a": adding("n", "mute")})
    assert ran.started == ["n", "t"]
    assert (ran.verdicts["s"], ran.result.reasons["s"]) == ("skipped", "needs a, which is muted")


def refused(nodes: dict[str, Node], **more: Any) -> str:
    with pytest.raises(WorkflowError) as caught:
        plan(Workflow(nodes), REGISTRY, **more)
    (problem,) = caught.value.problems
    return f"{problem.code}: {problem.message}"


def test_m4_a_cycle_is_named_node_by_node() -> None:
    nodes = NODES | {"a": replace(adding("b"), title="First")}
    assert refused(nodes).endswith(
        "circle: a (First) → b (Add) → a (First)."
    ) or "b (Add) → a (First) → b" in refused(nodes)


def test_a_long_cycle_is_named_in_short() -> None:
    nodes = {str(n): adding(str((n + 1) % 3000)) for n in range(3000)}
    message = refused(nodes, targets=["0"])
    assert "→ 2981 more →" in message and len(message) < 1000


def test_what_cannot_be_planned_is_a_problem() -> None:
    assert refused({"n": Node("Number")}).startswith("no_outputs:")
    assert refused(NODES, targets=["x"]).startswith("unknown_target:")
    assert refused(NODES | {"a": adding("n", "mute")}, targets=["a"]).startswith("muted_target:")
    assert refused(NODES | {"a": adding("x")}).startswith(
        "dangling_link: Node a, input a: node x does not exist"
    )
    assert refused(NODES | {"a": Node("Nope")}).startswith("unknown_node_type:")
    assert refused(NODES | {"a": Node("Add", {"a": Link("n", "FLOAT")})}).startswith("unknown_output:")


def test_m2_depth_is_unbounded_from_plan_to_result() -> None:
    nodes = {"0": Node("Number")} | {str(n): adding(str(n - 1)) for n in range(1, 1500)}
    assert run(nodes | {"s": show_of("1499")}).shown("s") == [1499]


def test_m3_many_independent_outputs_are_planned_once_each() -> None:
    nodes = {
        f"{kind}{n}": node
        for n in range(200)
        for kind, node in (("n", Node("Number", {"value": n})), ("s", show_of(f"n{n}")))
    }
    ran = run(nodes)
    assert [ran.shown(f"s{n}") for n in range(200)] == [[n] for n in range(200)]
