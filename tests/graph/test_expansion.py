"""Nodes that make nodes: ids, results, output nodes inside, loops, failures, caching."""

from dataclasses import replace
from typing import Annotated, Any

from graph.document import Link, Node, Workflow
from graph.memory_store import MemoryStore
from graph.node import node
from graph.outcome import Blocker, Outcome
from graph.registry import Registry
from graph.run import run_workflow
from graph.sockets import Socket
from graph.spec import FileChoice, Hidden, Outputs
from tests.graph.running import STANDARD, ToyFiles, ToyJob, run, show_of
from tests.graph.toys import spec

Thing = Annotated[Any, Socket("THING")]


@node("Loop")
def loop(n: int, total: int = 0) -> int | Outcome:
    """The sum of 1 to n, by a node for every step."""
    if n == 0:
        return total
    made = {
        "sum": Node("Add", {"a": total, "b": n}),
        "next": Node("Loop", {"n": n - 1, "total": Link("sum", "INT")}),
    }
    return Outcome((Link("next", "INT"),), expand=made)


def looped(n: int) -> dict[str, Node]:
    return {"l": Node("Loop", {"n": n}), "s": show_of("l")}


def test_an_expanding_node_gives_what_its_nodes_give() -> None:
    ran = run(looped(3), loop)
    assert ran.shown("s") == [6]
    assert ran.started[:3] == ["l", "l.0.sum", "l.0.next"]
    assert ran.verdicts == {"l": "ran", "s": "ran"}


def test_a_loop_of_a_thousand_expansions_runs_without_recursion() -> None:
    ran = run(looped(1000), loop)
    assert ran.shown("s") == [500_500]
    assert max(map(len, ran.started)) <= 80
    assert len(set(ran.started)) == len(ran.started) == 2002


def test_ids_are_the_same_in_every_run() -> None:
    assert run(looped(20), loop).started == run(looped(20), loop).started


def test_made_nodes_are_shown_at_the_node_that_made_them() -> None:
    ran = run(looped(2), loop)
    assert {event.display_node for event in ran.finished if event.node.startswith("l.")} == {"l"}


def test_a_made_node_may_be_shown_at_another() -> None:
    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a node that is shown at s."""
        inner = Node("Number", {"value": 1}, extra={"display_node": "s"})
        return Outcome((Link("inner", "INT"),), expand={"inner": inner})

    ran = run({"m": Node("Make"), "s": show_of("m")}, make)
    assert [event.display_node for event in ran.finished] == ["s", "", ""]


def test_output_nodes_inside_run_and_are_shown_again_from_the_cache() -> None:
    @node("Make", output=True)
    def make(value: int) -> Outcome:
        """Makes a node that shows."""
        return Outcome(expand={"show": Node("Show", {"value": value})})

    memory = MemoryStore()
    assert run({"m": Node("Make", {"value": 5})}, make, memory=memory).shown("m.0.show") == [5]
    again = run({"x": Node("Make", {"value": 5})}, make, memory=memory)
    assert (again.started, again.shown("x.0.show")) == ([], [5])
    assert [(event.node, event.display_node) for event in again.finished] == [("x.0.show", "x"), ("x", "")]


def test_a_second_run_takes_an_expanding_node_from_the_cache() -> None:
    memory = MemoryStore()
    run(looped(50), loop, memory=memory)
    assert run(looped(50), loop, memory=memory).started == []


def test_m13_new_code_of_a_made_node_is_not_served_stale() -> None:
    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a node."""
        return Outcome((Link("inner", "INT"),), expand={"inner": Node("Inner")})

    @node("Inner")
    def inner() -> int:
        """The old code."""
        return 1

    memory = MemoryStore()
    nodes = {"m": Node("Make"), "s": show_of("m")}
    assert shown_with(nodes, [spec(make), spec(inner)], memory) == [1]
    new = replace(spec(inner), digest="new", run=lambda: (2,))
    assert shown_with(nodes, [spec(make), new], memory) == [2]


def shown_with(nodes: dict[str, Node], specs: list[Any], memory: MemoryStore) -> Any:
    registry = Registry([*STANDARD, *specs])
    return run_workflow(Workflow(nodes), registry, job=ToyJob(), memory=memory).outputs["s"]["value"]


def test_made_nodes_may_link_to_nodes_of_the_workflow() -> None:
    @node("Make")
    def make(source: str) -> Annotated[Outcome, Outputs("INT")]:
        """Adds one to a node of the workflow."""
        return Outcome((Link("sum", "INT"),), expand={"sum": Node("Add", {"a": Link(source, "INT")})})

    nodes = {
        "m": Node("Make", {"source": "n"}),
        "n": Node("Number", {"value": 4}),
        "s": show_of("m"),
        "t": show_of("n"),
    }
    ran = run(nodes, make)
    assert (ran.shown("s"), ran.shown("t")) == ([5], [4])


def test_made_nodes_may_be_given_any_object_and_are_cached_by_their_maker() -> None:
    calls = list[str]()

    @node("Make")
    def make(name: str) -> Annotated[Outcome, Outputs("STRING")]:
        """Hands an object on."""
        return Outcome(
            (Link("use", "STRING"),), expand={"use": Node("Use", {"thing": object(), "name": name})}
        )

    @node("Use")
    def use(thing: Thing, name: str) -> str:
        """Uses an object."""
        calls.append(name)
        return name

    memory = MemoryStore()
    for name in ("a", "b", "a"):
        run({"m": Node("Make", {"name": name}), "s": show_of("m", "STRING")}, make, use, memory=memory)
    assert calls == ["a", "b"]


