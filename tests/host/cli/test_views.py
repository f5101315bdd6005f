"""What a person sees of a run."""

import json

import pytest
from rich.progress import Task

from graph.events import (
    Event,
    JobFinished,
    JobStarted,
    NodeFailed,
    NodeFinished,
    NodeItem,
    NodeLog,
    NodeProgress,
    NodeStarted,
)
from host.cli.views import Bars, Lines, RateColumn, Record, explain, json_lines

RUN: list[Event] = [
    JobStarted(("load", "sample", "bad")),
    NodeStarted("load", "first run"),
    NodeFinished("load", "disk", "same as before"),
    NodeStarted("sample", "seed 4 → 5"),
    NodeLog("sample", "[red]not markup[/]"),
    *[NodeProgress("sample", step, 20) for step in range(1, 21)],
    NodeFinished("sample", "ran", "seed 4 → 5", 2.0),
    NodeFailed("bad", "Node bad: it broke."),
    JobFinished("failed", 2.5),
]


def title(node: str) -> str:
    return node.upper()


@pytest.mark.parametrize("view", [Lines, Bars])
def test_a_view_tells_what_was_done_and_what_failed(
    view: type[Lines] | type[Bars], capsys: pytest.CaptureFixture[str]
) -> None:
    show = view(title)
    for event in RUN:
        show(event)
    said = capsys.readouterr()
    assert said.out == ""
    for words in (
        "✓ LOAD  from disk",
        "✓ SAMPLE  2.0 s",
        "✗ Node bad: it broke.",
        "SAMPLE: [red]not markup[/]",
    ):
        assert words in said.err


def test_a_log_gets_a_line_at_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    show = Lines(title)
    for event in RUN:
        show(event)
    assert [line for line in capsys.readouterr().err.splitlines() if " of 20" in line] == [
        "  SAMPLE: 5 of 20",
        "  SAMPLE: 10 of 20",
        "  SAMPLE: 15 of 20",
    ]


def test_every_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    for event in [*RUN, NodeProgress("sample", 1, 2, object())]:
        json_lines(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == len(RUN) + 1
    assert lines[0] == {"event": "job_started", "nodes": ["load", "sample", "bad"], "cached": []}
    assert lines[-1] == {"event": "node_progress", "node": "sample", "done": 1, "total": 2}


def test_the_table_says_why_each_node_ran(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    record = Record()
    for event in RUN:
        record(event)
    explain(record, title)
    table = capsys.readouterr().out
    assert "SAMPLE  ran      seed 4 → 5" in table and "2.00" in table
    assert record.state == "failed" and "BAD     failed   Node bad: it broke." in table


def task(speed: float | None) -> Task:
    made = Task(0, "x", 10, 5, _get_time=lambda: 0.0)  # pyright: ignore[reportArgumentType]
    made.finished_speed = speed
    return made


@pytest.mark.parametrize(("speed", "words"), [(12.34, "12.3/s"), (0.25, "4.0 s a step"), (None, "")])
def test_slow_steps_are_told_in_seconds_a_step(speed: float | None, words: str) -> None:
    assert RateColumn().render(task(speed)).plain == words


def test_items_of_a_list_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    show = Lines(title)
    for item in range(1, 9):
        show(NodeItem("load", item, 8))
    said = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert said == ["LOAD: 2 of 8", "LOAD: 4 of 8", "LOAD: 6 of 8"]
    bars = Bars(title)
    for event in (JobStarted(("load",)), NodeStarted("load"), NodeItem("load", 2, 8)):
        bars(event)
    assert [task.description for task in bars.tasks if "(" in task.description] == ["  LOAD (2 of 8)"]
    bars(JobFinished("done", 1.0))
