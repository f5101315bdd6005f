"""What running must do; the M numbers are rows of the measured faults of the field."""

import asyncio
import threading
import time
from typing import Annotated, Any, cast

import pytest

from graph.context import Cancelled, Context
from graph.document import Link, Node, Workflow
from graph.events import JobFinished, JobStarted, NodeFailed, NodeLog, NodeProgress
from graph.memory_store import MemoryStore
from graph.node import node
from graph.outcome import Blocker, Outcome
from graph.problems import WorkflowError
from graph.spec import Hint, Outputs
from tests.graph.running import Ran, run, show_of


def two_branches() -> dict[str, Node]:
    return {
        "a": Node("Number", {"value": 4}),
        "b": Node("Add", {"a": Link("a", "INT"), "b": 3}),
        "bad": Node("Fail", {"a": Link("a", "INT")}),
        "after": Node("Add", {"a": Link("bad", "INT")}),
        "show": show_of("b"),
        "lost": show_of("after"),
    }


def test_values_flow_along_links_to_outputs() -> None:
    ran = run(
        {
            "a": Node("Number", {"value": 4}),
            "b": Node("Add", {"a": Link("a", "INT"), "b": 3}),
            "s": show_of("b"),
        }
    )
    assert (ran.state, ran.shown("s")) == ("done", [7])
    assert isinstance(ran.events[0], JobStarted) and ran.events[0].nodes == ("a", "b", "s")
    assert isinstance(ran.events[-1], JobFinished) and ran.events[-1].state == "done"


def test_m15_a_failing_branch_does_not_stop_independent_ones() -> None:
    ran = run(two_branches())
    assert (ran.state, ran.shown("show")) == ("failed", [7])
    assert ran.verdicts == {
        "a": "ran", "b": "ran", "show": "ran", "bad": "failed", "after": "skipped", "lost": "skipped",
    }  # fmt: skip
    assert ran.result.reasons["after"] == "needs bad, which failed"


def test_a_failure_is_a_sentence_with_the_nodes_name_its_trace_and_inputs() -> None:
    (error,) = run(two_branches()).result.errors
    assert error.message == "Node bad (Fail): it broke."
    assert (error.exception, error.inputs) == ("ValueError", {"a": "4"})
    assert 'raise ValueError("it broke")' in error.trace


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (ZeroDivisionError(), "It failed with ZeroDivisionError."),
        (SystemExit(3), "It tried to end the program (exit code 3)."),
        (MemoryError(), "It ran out of memory."),
        (RecursionError("deep"), "It called itself too often (RecursionError)."),
        (asyncio.CancelledError(), "It failed with CancelledError."),
    ],
)
def test_whatever_a_node_raises_is_its_own_failure(error: BaseException, words: str) -> None:
    @node("Raise", output=True)
    def throw() -> None:
        """Raises."""
        raise error

    ran = run({"r": Node("Raise"), "n": Node("Number"), "s": show_of("n")}, throw)
    assert ran.state == "failed" and ran.shown("s") == [0]
    assert ran.errors[0].startswith(f"Node r (Raise): {words}")


def test_a_keyboard_interrupt_cancels_the_job_and_goes_on() -> None:
    @node("Raise", output=True)
    def throw() -> None:
        """Raises."""
        raise KeyboardInterrupt

    events = list[Any]()
    with pytest.raises(KeyboardInterrupt):
        run_with_events(events, {"r": Node("Raise")}, throw)
    assert events[-1].state == "cancelled"


def run_with_events(events: list[Any], nodes: dict[str, Node], *functions: Any) -> None:
    from graph.registry import Registry
    from graph.run import run_workflow
    from tests.graph.running import STANDARD, ToyJob
    from tests.graph.toys import spec

    registry = Registry([*STANDARD, *map(spec, functions)])
    run_workflow(Workflow(nodes), registry, job=ToyJob(), emit=events.append)


def test_a_wrong_number_of_values_is_a_sentence() -> None:
    @node("Three", output=True)
    def three() -> Annotated[Outcome, Outputs("A", "B")]:
        """Gives three for two."""
        return Outcome((1, 2, 3))

    assert run({"t": Node("Three")}, three).errors == [
        "Node t (Three): returned 3 values but declares 2 outputs (A, B)."
    ]


def test_a_workflow_with_errors_is_refused_with_all_of_them() -> None:
    with pytest.raises(WorkflowError) as caught:
        run({"a": Node("Add", {"a": 3.5, "b": "x"}), "s": show_of("a")})
    assert [problem.input for problem in caught.value.problems] == ["a", "b"]


# Caching


def chain() -> dict[str, Node]:
    return {
        "a": Node("Number", {"value": 4}),
        "b": Node("Add", {"a": Link("a", "INT"), "b": 3}),
        "s": show_of("b"),
    }


def test_m1_nothing_runs_twice_and_outputs_are_shown_again() -> None:
    memory = MemoryStore()
    run(chain(), memory=memory)
    again = run(chain(), memory=memory)
    assert (again.started, again.shown("s")) == ([], [7])
    assert set(again.verdicts.values()) == {"cached"}
    assert isinstance(again.events[0], JobStarted) and again.events[0].cached == ("a", "b", "s")


