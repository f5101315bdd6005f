"""What tests of running share: a job, files that are only names, and a run that keeps its events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graph.document import Link, Node, Workflow
from graph.events import Event, NodeFinished, NodeLog, NodeStarted
from graph.node import node
from graph.outcome import Outcome
from graph.registry import Registry
from graph.results import JobResult
from graph.run import run_workflow
from tests.graph.toys import spec


@dataclass
class ToyFiles:
    """Files that have names and identities only."""

    identities: dict[str, str] = field(default_factory=dict[str, str])

    def names(self, kind: str) -> Sequence[str]:
        return sorted(self.identities)

    def find(self, kind: str, name: str) -> Path | None:
        return Path(kind) / name if name in self.identities else None

    def identity(self, kind: str, name: str) -> str:
        return self.identities.get(name, "")

    def folder(self, kind: str) -> Path:
        return Path(kind)

    def folders(self, kind: str) -> Sequence[Path]:
        return [Path(kind)]


@dataclass
class ToyJob:
    files: ToyFiles = field(default_factory=ToyFiles)
    metadata: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, message: str) -> None: ...


@dataclass(frozen=True)
class Ran:
    """A run's result and its events."""

    result: JobResult
    events: list[Event]

    @property
    def state(self) -> str:
        return self.result.state

    @property
    def verdicts(self) -> Mapping[str, str]:
        return self.result.verdicts

    @property
    def started(self) -> list[str]:
        return [event.node for event in self.events if isinstance(event, NodeStarted)]

    @property
    def reasons(self) -> dict[str, str]:
        return {event.node: event.reason for event in self.events if isinstance(event, NodeStarted)}

    @property
    def logs(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, NodeLog)]

    @property
    def finished(self) -> list[NodeFinished]:
        return [event for event in self.events if isinstance(event, NodeFinished)]

    @property
    def errors(self) -> list[str]:
        return [error.message for error in self.result.errors]

    def shown(self, node: str) -> Any:
        """What a Show node was given."""
        return self.result.outputs[node]["value"]


def run(nodes: Mapping[str, Node], *functions: Callable[..., Any], **more: Any) -> Ran:
    """Run nodes of these types and of STANDARD ones."""
    registry = Registry([*STANDARD, *map(spec, functions)])
    events = list[Event]()
    job = more.pop("job", None) or ToyJob()
    result = run_workflow(Workflow(nodes), registry, job=job, emit=events.append, **more)
    return Ran(result, events)


def show_of(source: str, output: str = "INT") -> Node:
    """A node that shows another's output."""
    return Node("Show", {"value": Link(source, output)})


@node("Number")
def number(value: int = 0) -> int:
    """A number."""
    return value


@node("Add")
def add(a: int, b: int = 1) -> int:
    """A sum."""
    return a + b


@node("Fail")
def fail(a: int = 0) -> int:
    """Always fails."""
    raise ValueError("it broke")


@node("Show", output=True)
def show(value: Any) -> Outcome:
    """Show a value."""
    return Outcome(ui={"value": [value]})


STANDARD = tuple(map(spec, (number, add, fail, show)))
