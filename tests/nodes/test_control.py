"""Branches that are not taken are not made; loops go on while their condition holds."""

from typing import Any

import pytest

from graph.document import Link, Node, Workflow
from graph.events import NodeProgress, NodeStarted
from graph.memory_store import MemoryStore
from graph.node import node
from graph.registry import Registry, registry_from
from graph.run import run_workflow
from graph.validation import validate
from nodes import control, lists, value
from tests.graph.running import STANDARD, Ran, ToyJob, show_of
from tests.graph.toys import spec


@node("Times")
def times(a: int, b: int = 2) -> int:
    """A product."""
    return a * b


TYPES = Registry([*registry_from(control, lists, value), *STANDARD, spec(times)])


def ran(nodes: dict[str, Node], memory: MemoryStore | None = None) -> Ran:
    events = list[Any]()
    result = run_workflow(Workflow(nodes), TYPES, job=ToyJob(), emit=events.append, memory=memory)
    return Ran(result, events)


@pytest.mark.parametrize(("condition", "made"), [(True, "yes"), (False, "no")])
def test_only_the_branch_that_is_taken_runs(condition: bool, made: str) -> None:
    nodes = {
        "yes": Node("Number", {"value": 1}),
        "no": Node("Number", {"value": 2}),
        "if": Node(
            "IfElse", {"condition": condition, "on_true": Link("yes", "INT"), "on_false": Link("no", "INT")}
        ),
        "show": show_of("if", "*"),
    }
    run = ran(nodes)
    assert run.started == [made, "if", "show"]
    assert run.shown("show") == [1 if condition else 2]


def test_a_switch_makes_the_value_of_its_number() -> None:
    nodes = {
        "a": Node("Fail"),
        "b": Node("Number", {"value": 5}),
        "s": Node("Switch", {"select": 2, "value1": Link("a", "INT"), "value2": Link("b", "INT")}),
        "show": show_of("s", "*"),
    }
    run = ran(nodes)
    assert (run.state, run.shown("show")) == ("done", [5])


@pytest.mark.parametrize(
    ("comparison", "answers"),
    [
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
        ("=", [False, True, False]),
        ("!=", [True, False, True]),
        (">=", [False, True, True]),
        (">", [False, False, True]),
    ],
)
def test_numbers_are_compared(comparison: Any, answers: list[bool]) -> None:
    assert [control.compare(a, comparison, 2) for a in (1, 2, 3)] == answers


def doubled_while_below(limit: int, most: int = 100) -> dict[str, Node]:
    return {
        "one": Node("Number", {"value": 1}),
        "start": Node("LoopStart", {"value1": Link("one", "INT")}),
        "double": Node("Times", {"a": Link("start", "value1")}),
        "below": Node("Compare", {"a": Link("double", "INT"), "comparison": "<", "b": limit}),
        "end": Node(
            "LoopEnd",
            {
                "loop": Link("start", "loop"),
                "again": Link("below", "BOOLEAN"),
                "value1": Link("double", "INT"),
                "value2": Link("start", "round"),
                "most_rounds": most,
            },
        ),
        "show": show_of("end", "value1"),
        "rounds": show_of("end", "value2"),
    }


def test_a_loop_goes_on_while_its_condition_holds() -> None:
    nodes = doubled_while_below(100)
    assert validate(Workflow(nodes), TYPES) == []
    run = ran(nodes)
    assert (run.errors, run.shown("show"), run.shown("rounds")) == ([], [128], [7])


def test_a_loop_whose_condition_fails_at_once_runs_once() -> None:
    run = ran(doubled_while_below(2))
    assert (run.shown("show"), run.shown("rounds")) == ([2], [1])


def test_a_loop_of_a_thousand_rounds_runs_without_recursion() -> None:
    nodes = doubled_while_below(0, 1000)
    nodes["below"] = Node("PrimitiveBoolean", {"value": True})
    nodes["end"] = Node("LoopEnd", {**nodes["end"].inputs, "again": Link("below", "BOOLEAN")})
    run = ran(nodes)
    assert (run.state, run.shown("rounds")) == ("done", [1000])


def test_a_loop_that_never_ends_is_ended_and_told() -> None:
    run = ran(doubled_while_below(10**9, most=5))
    assert run.shown("show") == [32]
    assert run.logs == ["The loop was ended after 5 rounds, the most that it may take."]


def test_rounds_are_told_as_progress_and_shown_at_the_nodes_of_the_loop() -> None:
    events = ran(doubled_while_below(8)).events
    assert [item.done for item in events if isinstance(item, NodeProgress)] == [1, 2, 3]
    shown = [item.display_node for item in events if isinstance(item, NodeStarted) and "double" in item.node]
    assert shown == ["", "double", "double"]


def test_a_loop_that_ran_is_cached_and_a_change_inside_runs_it_again() -> None:
    memory = MemoryStore()
    ran(doubled_while_below(100), memory)
    assert ran(doubled_while_below(100), memory).started == []
    nodes = doubled_while_below(100)
    nodes["double"] = Node("Times", {"a": Link("start", "value1"), "b": 10})
    assert ran(nodes, memory).shown("show") == [100]


def test_a_failure_in_a_round_is_the_failure_of_the_loop() -> None:
    nodes = doubled_while_below(100)
    nodes["double"] = Node("Fail", {"a": Link("start", "value1")})
    run = ran(nodes)
    assert run.state == "failed"
    assert run.errors == ["Node double (Fail): it broke."]