def test_renumbered_nodes_are_still_cached() -> None:
    memory = MemoryStore()
    run(chain(), memory=memory)
    moved = {
        "x": Node("Number", {"value": 4}),
        "y": Node("Add", {"a": Link("x", "INT"), "b": 3}),
        "z": show_of("y"),
    }
    again = run(moved, memory=memory)
    assert (again.started, again.result.outputs) == ([], {"z": {"value": [7]}})


def test_only_what_a_changed_value_reaches_runs() -> None:
    memory = MemoryStore()
    run(chain(), memory=memory)
    again = run(chain() | {"b": Node("Add", {"a": Link("a", "INT"), "b": 4})}, memory=memory)
    assert again.started == ["b", "s"]
    assert again.verdicts["a"] == "cached"
    assert again.reasons == {"b": "b 3 → 4", "s": "upstream b changed"}


def test_equal_nodes_in_one_workflow_run_once() -> None:
    ran = run({"a": Node("Number"), "b": Node("Number"), "s": show_of("a"), "t": show_of("b")})
    assert ran.verdicts["b"] == "cached" and len(ran.started) == 2
    assert ran.shown("s") == ran.shown("t") == [0]


def test_a_node_that_is_not_idempotent_is_never_shared() -> None:
    count = list[int]()

    @node("Roll", idempotent=False)
    def roll() -> int:
        """Counts its calls."""
        count.append(1)
        return len(count)

    ran = run({"a": Node("Roll"), "b": Node("Roll"), "s": show_of("a"), "t": show_of("b")}, roll)
    assert sorted([*ran.shown("s"), *ran.shown("t")]) == [1, 2]


def test_results_evicted_by_the_budget_are_made_again() -> None:
    memory = MemoryStore(budget=0)
    assert run(chain(), memory=memory).shown("s") == [7]
    assert len(memory) == 0
    assert run(chain(), memory=memory).reasons["b"] == "not in cache (evicted)"


# Cancelling


def test_m10_a_cancel_before_the_start_holds() -> None:
    cancel = threading.Event()
    cancel.set()
    ran = run(chain(), cancel=cancel)
    assert (ran.state, ran.started) == ("cancelled", [])
    assert set(ran.verdicts.values()) == {"cancelled"}


def test_a_cancel_stops_between_steps_and_keeps_what_is_finished() -> None:
    cancel, memory = threading.Event(), MemoryStore()

    @node("Slow")
    def slow(a: int, context: Context) -> int:
        """Cancelled at its second step."""
        context.progress(1, 3)
        cancel.set()
        context.progress(2, 3)
        raise AssertionError("not stopped")

    nodes = {"a": Node("Number"), "slow": Node("Slow", {"a": Link("a", "INT")}), "s": show_of("slow")}
    ran = run(nodes, slow, cancel=cancel, memory=memory)
    assert (ran.state, ran.errors) == ("cancelled", [])
    assert ran.verdicts == {"a": "ran", "slow": "cancelled", "s": "cancelled"}
    assert run(chain() | {"a": Node("Number")}, memory=memory).verdicts["a"] == "cached"


def test_a_cancel_ends_async_nodes_too() -> None:
    cancel = threading.Event()

    @node("Wait", output=True)
    async def wait() -> None:
        """Waits long."""
        cancel.set()
        await asyncio.sleep(60)

    began = time.perf_counter()
    assert run({"w": Node("Wait")}, wait, cancel=cancel).state == "cancelled"
    assert time.perf_counter() - began < 5


# Context


def test_a_node_gets_a_context_for_progress_and_log() -> None:
    @node("Talk", output=True)
    def talk(context: Context) -> None:
        """Talks."""
        context.progress(1, 2, "preview")
        context.log(f"{context.node_id} {context.job.metadata}")

    events = run({"t": Node("Talk")}, talk).events
    assert NodeProgress("t", 1, 2, "preview") in events
    assert NodeLog("t", "t {}") in events


def test_foreign_hidden_inputs_come_from_a_callable() -> None:
    from dataclasses import replace

    from graph.registry import Registry
    from graph.run import run_workflow
    from graph.spec import NodeSpec
    from tests.graph.running import ToyJob

    seen = list[Any]()
    spec = NodeSpec(
        "Peek",
        lambda **given: seen.append(given) or (),
        output=True,
        hidden={"id": "UNIQUE_ID", "p": "PROMPT"},
    )
    run_workflow(
        Workflow({"p": Node("Peek")}),
        Registry([replace(spec)]),
        job=ToyJob(),
        hidden=lambda kind, id, graph: (kind, id, graph.root(id)),
    )
    assert seen == [{"id": "p", "p": ("PROMPT", "p", "p")}]


# Lazy inputs


@node("Switch", needs=lambda which, **_: ["on"] if which else ["off"])
def switch(
    which: bool, on: Annotated[Any, Hint(lazy=True)] = None, off: Annotated[Any, Hint(lazy=True)] = None
) -> int:
    """One of two."""
    assert on is None or off is None, "both branches ran"
    return cast(int, on if which else off)


