"""Field pains M8, M9 and M11 as far as the engine goes: one bad part must not spoil or hide the rest."""

from dataclasses import FrozenInstanceError

import pytest

from graph.document import Node, Workflow
from graph.document_json import parse_workflow
from graph.events import Event, JobFinished, JobStarted
from graph.node import node
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.run import run_workflow
from tests.graph.running import STANDARD, ToyJob, run, show_of
from tests.graph.toys import spec


def test_m8_one_invalid_output_refuses_the_whole_workflow_before_anything_runs() -> None:
    ran = list[int]()

    @node("Mark")
    def mark() -> int:
        """Remembers that it ran."""
        ran.append(1)
        return 1

    good = {"m": Node("Mark"), "s": show_of("m")}
    with pytest.raises(WorkflowError) as refused:
        run(good | {"bad": show_of("gone")}, mark)
    assert [problem.node for problem in refused.value.problems] == ["bad"]
    assert ran == []
    assert run(good, mark).state == "done"


def test_m9_a_node_without_inputs_is_refused_and_the_next_job_still_runs() -> None:
    bare = parse_workflow({"format": "darkroom/1", "nodes": {"1": {"type": "Show"}}})
    registry = Registry(STANDARD)
    with pytest.raises(WorkflowError, match="value"):
        run_workflow(bare, registry, job=ToyJob())
    assert run({"n": Node("Number"), "s": show_of("n")}).state == "done"


def test_m11_every_listener_is_told_every_event_and_a_late_one_can_be_caught_up() -> None:
    early, late = list[Event](), list[Event]()
    nodes = {"n": Node("Number"), "s": show_of("n"), "f": Node("Fail"), "t": show_of("f")} | {
        "d": Node("Doubled", {"a": 4}),
        "u": show_of("d"),
    }

    def tell(event: Event) -> None:
        early.append(event)
        if len(early) == 3:
            late.extend(early)
        elif len(early) > 3:
            late.append(event)

    run_workflow(Workflow(nodes), Registry([*STANDARD, spec(doubled)]), job=ToyJob(), emit=tell)
    assert late == early
    assert isinstance(early[0], JobStarted) and isinstance(early[-1], JobFinished)
    with pytest.raises(FrozenInstanceError):
        early[0].nodes = ()  # type: ignore[misc, union-attr]


@node("Doubled")
async def doubled(a: int) -> int:
    """Twice a number, made on the loop's own thread."""
    return 2 * a
