"""Who waits for whom in a run: values are asked for from the targets backwards, and news flows forwards."""

from collections.abc import Iterator, Sequence

from graph.events import Verdict
from graph.guard import Seal
from graph.keys import Key, Keys
from graph.memory_store import Entry, Shown
from graph.plan import Plan, Source, Step
from graph.report import UNCHANGED, Report
from graph.storage import Storage
from graph.tasks import Holds, Ready, State, Task, Values, Way, is_there


class Waits:
    """The tasks of a run, made as they are asked for. No recursion: every walk keeps its own list."""

    __slots__ = (
        "_goals",
        "_keep_values",
        "_keys",
        "_number",
        "_plan",
        "_ranks",
        "_report",
        "_storage",
        "holds",
        "made",
        "ready",
    )

    def __init__(self, plan: Plan, keys: Keys, storage: Storage, report: Report, keep_values: bool) -> None:
        self._plan = plan
        self._keys = keys
        self._storage = storage
        self._report = report
        self._keep_values = keep_values
        self._ranks = {node: rank for rank, node in enumerate(plan.steps)}
        self._goals = frozenset(plan.targets)
        self._number = 0
        self.made = dict[str, Task]()
        self.holds = Holds(storage.memory, self.task)
        self.ready = Ready()

    def task(self, node: str) -> Task:
        """The task of a node."""
        task = self.made.get(node)
        if task is None:
            step = self._plan.steps[node]
            rank = (self._ranks[node], 0, 0)
            task = self.made[node] = Task(step, self._keys[node], rank, node, goal=node in self._goals)
        return task

    def child(self, parent: Task, step: Step, place: str) -> Task:
        """The task of a node that another one made; `place` names it among its siblings."""
        self._number += 1
        scope = Key(parent.key.digest + place.encode("utf-8", "surrogatepass"), parent.key.volatile)
        first, depth, _ = parent.rank
        rank = (first, depth - 1, self._number)
        child = Task(step, self._keys.make(step, scope), rank, parent.root, parent)
        child.tainted = parent.tainted
        self.made[step.id] = child
        return child

    def find_step(self, node: str) -> Step | None:
        """A step of the plan, or of a node made while running."""
        task = self.made.get(node)
        return self._plan.steps.get(node) if task is None else task.step

    def demand_targets(self) -> None:
        """Ask for the targets; with `keep_values` for all their outputs too."""
        for node in self._plan.targets:
            outputs = len(self._plan.steps[node].spec.outputs)
            self.demand(self.task(node), (1 << outputs) - 1 if self._keep_values else 0)

    def is_settled(self, node: str) -> bool:
        """Whether a node need not run, as far as is known."""
        task = self.made.get(node)
        if task is None or task.state is State.DONE or task.way is Way.LOAD:
            return True
        return task.state is State.IDLE and not task.holding

    # Asking

    def demand(self, task: Task, wanted: int) -> None:
        """Ask for outputs (bit i for output i) of a task, and for all that they need and no cache holds."""
        waiting = [(task, wanted)]
        while waiting:
            task, bits = waiting.pop()
            task.wanted |= bits
            if task.state is State.DONE and not is_there(task, bits):
                self.reset(task)
            if task.state is State.IDLE:
                waiting.extend(self._open(task))
            if task.state in (State.DONE, State.FAILED):
                self._notify(task)

    def _open(self, task: Task) -> list[tuple[Task, int]]:
        """Find a result in the caches, or get ready to run; gives what to ask for."""
        if (entry := self._storage.entry(task)) is not None:
            self._hit(task, entry)
            return []
        task.stored = self._storage.stored(task)
        if task.stored is not None:
            task.way = Way.LOAD
            self.ready.push(task)
            return []
        task.way = Way.RUN
        self.holds.take(task)
        return self._await(task, list(needed_sources(task)))

    def found_meanwhile(self, task: Task) -> bool:
        """Whether an equal node has run since this one was asked for; its result is then taken."""
        entry = self._storage.entry(task)
        if entry is not None:
            self._hit(task, entry)
        return entry is not None

    def _hit(self, task: Task, entry: Entry) -> None:
        task.verdict, task.reason = "cached", UNCHANGED
        task.shown = tuple(_moved(item, entry.node, task.step) for item in entry.shown)
        task.inside = entry.inside
        self._report.hit(task)
        self.settle(task, entry.values, entry.seal)

    def _await(self, task: Task, sources: Sequence[Source]) -> list[tuple[Task, int]]:
        """Let a task wait for sources; gives what to ask for. It is ready at once when there are none."""
        task.epoch += 1
        task.waiting = len(sources)
        if not sources:
            self.ready.push(task)
            return []
        task.state = State.WAITING
        asked = list[tuple[Task, int]]()
        for source in sources:
            origin = self.task(source.node)
            origin.users.append((task, task.epoch))
            asked.append((origin, 1 << source.place))
        return asked

    def wait_for(self, task: Task, sources: Sequence[Source], effects: Sequence[Source] = ()) -> None:
        """Let a task wait for values, and for nodes of which only the effect counts, and ask for them."""
        asked = self._await(task, [*sources, *effects])
        for number, (origin, wanted) in enumerate(asked):
            self.demand(origin, wanted if number < len(sources) else 0)

    # News

    def _notify(self, task: Task) -> None:
        """Tell those that wait for a task that it is done or failed; those that then fail tell theirs."""
        telling = [task]
        while telling:
            task = telling.pop()
            users, task.users = task.users, []
            for user, epoch in users:
                if user.epoch != epoch or user.state is not State.WAITING:
                    continue
                user.waiting -= 1
                if task.state is State.FAILED and user.way is Way.RUN and not user.step.ends.partial:
                    self._close_skipped(user, task)
                    telling.append(user)
                elif user.waiting == 0:
                    self.ready.push(user)

    def settle(self, task: Task, values: Values, sealed: Seal) -> None:
        """A task has its values: those who wait for it may go on."""
        task.values, task.seal, task.state = values, sealed, State.DONE
        if task.goal and self._keep_values:
            self._report.keep_values(task, values)
        if task.uses:
            self.holds.pin(task)
        else:
            self.holds.let_go(task)
        self._let_go_of_sources(task)
        self._notify(task)

    def fail(self, task: Task) -> None:
        """A task ended without values, and was told; those who need it are skipped."""
        self._close(task)
        self._notify(task)

    def end(self, task: Task, verdict: Verdict, reason: str) -> None:
        """End a task without values, and tell."""
        task.verdict, task.reason = verdict, reason
        self._report.finished(task, {})
        self.fail(task)

    def skip(self, task: Task, cause: Task) -> None:
        """End a task that needs a failed one."""
        self._close_skipped(task, cause)
        self._notify(task)

    def _close_skipped(self, task: Task, cause: Task) -> None:
        what = "failed" if cause.verdict == "failed" else "did not run"
        task.verdict, task.reason = "skipped", f"needs {cause.step.id}, which {what}"
        self._report.finished(task, {})
        self._close(task)

    def _close(self, task: Task) -> None:
        task.state = State.FAILED
        self.holds.let_go(task)
        self._let_go_of_sources(task)

    def _let_go_of_sources(self, task: Task) -> None:
        """An ended task needs its sources no more, nor the nodes it made."""
        self.holds.release(task)
        if task.expanded is None:
            return
        for child in task.expanded.children:
            self.holds.release(child)
            child.state = State.FAILED
            self.made.pop(child.step.id, None)
            self._keys.forget(child.step.id)
        task.expanded = None

    def abandon(self, task: Task) -> None:
        """Leave a ready task that nobody needs any more."""
        task.state = State.IDLE
        self.holds.release(task)

    # Changed in place

    def reset(self, task: Task) -> None:
        """Forget that a task was done."""
        self.holds.let_go(task)
        task.state, task.way = State.IDLE, Way.RUN
        task.tainted = False


def needed_sources(task: Task) -> Iterator[Source]:
    """The sources that a task needs now: all but lazy ones it did not ask for, or those of its expansion."""
    if task.way is Way.COLLECT and task.expanded is not None:
        yield from task.expanded.flows.values()
        return
    lazy = task.step.ends.lazy
    for name, source in task.step.sources.items():
        if not lazy or name not in lazy or name in task.asked:
            yield source


def _moved(item: Shown, maker: str, step: Step) -> Shown:
    """What an equal node showed, as if this one had shown it."""
    if item.node == maker:
        return Shown(step.id, step.display, item.ui)
    node = f"{step.id}{item.node.removeprefix(maker)}" if item.node.startswith(maker) else item.node
    return Shown(node, step.id if item.display == maker else item.display, item.ui)
