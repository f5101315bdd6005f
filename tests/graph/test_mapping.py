"""Lists: a node runs once an item of the longest list; whole lists for those that take them."""

from typing import Annotated, Any, NamedTuple

import pytest

from graph.document import Link, Node
from graph.events import NodeItem
from graph.memory_store import MemoryStore
from graph.node import node
from graph.outcome import Blocker, Outcome
from graph.spec import Outputs
from tests.graph.running import run, show_of


@node("List")
def numbers(count: int = 3) -> list[int]:
    """Numbers from 1."""
    return list(range(1, count + 1))


@node("All", takes_lists=True, output=True)
def whole(value: Any, other: Any = None) -> Outcome:
    """Shows the whole list."""
    return Outcome(ui={"value": value, "other": other or []})


def shown(nodes: dict[str, Node], *functions: Any) -> Any:
    ran = run(nodes, numbers, whole, *functions)
    assert ran.errors == []
    return ran.shown("all")


def every(source: str, output: str = "INT") -> Node:
    return Node("All", {"value": Link(source, output)})


def test_a_node_runs_once_an_item_and_shorter_lists_repeat_their_last() -> None:
    nodes = {
        "a": Node("List", {"count": 3}),
        "b": Node("List", {"count": 2}),
        "sum": Node("Add", {"a": Link("a", "INT"), "b": Link("b", "INT")}),
        "all": every("sum"),
    }
    assert shown(nodes) == [2, 4, 5]


def test_list_outputs_of_all_calls_are_joined() -> None:
    nodes = {
        "a": Node("List", {"count": 3}),
        "many": Node("List", {"count": Link("a", "INT")}),
        "all": every("many"),
    }
    assert shown(nodes) == [1, 1, 2, 1, 2, 3]


def test_a_node_that_takes_lists_gets_literals_and_links_as_lists() -> None:
    ran = run(
        {"a": Node("List"), "all": Node("All", {"value": Link("a", "INT"), "other": 5})}, numbers, whole
    )
    assert ran.result.outputs["all"] == {"value": [1, 2, 3], "other": [5]}


def test_a_parameter_that_takes_a_list_gets_a_written_list_as_it_is() -> None:
    @node("Sum")
    def total(values: list[int], times: int = 1) -> int:
        """The sum."""
        return sum(values) * times

    assert shown({"sum": Node("Sum", {"values": [1, 2, 3], "times": 2}), "all": every("sum")}, total) == [12]
    linked = {"a": Node("List"), "sum": Node("Sum", {"values": Link("a", "INT")}), "all": every("sum")}
    assert shown(linked, total) == [6]


def test_an_empty_list_means_nothing_to_do() -> None:
    nodes = {
        "a": Node("List", {"count": 0}),
        "sum": Node("Add", {"a": Link("a", "INT")}),
        "all": every("sum"),
    }
    assert shown(nodes) == []


def test_a_plain_output_that_is_a_list_stays_one_item() -> None:
    @node("Pair")
    def pair() -> Annotated[Outcome, Outputs("PAIR")]:
        """A list as one value."""
        return Outcome(([1, 2],))

    assert shown({"p": Node("Pair"), "all": every("p", "PAIR")}, pair) == [[1, 2]]


def test_ui_of_all_calls_is_joined_by_kind() -> None:
    nodes = {"a": Node("List"), "s": Node("Show", {"value": Link("a", "INT")})}
    assert run(nodes, numbers).shown("s") == [1, 2, 3]


def test_a_blocked_item_blocks_only_its_own_call() -> None:
    @node("Odd")
    def odd(n: int) -> int | Blocker:
        """Odd numbers only."""
        return n if n % 2 else Blocker("even")

    nodes = {
        "a": Node("List"),
        "odd": Node("Odd", {"n": Link("a", "INT")}),
        "sum": Node("Add", {"a": Link("odd", "INT")}),
        "s": Node("Show", {"value": Link("sum", "INT")}),
        "all": every("sum"),
    }
    ran = run(nodes, numbers, odd, whole)
    assert ran.shown("s") == [2, 4]
    assert (ran.verdicts["sum"], ran.verdicts["all"], ran.logs) == ("ran", "blocked", ["even"])


