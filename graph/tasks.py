"""Tasks: the state of each node of a run, who waits for whom, and whose values are still needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush
from itertools import count
from typing import Any

from graph.disk_store import Stored
from graph.events import Verdict
from graph.guard import Seal
from graph.keys import Key
from graph.memory_store import Fact, MemoryStore, Shown
from graph.outcome import Outcome
from graph.plan import Source, Step

Items = list[Any]
Values = tuple[Items | None, ...]
Rank = tuple[int, int, int]


class State(Enum):
    """Where a task stands. IDLE: nothing asked for it yet. FAILED: failed, or skipped since a source did."""

    IDLE = auto()
    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


class Way(Enum):
    """How a task gets its values: by running, from the disk store, or from the nodes it expanded to."""

    RUN = auto()
    LOAD = auto()
    COLLECT = auto()


@dataclass(slots=True, eq=False)
class Task:
    """One node in one run.

    wanted: outputs asked for (bit i for output i). uses: tasks that hold its values, or may come to.
    epoch: raised whenever it starts to wait anew, so that news for an earlier wait is ignored.
    root: the workflow's own node that it is part of. tainted: its result is not trusted, and nothing made
    from it is cached. lasting: its result may be cached.
    """

    step: Step
    key: Key
    rank: Rank
    root: str
    parent: "Task | None" = None
    goal: bool = False
    state: State = State.IDLE
    way: Way = Way.RUN
    wanted: int = 0
    uses: int = 0
    waiting: int = 0
    epoch: int = 0
    holding: bool = False
    pinned: bool = False
    tainted: bool = False
    lasting: bool = True
    blocked: str = ""
    repairs: int = 0
    started: float = 0.0
    values: Values | None = None
    seal: Seal = ()
    literal_seal: Seal = ()
    shown: tuple[Shown, ...] = ()
    inside: frozenset[Fact] = frozenset()
    stored: Stored | None = None
    verdict: Verdict | None = None
    reason: str = ""
    facts: Mapping[str, Any] | None = None
    users: list[tuple["Task", int]] = field(default_factory=list["tuple[Task, int]"])
    asked: frozenset[str] = frozenset()
    expanded: "Expanded | None" = None


@dataclass(slots=True, eq=False)
class Expanded:
    """What a task that expanded waits for: its children, and the sources of its results by (call, value)."""

    outcomes: Sequence[Outcome]
    children: list[Task]
    flows: Mapping[tuple[int, int], Source]
    awaited: list[Task]


def covers(values: Values | None, wanted: int) -> bool:
    """Whether all wanted outputs are among the values."""
    if values is None:
        return not wanted
    return all(items is not None or not wanted >> index & 1 for index, items in enumerate(values))


def is_there(task: Task, wanted: int) -> bool:
    """Whether a task's wanted outputs can be read now."""
    return task.state is State.DONE and covers(task.values, wanted)


class Holds:
    """Who may still need whose values: a task's values are let go when nobody can need them."""

    __slots__ = ("_memory", "_task")

    def __init__(self, memory: MemoryStore, task: Callable[[str], Task]) -> None:
        self._memory = memory
        self._task = task

    def take(self, task: Task) -> None:
        """Hold the sources of a task that will run, and all that its lazy inputs may come to need."""
        waiting = [task]
        while waiting:
            task = waiting.pop()
            if task.holding:
                continue
            task.holding = True
            lazy = task.step.ends.lazy
            for name, source in task.step.sources.items():
                origin = self._task(source.node)
                origin.uses += 1
                if (task.state is State.IDLE or name in lazy) and self._may_run(origin):
                    waiting.append(origin)

    def _may_run(self, task: Task) -> bool:
        return task.state is State.IDLE and not task.holding and task.key.digest not in self._memory

    def release(self, task: Task) -> None:
        """Let go of what a task held; what nobody needs any more stops waiting, and lets go in turn."""
        waiting = [task]
        while waiting:
            task = waiting.pop()
            for origin in self._given_up(task):
                origin.uses -= 1
                if origin.uses:
                    continue
                if origin.state is State.DONE:
                    self.let_go(origin)
                elif not origin.goal and origin.state in _NOT_RUNNING:
                    origin.state = State.IDLE
                    origin.epoch += 1
                    waiting.append(origin)

    def _given_up(self, task: Task) -> Iterable[Task]:
        held = list[Task]()
        if task.holding:
            task.holding = False
            held.extend(self._task(source.node) for source in task.step.sources.values())
        if task.expanded is not None:
            held.extend(task.expanded.awaited)
            task.expanded.awaited = []
        return held

    def let_go(self, task: Task) -> None:
        """Drop a task's values from the run's own table; the memory store may keep them."""
        task.values = None
        task.seal = ()
        if task.pinned:
            task.pinned = False
            self._memory.unpin(task.key.digest)

    def pin(self, task: Task) -> None:
        """Keep a task's values in the memory store while the run needs them."""
        if not task.pinned:
            task.pinned = True
            self._memory.pin(task.key.digest)


_NOT_RUNNING = (State.IDLE, State.WAITING, State.READY)


class Ready:
    """The tasks that can run now: async ones first, then in the plan's order, deeper expansions first."""

    __slots__ = ("_heap", "_number")

    def __init__(self) -> None:
        self._heap = list[tuple[int, Rank, int, Task]]()
        self._number = count()

    def push(self, task: Task) -> None:
        """Mark a task as ready."""
        task.state = State.READY
        lane = 0 if task.step.ends.spec.is_async else 1
        heappush(self._heap, (lane, task.rank, next(self._number), task))

    def pop(self) -> Task | None:
        """The next ready task, or None."""
        while self._heap:
            task = heappop(self._heap)[3]
            if task.state is State.READY:
                return task
        return None
