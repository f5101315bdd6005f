"""What a person or a program sees of a run: bars in a terminal, lines in a log, JSON for programs."""

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from graph.events import (
    Emit,
    Event,
    JobFinished,
    JobStarted,
    NodeFailed,
    NodeFinished,
    NodeItem,
    NodeLog,
    NodeProgress,
    NodeStarted,
    Verdict,
)
from host.cli.console import messages, results

COLOURS: Final[Mapping[Verdict, str]] = {
    "ran": "green",
    "cached": "blue",
    "disk": "blue",
    "skipped": "dim",
    "blocked": "yellow",
    "failed": "red",
    "cancelled": "yellow",
}
WORDS: Final[Mapping[Verdict, str]] = {"cached": "from memory", "disk": "from disk"}
WORTH_A_LINE: Final = 0.05
"""Seconds below which a node that ran is not worth a line of its own."""
QUARTERS: Final = 4

Title = Callable[[str], str]


def both(first: Emit, second: Emit) -> Emit:
    """Events to two receivers."""

    def emit(event: Event) -> None:
        first(event)
        second(event)

    return emit


def failures(event: Event) -> None:
    """A view that shows nothing but what failed."""
    if isinstance(event, NodeFailed):
        messages().print(Text.assemble(("✗ ", "red"), event.message))


def json_lines(event: Event) -> None:
    """A view for programs: one JSON object a line on standard output; previews are left out."""
    facts = {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}
    facts.pop("preview", None)
    sys.stdout.write(json.dumps({"event": event_name(event), **facts}, default=str) + "\n")
    sys.stdout.flush()


def event_name(event: Event) -> str:
    """An event's name in JSON: NodeStarted is "node_started"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


@dataclass(slots=True)
class Lines:
    """A view for logs: a line when a node is done, and one at each quarter of a long one."""

    title: Title
    quarters: dict[str, int] = field(default_factory=dict[str, int])

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case NodeProgress(node, done, total) if total > QUARTERS:
                self._progress(node, done, total)
            case NodeItem(node, item, items) if items > QUARTERS:
                self._progress(node, item, items)
            case NodeLog(node, message):
                messages().print(Text(f"{self.title(node)}: {message}"))
            case NodeFinished() | NodeFailed():
                if line := finished_line(event, self.title):
                    messages().print(line)
            case _:
                pass

    def _progress(self, node: str, done: int, total: int) -> None:
        quarter = done * QUARTERS // total
        if 0 < quarter < QUARTERS and quarter != self.quarters.get(node):
            self.quarters[node] = quarter
            messages().print(Text(f"  {self.title(node)}: {done} of {total}", "dim"))


def finished_line(event: NodeFinished | NodeFailed, title: Title) -> Text | None:
    """What is said of a node that ended; None when it is not worth a line."""
    if isinstance(event, NodeFailed):
        return Text.assemble(("✗ ", "red"), event.message)
    if event.verdict in ("failed", "skipped") or (event.verdict == "ran" and event.seconds < WORTH_A_LINE):
        return None
    mark = "✓ " if event.verdict in ("ran", "cached", "disk") else "– "
    how = f"{event.seconds:.1f} s" if event.verdict == "ran" else WORDS.get(event.verdict, event.verdict)
    line = Text.assemble((mark, COLOURS[event.verdict]), title(event.node), (f"  {how}", "dim"))
    if event.verdict in ("blocked", "cancelled") and event.reason:
        line.append(f" ({event.reason})", "dim")
    return line


class RateColumn(ProgressColumn):
    """Steps a second, or seconds a step when they are slow."""

    def render(self, task: Task) -> Text:
        """The rate of a bar as text."""
        speed = task.finished_speed or task.speed
        if not speed or task.total is None:
            return Text("")
        return Text(f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s a step", "dim")


class Bars:
    """A view for terminals: a bar for the whole job and one for each node at work."""

    def __init__(self, title: Title) -> None:
        self._title = title
        self._nodes = dict[str, TaskID]()
        self._job: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", style="dim"),
            RateColumn(),
            TimeRemainingColumn(compact=True),
            console=messages(),
            transient=True,
        )

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case JobStarted(nodes):
                self._progress.start()
                self._job = self._progress.add_task("Nodes", total=len(nodes) or None)
            case NodeStarted(node):
                self._nodes[node] = self._progress.add_task(f"  {self._title(node)}", total=1, visible=False)
            case NodeProgress(node, done, total) if node in self._nodes:
                self._progress.update(self._nodes[node], completed=done, total=total, visible=True)
            case NodeItem(node, item, items) if node in self._nodes:
                words = f"  {self._title(node)} ({item} of {items})"
                self._progress.update(self._nodes[node], description=words, visible=True)
            case NodeLog(node, message):
                self._progress.console.print(Text(f"{self._title(node)}: {message}"))
            case NodeFinished() | NodeFailed():
                self._end(event)
            case JobFinished():
                self._progress.stop()
            case _:
                pass

    @property
    def tasks(self) -> list[Task]:
        """The bars that are shown or will be."""
        return self._progress.tasks

    def _end(self, event: NodeFinished | NodeFailed) -> None:
        if event.node in self._nodes:
            self._progress.remove_task(self._nodes.pop(event.node))
        if self._job is not None and isinstance(event, NodeFinished):
            self._progress.advance(self._job)
        if line := finished_line(event, self._title):
            self._progress.console.print(line)


@dataclass(slots=True)
class Record:
    """Keeps what a run made and why each node ran, to tell at the end."""

    ended: list[NodeFinished | NodeFailed] = field(default_factory=list[NodeFinished | NodeFailed])
    state: str = "failed"
    started: float = field(default_factory=monotonic)

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        match event:
            case NodeFinished() | NodeFailed():
                self.ended.append(event)
            case JobFinished(state):
                self.state = state
            case _:
                pass

    def shown(self) -> list[tuple[str, Mapping[str, list[Any]]]]:
        """What each node had to show: (node, ui)."""
        done = (event for event in self.ended if isinstance(event, NodeFinished))
        return [(event.node, event.ui) for event in done if event.ui]


def explain(record: Record, title: Title) -> None:
    """Print why each node ran or did not, and how long it took."""
    table = Table("node", "verdict", "why", "seconds", box=None, pad_edge=False)
    table.columns[3].justify = "right"
    for event in record.ended:
        table.add_row(Text(title(event.node), "bold"), *_explained(event))
    results().print(table)


def _explained(event: NodeFinished | NodeFailed) -> tuple[Text, Text, str]:
    """A node's verdict, the reason of it, and its seconds."""
    if isinstance(event, NodeFailed):
        return Text("failed", COLOURS["failed"]), Text(event.message), ""
    seconds = f"{event.seconds:.2f}" if event.verdict == "ran" else ""
    return Text(event.verdict, COLOURS[event.verdict]), Text(event.reason), seconds
