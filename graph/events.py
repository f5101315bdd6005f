"""Events: what happens while a job runs, as frozen facts. `emit` is a plain callable that takes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ran", "cached", "disk", "skipped", "blocked", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The plan is known: the nodes asked for in order, and those that come from a cache."""

    nodes: tuple[str, ...]
    cached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node begins, and why it has to run ("seed 4 → 5", "first run", "checkpoint replaced").

    quick: nodes of its type have been quick so far (graph.late_writes).
    """

    node: str
    reason: str = ""
    display_node: str = ""
    quick: bool = False


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """A node did `done` of `total`; `preview` is a picture or latent that the host draws, or None."""

    node: str
    done: int
    total: int
    preview: Any = None


@dataclass(frozen=True, slots=True)
class NodeItem:
    """A node that runs once for each item of a list begins item `item` of `items`, counted from 1."""

    node: str
    item: int
    items: int
    display_node: str = ""


@dataclass(frozen=True, slots=True)
class NodeLog:
    """A node says something."""

    node: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node is done. `ui` is what a person sees, seconds the time it took; reason explains the verdict."""

    node: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    ui: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    display_node: str = ""


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node failed: one sentence for the user, the exception's full class name and its trace."""

    node: str
    message: str
    exception: str = ""
    trace: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    display_node: str = ""


@dataclass(frozen=True, slots=True)
class JobFinished:
    """The job ended."""

    state: Literal["done", "failed", "cancelled"]
    seconds: float = 0.0


Event = JobStarted | NodeStarted | NodeProgress | NodeItem | NodeLog | NodeFinished | NodeFailed | JobFinished
Emit = Callable[[Event], None]