def test_each_call_over_a_list_may_expand() -> None:
    @node("List")
    def numbers() -> list[int]:
        """Three numbers."""
        return [1, 2, 3]

    @node("Twice")
    def twice(n: int) -> Annotated[Outcome, Outputs("INT")]:
        """Makes a node for the even ones only."""
        if n % 2:
            return Outcome((n,))
        return Outcome((Link("sum", "INT"),), expand={"sum": Node("Add", {"a": n, "b": n})})

    @node("All", takes_lists=True, output=True)
    def whole(n: Any) -> Outcome:
        """Shows a list."""
        return Outcome(ui={"value": n})

    nodes = {
        "l": Node("List"),
        "t": Node("Twice", {"n": Link("l", "INT")}),
        "s": Node("All", {"n": Link("t", "INT")}),
    }
    assert run(nodes, numbers, twice, whole).shown("s") == [1, 4, 3]


def test_a_failure_inside_fails_the_maker_and_not_its_siblings() -> None:
    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a failing node and an output."""
        made = {"bad": Node("Fail"), "good": Node("Show", {"value": 3})}
        return Outcome((Link("bad", "INT"),), expand=made)

    ran = run({"m": Node("Make"), "s": show_of("m"), "n": Node("Number"), "t": show_of("n")}, make)
    assert ran.errors == ["Node m.0.bad (Fail): it broke."]
    assert ran.result.errors[0].display_node == "m"
    assert (ran.verdicts["m"], ran.verdicts["s"], ran.verdicts["t"]) == ("failed", "skipped", "ran")
    assert ran.shown("m.0.good") == [3]


def test_wrong_expansions_are_sentences() -> None:
    def fault(outcome: Outcome) -> str:
        @node("Make")
        def make() -> Annotated[Outcome, Outputs("INT")]:
            """Makes nodes wrongly."""
            return outcome

        (message,) = run({"m": Node("Make"), "s": show_of("m")}, make).errors
        return message.removeprefix("Node m (Make): ")

    gone = Link("gone", "INT")
    circle = {"a": Node("Add", {"a": Link("b", "INT")}), "b": Node("Add", {"a": Link("a", "INT")})}
    unknown = {"a": Node("Nothing")}
    assert fault(Outcome((Link("a", "INT"),), expand=unknown)) == "made a node of unknown type 'Nothing'."
    assert fault(Outcome((Link("a", "INT"),), expand=circle)).startswith("made nodes that feed each other")
    assert fault(Outcome((gone,), expand={"a": Node("Number")})).startswith("returned a link to gone")
    assert fault(Outcome((1,), expand={"a": Node("Add", {"a": gone})})).startswith("made a link to node gone")


def test_a_blocker_may_come_out_of_an_expansion() -> None:
    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a node that blocks."""
        return Outcome((Link("gate", "INT"),), expand={"gate": Node("Gate")})

    @node("Gate")
    def gate() -> int | Blocker:
        """Blocks."""
        return Blocker("Stop here.")

    ran = run({"m": Node("Make"), "s": show_of("m")}, make, gate)
    assert (ran.state, ran.verdicts["s"], ran.logs) == ("done", "blocked", ["Stop here."])


def test_hidden_inputs_see_the_graph_as_it_runs() -> None:
    seen = list[Any]()

    @node("Peek")
    def peek(
        id: Annotated[str, Hidden("UNIQUE_ID")], graph: Annotated[Any, Hidden("DYNPROMPT")], a: int = 0
    ) -> int:
        """Looks around."""
        seen.append((id, graph.parent(id), graph.root(id), graph.display(id), graph.node(id).inputs))
        return 0

    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a node that looks around."""
        made = {"n": Node("Number"), "peek": Node("Peek", {"a": Link("n", "INT")})}
        return Outcome((Link("peek", "INT"),), expand=made)

    run({"m": Node("Make"), "s": show_of("m")}, make, peek, hidden=lambda kind, id, graph: graph)
    assert seen == [("m.0.peek", "m", "m", "m", {"a": Link("m.0.n", "INT")})]


def test_an_expansion_with_an_outside_source_is_not_cached_by_its_maker() -> None:
    calls = list[int]()

    @node("Clock", fingerprint=lambda: float("nan"))
    def clock() -> int:
        """Another number every time."""
        calls.append(1)
        return len(calls)

    @node("Make")
    def make() -> Annotated[Outcome, Outputs("INT")]:
        """Makes a clock."""
        return Outcome((Link("clock", "INT"),), expand={"clock": Node("Clock")})

    memory = MemoryStore()
    nodes = {"m": Node("Make"), "s": show_of("m")}
    assert run(nodes, make, clock, memory=memory).shown("s") == [1]
    assert run(nodes, make, clock, memory=memory).shown("s") == [2]


def test_m13_a_replaced_file_of_a_made_node_is_not_served_stale() -> None:
    @node("Read")
    def read(name: Annotated[str, FileChoice("input")]) -> str:
        """Reads a file."""
        return f"{name} {files.identities[name]}"

    @node("Make")
    def make() -> Annotated[Outcome, Outputs("STRING")]:
        """Makes a node that reads."""
        return Outcome((Link("read", "STRING"),), expand={"read": Node("Read", {"name": "a"})})

    files, memory = ToyFiles({"a": "old"}), MemoryStore()
    nodes = {"m": Node("Make"), "s": show_of("m", "STRING")}

    def shown() -> Any:
        return run(nodes, read, make, memory=memory, job=ToyJob(files)).shown("s")

    assert shown() == shown() == ["a old"]
    files.identities["a"] = "new"
    assert shown() == ["a new"]
