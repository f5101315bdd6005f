"""The report of a run: events as they happen, and what the job came to."""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from graph.events import Emit, Event, JobFinished, JobStarted, NodeFailed, NodeFinished, NodeLog, NodeStarted
from graph.mapping import Items
from graph.outcome import Blocker
from graph.plan import Plan
from graph.results import JobResult, JobState
from graph.storage import Storage
from graph.tasks import State, Task, Values

Ui = Mapping[str, list[Any]]
NOT_NEEDED: Final = "nothing that runs needs it"
UNCHANGED: Final = "unchanged"


class Report:
    """Tells what happens to `emit`, one thread at a time, and keeps what the result will say.

    Hits found before the job has started are told right after its start.
    """

    __slots__ = ("_blockers", "_early", "_emit", "_lock", "errors", "outputs", "values")

    def __init__(self, emit: Emit | None) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._early: list[Task] | None = []
        self._blockers = list[Blocker]()
        self.outputs = dict[str, Ui]()
        self.errors = list[NodeFailed]()
        self.values = dict[str, Mapping[str, Items]]()

    def emit(self, event: Event) -> None:
        """Tell an event."""
        if self._emit is not None:
            with self._lock:
                self._emit(event)

    def log(self, node: str, message: str) -> None:
        """Tell a sentence about a node."""
        self.emit(NodeLog(node, message))

    def job_started(self, nodes: tuple[str, ...], cached: tuple[str, ...]) -> None:
        """Tell the plan, and then the hits that were found while making it."""
        self.emit(JobStarted(nodes, cached))
        early, self._early = self._early or [], None
        for task in early:
            self.hit(task)

    def started(self, task: Task, quick: bool) -> None:
        """Tell that a node begins."""
        task.started = time.perf_counter()
        self.emit(NodeStarted(task.step.id, task.reason, task.step.display, quick))

    def finished(self, task: Task, ui: Ui) -> None:
        """Tell that a node is done."""
        step = task.step
        if ui:
            self.outputs[step.id] = ui
        seconds = time.perf_counter() - task.started if task.started else 0.0
        assert task.verdict is not None
        self.emit(NodeFinished(step.id, task.verdict, task.reason, seconds, ui, step.display))

    def hit(self, task: Task) -> None:
        """Tell of a result from memory, and show again what it and the nodes inside it showed."""
        if self._early is not None:
            self._early.append(task)
            return
        own: Ui = {}
        for item in task.shown:
            if item.node == task.step.id:
                own = item.ui
            else:
                self.outputs[item.node] = item.ui
                self.emit(NodeFinished(item.node, "cached", UNCHANGED, 0.0, item.ui, item.display))
        self.finished(task, own)

    def failed(self, event: NodeFailed) -> None:
        """Tell of a failure."""
        self.errors.append(event)
        self.emit(event)

    def blocked(self, task: Task, blocker: Blocker) -> None:
        """Say a Blocker's message, once a job."""
        if blocker.message and not any(told is blocker for told in self._blockers):
            self._blockers.append(blocker)
            task.blocked = blocker.message
            self.log(task.step.id, blocker.message)

    def keep_values(self, task: Task, values: Values) -> None:
        """Put a target's values in the result."""
        names = task.step.ends.outputs
        self.values[task.step.id] = {name: values[place] or [] for name, place in names.items()}

    def result(
        self, plan: Plan, made: Mapping[str, Task], storage: Storage, state: JobState, seconds: float
    ) -> JobResult:
        """Tell the end, and first what was not needed after all; gives all that the job came to."""
        ends = {node: self._end_of(node, made.get(node), storage, state) for node in plan.steps}
        ends |= {node: ("skipped", reason) for node, reason in plan.dropped.items()}
        self.emit(JobFinished(state, seconds))
        return JobResult(
            state=state,
            outputs=self.outputs,
            errors=tuple(self.errors),
            verdicts={node: verdict for node, (verdict, _) in ends.items()},
            reasons={node: reason for node, (_, reason) in ends.items()},
            values=self.values,
            seconds=seconds,
        )

    def _end_of(self, node: str, task: Task | None, storage: Storage, state: JobState) -> tuple[Any, str]:
        """What became of a node."""
        if task is not None and task.verdict is not None:
            return task.verdict, task.reason
        if state == "cancelled":
            if task is not None and task.state is State.RUNNING:
                task.verdict = "cancelled"
                self.finished(task, {})
            return "cancelled", ""
        if storage.is_kept(node):
            return "cached", UNCHANGED
        if task is not None:
            self.emit(NodeFinished(node, "skipped", NOT_NEEDED))
        return "skipped", NOT_NEEDED