def test_a_list_output_that_is_no_list_is_a_sentence() -> None:
    class Two(NamedTuple):
        a: list[int]
        b: int

    @node("Two")
    def two() -> Two:
        """Gives a number for a list."""
        return Two(5, 6)  # pyright: ignore[reportArgumentType]

    ran = run({"t": Node("Two"), "all": every("t", "a")}, two, whole)
    assert ran.errors == ["Node t (Two): returned a value of type int as a, not a list."]


def test_async_calls_over_a_list_run_together_and_keep_their_order() -> None:
    import asyncio

    there = list[int]()

    @node("Together")
    async def together(n: int) -> int:
        """Waits for the other calls."""
        there.append(n)
        while len(there) < 3:
            await asyncio.sleep(0.001)
        return n * 10

    nodes = {"a": Node("List"), "t": Node("Together", {"n": Link("a", "INT")}), "all": every("t")}
    assert shown(nodes, together) == [10, 20, 30]


def test_a_node_cannot_change_the_lists_of_others() -> None:
    @node("Eat", takes_lists=True, output=True)
    def eat(value: Any) -> None:
        """Empties its list."""
        value.clear()

    nodes = {"a": Node("List"), "e": Node("Eat", {"value": Link("a", "INT")}), "all": every("a")}
    assert shown(nodes, eat) == [1, 2, 3]


@node("Picky")
def picky(value: int) -> int:
    """Fails with the number two."""
    if value == 2:
        raise ValueError("two is too few")
    return value * 10


@node("AsyncPicky")
async def async_picky(value: int) -> int:
    """The same, and async."""
    return picky(value)


@node("There", takes_lists=True, output=True, extra={"partial": True})
def there(value: Any = (), other: Any = ()) -> Outcome:
    """Shows what is there."""
    return Outcome(ui={"value": list(value), "other": list(other)})


def picked(kind: str) -> dict[str, Node]:
    return {
        "a": Node("List", {"count": 3}),
        "pick": Node(kind, {"value": Link("a", "INT")}),
        "sum": Node("Add", {"a": Link("pick", "INT")}),
        "each": Node("Show", {"value": Link("sum", "INT")}),
    }


@pytest.mark.parametrize("kind", ["Picky", "AsyncPicky"])
def test_an_item_that_fails_stops_only_what_is_made_of_it(kind: str) -> None:
    ran = run(picked(kind), numbers, picky, async_picky)
    assert (ran.state, ran.shown("each")) == ("failed", [11, 31])
    assert ran.errors == [f"Node pick ({kind}), item 2 of 3: two is too few."]


def test_a_node_is_told_to_begin_each_item_of_several() -> None:
    events = run(picked("Picky"), numbers, picky).events
    items = [(item.node, item.item, item.items) for item in events if isinstance(item, NodeItem)]
    assert items[:3] == [("pick", 1, 3), ("pick", 2, 3), ("pick", 3, 3)]
    assert not any(name == "a" for name, _, _ in items)


def test_a_result_with_a_hole_is_tried_again() -> None:
    memory = MemoryStore()
    run(picked("Picky"), numbers, picky, memory=memory)
    again = run(picked("Picky"), numbers, picky, memory=memory)
    assert again.started == ["pick", "sum", "each"]


def test_when_every_item_fails_the_node_does() -> None:
    nodes = {
        "a": Node("List", {"count": 2}),
        "fail": Node("Fail", {"a": Link("a", "INT")}),
        "s": show_of("fail"),
    }
    ran = run(nodes, numbers)
    assert ran.verdicts == {"a": "ran", "fail": "failed", "s": "skipped"}


def test_a_partial_node_runs_with_what_is_there() -> None:
    ends = {"value": Link("pick", "INT"), "other": Link("fail", "INT")}
    nodes = picked("Picky") | {"fail": Node("Fail"), "there": Node("There", ends)}
    ran = run(nodes, numbers, picky, there)
    assert ran.result.outputs["there"] == {"value": [10, 30], "other": []}