def switched(which: bool) -> dict[str, Node]:
    return {
        "x": Node("Number", {"value": 1}),
        "y": Node("Fail", {"a": Link("x", "INT")}),
        "sw": Node("Switch", {"which": which, "on": Link("x", "INT"), "off": Link("y", "INT")}),
        "s": show_of("sw"),
    }


def test_a_lazy_input_that_is_not_needed_does_not_run() -> None:
    ran = run(switched(True), switch)
    assert ran.shown("s") == [1]
    assert (ran.verdicts["y"], ran.result.reasons["y"]) == ("skipped", "nothing that runs needs it")


def test_a_needed_lazy_input_that_fails_skips_its_user() -> None:
    ran = run(switched(False), switch)
    assert ran.result.reasons["sw"] == "needs y, which failed"


def test_lazy_inputs_are_asked_for_again_until_nothing_new_is_needed() -> None:
    asked = list[dict[str, Any]]()

    def needs(**known: Any) -> list[str]:
        asked.append(known)
        return ["b"] if known["a"] is None else ["a", "b"]

    def needs_in_turn(**known: Any) -> list[str]:
        asked.append(known)
        return ["a"] if known["a"] is None else ["b"]

    @node("Both", needs=needs_in_turn)
    def both(a: Annotated[Any, Hint(lazy=True)] = None, b: Annotated[Any, Hint(lazy=True)] = None) -> int:
        """A sum."""
        return a + b

    one, two = Node("Number", {"value": 1}), Node("Number", {"value": 2})
    link = {"a": Link("x", "INT"), "b": Link("y", "INT")}
    ran = run({"x": one, "y": two, "both": Node("Both", link), "s": show_of("both")}, both)
    assert ran.shown("s") == [3]
    assert asked == [{"a": None, "b": None}, {"a": 1, "b": None}]


# Async nodes


def test_async_nodes_overlap_each_other_and_sync_nodes() -> None:
    running = list[int]()
    met = threading.Event()

    @node("Wait", output=True)
    async def wait(n: int) -> None:
        """Waits until two are there and a sync node has run."""
        running.append(n)
        while len(running) < 2 or not met.is_set():
            await asyncio.sleep(0.001)

    @node("Meet", output=True)
    def meet() -> None:
        """Runs while the others wait."""
        met.set()

    nodes = {"1": Node("Wait", {"n": 1}), "2": Node("Wait", {"n": 2}), "m": Node("Meet")}
    assert run(nodes, wait, meet).state == "done"


def test_a_failing_async_node_is_a_failure_like_any_other() -> None:
    @node("Broken")
    async def broken() -> int:
        """Fails later."""
        await asyncio.sleep(0)
        raise ValueError("no network")

    @node("Quit", output=True)
    async def leave() -> None:
        """Tries to leave."""
        raise SystemExit(1)

    ran = run({"b": Node("Broken"), "s": show_of("b"), "q": Node("Quit")}, broken, leave)
    assert sorted(ran.errors) == [
        "Node b (Broken): no network.",
        "Node q (Quit): It tried to end the program.",
    ]
    assert ran.verdicts["s"] == "skipped"


def test_a_run_works_inside_a_running_loop() -> None:
    @node("Soon")
    async def soon() -> int:
        """Gives 5 soon."""
        await asyncio.sleep(0)
        return 5

    async def main() -> Ran:
        return await asyncio.to_thread(run, {"a": Node("Soon"), "s": show_of("a")}, soon)

    async def blocking() -> Ran:
        return run({"a": Node("Soon"), "s": show_of("a")}, soon)

    assert asyncio.run(main()).shown("s") == [5]
    assert asyncio.run(blocking()).shown("s") == [5]


# Blockers


def test_a_blocker_skips_what_depends_on_it_and_is_told_once() -> None:
    @node("Gate")
    def gate(message: str = "") -> int | Blocker:
        """Always shut."""
        return Blocker(message)

    nodes = {
        "g": Node("Gate", {"message": "Pick a picture first."}),
        "a": Node("Add", {"a": Link("g", "INT")}),
        "s": show_of("a"),
        "t": show_of("g"),
        "n": Node("Number"),
        "u": show_of("n"),
    }
    ran = run(nodes, gate)
    assert (ran.state, ran.logs) == ("done", ["Pick a picture first."])
    assert [ran.verdicts[key] for key in "gastu"] == ["ran", "blocked", "blocked", "blocked", "ran"]


def test_a_failed_event_names_the_failing_node() -> None:
    failures = [event for event in run(two_branches()).events if isinstance(event, NodeFailed)]
    assert [event.node for event in failures] == ["bad"]


def test_a_node_may_cancel_its_job() -> None:
    @node("Stop", output=True)
    def stop() -> None:
        """Stops."""
        raise Cancelled

    assert run({"s": Node("Stop")}, stop).state == "cancelled"


def test_targets_choose_what_runs_and_their_values_are_given() -> None:
    ran = run(two_branches(), targets=["b"])
    assert ran.started == ["a", "b"]
    assert ran.result.values == {"b": {"INT": [7]}}
