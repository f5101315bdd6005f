"""Running a plan: what is not cached, in order, with failing branches kept apart. No recursion: any depth."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Final

from graph.async_calls import Around, AsyncCalls
from graph.calling import Caller, HiddenValues
from graph.context import Cancelled, CancelToken, Job, NeverCancelled
from graph.disk_store import DiskStore
from graph.document import Link, Node
from graph.events import Emit
from graph.expansion import expand, source_of
from graph.failures import failed, failed_item, out_of_memory
from graph.guard import broken, seal
from graph.keys import Keys
from graph.mapping import Failure, Items, as_outcome, join, joined_ui, silent
from graph.memory_store import Entry, MemoryStore, Shown
from graph.outcome import Outcome
from graph.plan import Plan, Source, Step, Types
from graph.registry import Registry
from graph.report import UNCHANGED, Report
from graph.results import JobResult, JobState
from graph.storage import Storage
from graph.tasks import Expanded, State, Task, Values, Way, is_there
from graph.waits import Waits, needed_sources

_MOST_REPAIRS: Final = 3
_CANCEL_SECONDS: Final = 0.05


def execute(
    plan: Plan,
    registry: Registry,
    *,
    job: Job | None = None,
    memory: MemoryStore | None = None,
    disk: DiskStore | None = None,
    emit: Emit | None = None,
    cancel: CancelToken | None = None,
    hidden: HiddenValues | None = None,
    around: Around = nullcontext,
    keep_values: bool = False,
) -> JobResult:
    """Run what a plan needs and no cache holds; tell all of it to `emit`, and how it ended.

    Sync nodes run one at a time in the calling thread; async ones overlap on a loop in a thread of their own,
    so it does not matter whether the caller has a loop (one that has is kept waiting). `emit` may be called
    from both threads, never at once. around: entered once in each of them (`torch.no_grad`). hidden: gives
    foreign hidden inputs. keep_values: put the targets' values in the result.

    A failing node is in the result, not raised, and what does not depend on it still runs. KeyboardInterrupt
    cancels the job and is raised again.
    """
    token = NeverCancelled() if cancel is None else cancel
    store = MemoryStore() if memory is None else memory
    with around():
        return Execution(
            plan, Types(registry), job, store, disk, emit, token, hidden, around, keep_values
        ).result()


class Execution:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        types: Types,
        job: Job | None,
        memory: MemoryStore,
        disk: DiskStore | None,
        emit: Emit | None,
        cancel: CancelToken,
        hidden: HiddenValues | None,
        around: Around,
        keep_values: bool,
    ) -> None:
        self._plan = plan
        self._types = types
        self._cancel = cancel
        self._report = Report(emit)
        self._keys = Keys(None if job is None else job.files)
        self._storage = Storage(memory, disk, self._keys, types, self._report.log)
        self._waits = Waits(plan, self._keys, self._storage, self._report, keep_values)
        self._async = AsyncCalls(around)
        self._caller = Caller(
            job,
            self._report.emit,
            cancel,
            hidden,
            _Graph(self._waits),
            self._waits.task,
            self._report.blocked,
        )

    def result(self) -> JobResult:
        """Run, and say how it ended."""
        began = time.perf_counter()
        try:
            self._begin()
            self._work()
        except Cancelled:
            return self._end("cancelled", began)
        except BaseException as error:
            self._end("cancelled" if isinstance(error, KeyboardInterrupt) else "failed", began)
            raise
        return self._end("failed" if self._report.errors else "done", began)

    def _end(self, state: JobState, began: float) -> JobResult:
        self._async.close()
        seconds = time.perf_counter() - began
        result = self._report.result(self._plan, self._waits.made, self._storage, state, seconds)
        steps = self._plan.steps.values()
        self._storage.note(step for step in steps if result.verdicts[step.id] in ("cached", "disk"))
        self._storage.close(done=state == "done")
        return result

    def _begin(self) -> None:
        for step in self._plan.steps.values():
            self._keys.make(step)
        nodes, cached = tuple(self._plan.steps), tuple[str, ...]()
        if not self._cancel.is_set():
            self._waits.demand_targets()
            cached = tuple(filter(self._waits.is_settled, nodes))
        self._report.job_started(nodes, cached)

    def _work(self) -> None:
        while True:
            if self._cancel.is_set():
                raise Cancelled
            task = self._waits.ready.pop()
            if task is not None:
                self._advance(task)
            elif not self._async:
                return
            if self._async:
                self._take_finished(0.0 if task is not None else _CANCEL_SECONDS)

    def _advance(self, task: Task) -> None:
        if not task.uses and not task.goal:
            self._waits.abandon(task)
        elif task.way is Way.LOAD:
            self._load(task)
        elif missing := self._missing(task):
            self._waits.wait_for(task, missing)
        else:
            self._guarded(task, self._collect if task.way is Way.COLLECT else self._start)

    def _load(self, task: Task) -> None:
        task.started = time.perf_counter()
        values = self._storage.load(task)
        if values is None:
            task.state, task.stored = State.IDLE, None
            self._waits.demand(task, 0)
            return
        inside = frozenset(task.stored.inside if task.stored else ())
        entry = Entry(values, seal(_items(values)), task.step.id, inside=inside)
        self._storage.memory.put(task.key.digest, entry)
        task.verdict, task.reason = "disk", UNCHANGED
        task.inside = entry.inside
        self._report.finished(task, {})
        self._waits.settle(task, values, entry.seal)

    def _missing(self, task: Task) -> list[Source]:
        """Sources whose values are not there (any more), or were changed in place since they were made."""
        missing = list[Source]()
        for source in needed_sources(task):
            origin = self._waits.task(source.node)
            if origin.state is State.FAILED:
                continue
            if origin.seal and broken(origin.seal):
                self._repair(origin)
            if not is_there(origin, 1 << source.place):
                missing.append(source)
        return missing

    def _repair(self, task: Task) -> None:
        """Drop a result that was changed in place, so that it is made again; give up after a few times."""
        task.repairs += 1
        self._storage.distrust(task)
        if task.repairs > _MOST_REPAIRS:
            task.seal, task.tainted = (), True
        else:
            self._waits.reset(task)

    def _guarded(self, task: Task, action: Callable[[Task], None]) -> None:
        """Do something with a task; whatever it raises is the node's failure."""
        try:
            action(task)
        except (Cancelled, KeyboardInterrupt):
            raise
        except BaseException as error:  # one of two places that catch everything: nodes are anybody's code
            self._fail(task, error)

    def _fail(self, task: Task, error: BaseException) -> None:
        event = failed(task.step, error, self._caller.known_inputs(task))
        task.verdict, task.reason = "failed", event.message
        self._report.failed(event)
        self._waits.fail(task)
        if out_of_memory(error):
            self._storage.memory.clear()

    # Running

    def _start(self, task: Task) -> None:
        origins = (self._waits.task(source.node) for source in needed_sources(task))
        lost = next((origin for origin in origins if origin.state is State.FAILED), None)
        if lost is not None and not task.step.ends.partial:
            self._waits.skip(task, lost)
        elif self._waits.found_meanwhile(task):
            return
        elif asked := self._caller.needed(task):
            task.asked |= asked
            self._waits.wait_for(task, [task.step.sources[name] for name in sorted(asked)])
        else:
            self._run(task)

    def _run(self, task: Task) -> None:
        task.state = State.RUNNING
        task.reason = self._storage.why(task)
        self._report.started(task, self._storage.begins(task))
        if task.parent is not None:
            task.literal_seal = seal(task.step.literals.values())
        results, blocked = self._caller.run(task, self._caller.inputs(task))
        if any(map(isawaitable, results)):
            self._async.start(task, [_value(result) for result in results])
        else:
            self._finish(task, results, blocked)

    def _take_finished(self, seconds: float) -> None:
        """Finish async tasks that ended; wait for one up to `seconds`."""
        finished = self._async.finished(seconds)
        while finished is not None:
            task, future = finished
            if self._waits.made.get(task.step.id) is task and task.state is State.RUNNING:
                self._guarded(task, partial(self._finish_async, future))
            finished = self._async.finished(0.0)

    def _finish_async(self, future: "Future[list[Any]]", task: Task) -> None:
        self._finish(task, future.result(), blocked=False)

    def _finish(self, task: Task, results: Sequence[Any], blocked: bool) -> None:
        self._check_inputs(task)
        outcomes = [as_outcome(task.step.spec, result) for result in self._told(task, results)]
        if any(outcome.expand for outcome in outcomes):
            self._expand(task, outcomes)
            return
        task.verdict = "blocked" if blocked else "ran"
        task.reason = task.blocked if blocked else task.reason
        self._complete(task, join(task.step.spec, outcomes), joined_ui(outcomes))

    def _told(self, task: Task, results: Sequence[Any]) -> list[Any]:
        """Tell of items that failed and block what they would have given; raise when no other is left.

        A result with a hole is not kept, so that the next run tries again.
        """
        failures = {number: item for number, item in enumerate(results) if isinstance(item, Failure)}
        if failures and len(failures) == len(results):
            raise failures[0].error
        for number, failure in failures.items():
            self._report.failed(failed_item(task.step, failure, number + 1, len(results)))
            task.lasting = False
            if out_of_memory(failure.error):
                self._storage.memory.clear()
        return [silent(task.step.spec) if number in failures else item for number, item in enumerate(results)]

    def _check_inputs(self, task: Task) -> None:
        """The mutation guard: name a node that changed its inputs in place; trust nothing made of them."""
        changed = list[str]()
        for name, source in task.step.sources.items():
            origin = self._waits.task(source.node)
            task.tainted = task.tainted or origin.tainted
            task.lasting = task.lasting and origin.lasting and origin.state is not State.FAILED
            task.inside |= origin.inside
            if origin.seal and broken(origin.seal):
                changed.append(name)
                self._storage.distrust(origin)
        if task.literal_seal and broken(task.literal_seal):
            changed.append("a literal")
        if changed:
            task.tainted = True
            self._report.log(task.step.id, _mutation_sentence(task.step, changed))

    def _complete(self, task: Task, values: Values, ui: Mapping[str, list[Any]]) -> None:
        """Keep a new result, tell of it, and let those go on that waited for it."""
        step, sealed = task.step, seal(_items(values))
        if ui:
            task.shown = (Shown(step.id, step.display, ui), *task.shown)
        if task.lasting and not task.tainted and not task.key.volatile:
            self._storage.keep(task, Entry(values, sealed, step.id, task.shown, task.inside))
        self._storage.remember(task)
        self._report.finished(task, ui)
        self._waits.settle(task, values, sealed)

    # Expansion

    def _expand(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """Let a task wait for the nodes that its calls made: those its results come from, and outputs."""
        children, flows = list[Task](), dict[tuple[int, int], Source]()
        for call, outcome in enumerate(outcomes):
            if not outcome.expand:
                continue
            expansion = expand(task.step, task.root, call, outcome, self._types, self._waits.find_step)
            local_ids = {key: local for local, key in expansion.ids.items()}
            for step in expansion.steps:
                children.append(self._waits.child(task, step, f"{call}.{local_ids[step.id]}"))
            for place, value in enumerate(outcome.values):
                if isinstance(value, Link):
                    flows[call, place] = source_of(value, expansion, self._waits.find_step)
        effects = [Source(child.step.id, 0, "") for child in children if child.step.spec.output]
        awaited = [self._waits.task(source.node) for source in (*flows.values(), *effects)]
        for origin in awaited:
            origin.uses += 1
        task.expanded = Expanded(outcomes, children, flows, awaited)
        task.way = Way.COLLECT
        self._waits.wait_for(task, list(flows.values()), effects)

    def _collect(self, task: Task) -> None:
        """Make an expanded task's result of what its children gave."""
        expanded = task.expanded
        assert expanded is not None
        flows = expanded.flows
        origins = {spot: self._waits.task(source.node) for spot, source in flows.items()}
        if lost := next((origin for origin in origins.values() if origin.state is State.FAILED), None):
            self._waits.end(task, "failed", f"{lost.step.id} inside it did not finish")
            return

        def flow(call: int, place: int) -> Items | None:
            origin = origins.get((call, place))
            return None if origin is None else (origin.values or ())[flows[call, place].place]

        values = join(task.step.spec, expanded.outcomes, flow)
        task.tainted = task.tainted or any(origin.tainted for origin in origins.values())
        for child in expanded.children:
            task.lasting = task.lasting and _is_lasting(child)
            task.inside |= self._storage.facts_inside(child)
            task.shown += child.shown
        task.verdict = "ran"
        self._complete(task, values, joined_ui(expanded.outcomes))


@dataclass(frozen=True, slots=True)
class _Graph:
    """The graph as it runs, for hidden inputs."""

    waits: Waits

    def node(self, id: str) -> Node | None:
        """A node, or None."""
        step = self.waits.find_step(id)
        return None if step is None else step.node

    def parent(self, id: str) -> str | None:
        """The node that made this one, or None."""
        task = self.waits.made.get(id)
        return None if task is None or task.parent is None else task.parent.step.id

    def root(self, id: str) -> str:
        """The workflow's own node that this one is part of."""
        task = self.waits.made.get(id)
        return id if task is None else task.root

    def display(self, id: str) -> str:
        """The node that a person sees in its place."""
        step = self.waits.find_step(id)
        return id if step is None else step.display or id


def _is_lasting(child: Task) -> bool:
    """Whether what rests on a node made while running can later be told fresh from stale."""
    ended = child.state in (State.DONE, State.IDLE)
    return ended and child.lasting and not child.key.volatile and child.step.spec.fingerprint is None


def _items(values: Values) -> Iterable[Any]:
    for items in values:
        if items:
            yield from items


async def _value(result: Any) -> Any:
    """The value of a call's result, awaited where it is awaitable."""
    try:
        return await result if isawaitable(result) else result
    except (SystemExit, KeyboardInterrupt) as error:  # these would end the thread of all async nodes
        raise RuntimeError("It tried to end the program.") from error


def _mutation_sentence(step: Step, inputs: Sequence[str]) -> str:
    names = " and ".join(f"'{name}'" for name in inputs)
    return (
        f"Node {step.name} changed its input{'s' if len(inputs) > 1 else ''} {names} in place; "
        "its result is not trusted and nothing is cached from it."
    )
