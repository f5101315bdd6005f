"""Lists: a node runs once an item of the longest list; whole lists for those that take them."""

from typing import Annotated, Any, NamedTuple

from graph.document import Link, Node
from graph.node import node
from graph.outcome import Blocker, Outcome
from graph.spec import Outputs
from tests.graph.running import run


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
