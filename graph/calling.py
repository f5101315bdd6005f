"""Calling a node: its inputs as lists, one call or several, blockers, hidden values, lazy questions."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final, Protocol, cast

from graph.context import Cancelled, CancelToken, Job, NodeContext, NodeWise
from graph.document import Link, Node
from graph.events import Emit, NodeItem
from graph.keys import UNIQUE_ID
from graph.mapping import Failure, Items, blocker_in, calls_for, silent, without_blockers
from graph.outcome import Blocker
from graph.plan import Step
from graph.tasks import State, Task

CONTEXT: Final = "context"
GRAPH: Final = "graph"
"""The hidden input that gives a node the graph as it runs (`RunningGraph`)."""
_CONTAINERS: Final = (list, dict)


class RunningGraph(Protocol):
    """The graph as it runs, nodes made while running included; for foreign hidden inputs."""

    def node(self, id: str) -> Node | None:
        """A node, its links naming running nodes; None when there is none."""
        ...

    def parent(self, id: str) -> str | None:
        """The node that made this one, or None for the workflow's own."""
        ...

    def root(self, id: str) -> str:
        """The workflow's own node that this one is part of; itself for those."""
        ...

    def display(self, id: str) -> str:
        """The node that a person sees in its place; itself for the workflow's own."""
        ...


HiddenValues = Callable[[str, str, RunningGraph], Any]
"""Gives a foreign hidden input: (kind, node id, graph) → value. CONTEXT, GRAPH and UNIQUE_ID need none."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What calling any node needs; `tell` says a Blocker's message once."""

    job: Job | None
    emit: Emit
    cancel: CancelToken
    hidden: HiddenValues | None
    graph: RunningGraph
    task: Callable[[str], Task]
    tell: Callable[[Task, Blocker], None]

    def inputs(self, task: Task) -> dict[str, Items]:
        """A task's inputs, each a list of items; lazy ones that nobody asked for are [None]."""
        step, inputs = task.step, dict[str, Items]()
        for name, value in step.literals.items():
            inputs[name] = _literal_items(task, name, value)
        for name, source in step.sources.items():
            if name in step.ends.raw:
                inputs[name] = [Link(source.node, source.output)]
            elif name in step.ends.lazy and name not in task.asked:
                inputs[name] = [None]
            elif not (step.ends.partial and self.task(source.node).state is State.FAILED):
                values = self.task(source.node).values
                items = None if values is None else values[source.place]
                assert items is not None, f"{source.node} has no values yet"
                inputs[name] = items
        return inputs

    def known_inputs(self, task: Task) -> Mapping[str, Items]:
        """A failed task's inputs, as far as they are still there."""
        try:
            return self.inputs(task)
        except (AssertionError, KeyError):
            return {}

    def run(self, task: Task, inputs: Mapping[str, Items]) -> tuple[list[Any], bool]:
        """The results of all calls, and whether every one of them was blocked. Async ones are awaitables.

        Of several calls one that fails gives a Failure, and the others go on. Raises whatever a single call
        raises, and Cancelled.
        """
        spec = task.step.ends.spec
        results, blocked = list[Any](), 0
        calls = calls_for(spec, inputs)
        try:
            for number, given in enumerate(calls, 1):
                if self.cancel.is_set():
                    raise Cancelled
                call = without_blockers(given, spec.takes_lists) if task.step.ends.partial else given
                if len(calls) > 1:
                    self.emit(NodeItem(task.step.id, number, len(calls), task.step.display))
                if (blocker := blocker_in(call, spec.takes_lists)) is not None:
                    self.tell(task, blocker)
                    results.append(silent(spec))
                    blocked += 1
                else:
                    results.append(self._call(task, call, alone=len(calls) == 1))
        except BaseException:
            _close(results)
            raise
        return results, blocked > 0 and blocked == len(results)

    def _call(self, task: Task, call: Mapping[str, Any], alone: bool) -> Any:
        spec = task.step.ends.spec
        try:
            result = spec.run(**call, **self._hidden(task)) if spec.hidden else spec.run(**call)
        except (Cancelled, KeyboardInterrupt):
            raise
        except BaseException as error:
            if alone:
                raise
            return Failure(error, call)
        return result if alone or not isawaitable(result) else _settled(result, call)

    def needed(self, task: Task) -> frozenset[str]:
        """Lazy inputs that a task asks for now and did not before."""
        step = task.step
        if not step.ends.lazy or step.spec.needs is None:
            return frozenset()
        open_inputs = {name for name in step.ends.lazy if name in step.sources} - task.asked
        if not open_inputs:
            return frozenset()
        asked = set[str]()
        for call in calls_for(step.spec, self.inputs(task)):
            if blocker_in(call, step.spec.takes_lists) is None:
                asked.update(_names(step.spec.needs(**call)))
        return frozenset(asked & open_inputs)

    def _hidden(self, task: Task) -> dict[str, Any]:
        spec = task.step.ends.spec
        return {name: self._hidden_value(task.step, kind) for name, kind in spec.hidden.items()}

    def _hidden_value(self, step: Step, kind: str) -> Any:
        if kind == CONTEXT:
            job = self.job.seen_by(step.node) if isinstance(self.job, NodeWise) else self.job
            return NodeContext(step.id, cast(Job, job), self.emit, self.cancel)
        if kind == UNIQUE_ID:
            return step.id
        if kind == GRAPH:
            return self.graph
        return None if self.hidden is None else self.hidden(kind, step.id, self.graph)


async def _settled(result: Awaitable[Any], call: Mapping[str, Any]) -> Any:
    """What an async call for one of several items gives: its value, or a Failure."""
    try:
        return await result
    except (Cancelled, CancelledError):
        raise
    except BaseException as error:
        return Failure(error, call)


def _literal_items(task: Task, name: str, value: Any) -> Items:
    """A literal is one item; a written list for an input that takes a list is its items.

    Containers are copied, so that a node cannot change the document.
    """
    if type(value) not in _CONTAINERS:
        return [value]
    fresh = copied(value)
    input = task.step.ends.inputs.get(name)
    if type(value) is list and input is not None and input.type.is_list and task.step.spec.takes_lists:
        return fresh
    return [fresh]


def copied(value: Any) -> Any:
    """A copy of nested lists and dicts; other values are shared. Any depth; a list in itself stays one."""
    top: Any = [value]
    waiting, done = [top], dict[int, Any]()
    while waiting:
        holder: Any = waiting.pop()
        is_list = cast(type[object], type(holder)) is list
        places: Iterable[Any] = range(len(holder)) if is_list else tuple(holder)
        for place in places:
            inner: Any = holder[place]
            if cast(type[object], type(inner)) in _CONTAINERS:
                if id(inner) not in done:
                    done[id(inner)] = inner.copy()
                    waiting.append(done[id(inner)])
                holder[place] = done[id(inner)]
    return top[0]


def _names(answer: Any) -> list[str]:
    if isinstance(answer, str):
        return [answer]
    return [name for name in answer if isinstance(name, str)] if answer else []


def _close(results: Iterable[Any]) -> None:
    """Close coroutines that nobody will await."""
    for result in results:
        if isawaitable(result) and hasattr(result, "close"):
            cast(Any, result).close()
