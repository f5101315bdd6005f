"""The caches of a run: what memory and disk hold of a result, and why a node has to run all the same."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from graph.disk_store import Damaged, DiskStore, Stored, Unstorable
from graph.explain import History, facts_of, reason
from graph.guard import broken
from graph.keys import Keys
from graph.late_writes import LateWrites, Pace, Waiting
from graph.memory_store import Entry, Fact, MemoryStore
from graph.plan import Step, Types
from graph.spec import NodeSpec
from graph.tasks import Task, Values

Log = Callable[[str, str], None]
_CODE: Final = "code"


class Storage:
    """A memory store and perhaps a disk store, seen as one. Trouble with the disk is logged, not raised."""

    __slots__ = ("_damaged", "_disk", "_full", "_keys", "_late", "_log", "_lost", "_pace", "_types", "memory")

    def __init__(
        self, memory: MemoryStore, disk: DiskStore | None, keys: Keys, types: Types, log: Log
    ) -> None:
        self.memory = memory
        self._disk = disk
        self._keys = keys
        self._types = types
        self._log = log
        self._full = False
        self._pace = Pace(0.0) if disk is None else disk.pace
        self._late = LateWrites(self._pace, self._write)
        self._lost = dict[str, str]()
        self._damaged = set[str]()

    def entry(self, task: Task) -> Entry | None:
        """The result that memory holds for a task, if it is whole and has what is wanted."""
        if task.key.volatile:
            return None
        entry = self.memory.get(task.key.digest)
        if entry is None or not entry.covers(task.wanted):
            return None
        if broken(entry.seal):
            self.memory.drop(task.key.digest)
            self._lost[task.step.id] = "its cached value was changed in place"
            return None
        return entry if self._holds(entry.inside) else None

    def _holds(self, facts: Iterable[Fact]) -> bool:
        """Whether the nodes that were made while making a result still have the same code and files."""
        return all(self._mark(what, name) == mark for what, name, mark in facts)

    def _mark(self, what: str, name: str) -> str:
        if what == _CODE:
            ends = self._types.get(name)
            return "" if ends is None else code_of(ends.spec)
        return self._keys.identity(what, name)

    def facts_inside(self, child: Task) -> frozenset[Fact]:
        """What a result rests on, beyond its key, if this node was made while making it."""
        step = child.step
        facts = {(_CODE, step.node.type, code_of(step.spec))}
        for name, identity in self._keys.files(step).items():
            facts.add((step.ends.files[name], step.literals[name], identity))
        return child.inside | facts

    def stored(self, task: Task) -> Stored | None:
        """What the disk holds for a task, if it has what is wanted. Outputs run again in every process."""
        if (
            self._disk is None
            or task.key.volatile
            or not _may_be_stored(task)
            or task.step.id in self._damaged
        ):
            return None
        try:
            found = self._disk.find(task.key.digest)
        except Damaged:
            self._tell_damage(task)
            return None
        if found is None or len(found.outputs) != len(task.step.ends.spec.outputs):
            return None
        if not self._holds(found.inside):
            return None
        if found.covers(task.wanted):
            return found
        self._lost[task.step.id] = "not all of its result can be kept on disk"
        return None

    def load(self, task: Task) -> Values | None:
        """The values of a task whose `stored` was found; None when they turn out to be damaged."""
        if self._disk is None or task.stored is None or not task.stored.covers(task.wanted):
            return None
        try:
            return self._disk.load(task.stored, task.wanted)
        except Damaged:
            self._tell_damage(task)
            return None

    def _tell_damage(self, task: Task) -> None:
        self._lost[task.step.id] = "its stored result was damaged"
        self._damaged.add(task.step.id)
        self._log(task.step.id, f"The stored result of node {task.step.name} was damaged; it is made again.")

    def begins(self, task: Task) -> bool:
        """A task is about to run; gives whether that is quick. If not, what waits is written first."""
        quick = self._pace.is_quick(task.step.ends.spec.id)
        if not quick:
            self._late.flush()
        return quick

    def keep(self, task: Task, entry: Entry) -> None:
        """Keep a new result: in memory, and on disk soon if it is plain effect-free data."""
        self.memory.put(task.key.digest, entry)
        if self._disk is None:
            return
        seconds = time.perf_counter() - task.started
        self._pace.note(task.step.ends.spec.id, seconds)
        if not entry.shown and _may_be_stored(task):
            self._late.add(Waiting(task.key.digest, entry, task.step.name), seconds)

    def _write(self, result: Waiting) -> None:
        if self._disk is None or self._full:
            return
        entry = result.entry
        try:
            self._disk.put(result.key, entry.values, entry.inside)
        except Unstorable as error:
            self._full = True
            self._log(entry.node, str(error))
        except Exception as error:  # a codec meets any value here; the run needs none of this
            self._log(entry.node, f"The result of node {result.node} could not be stored: {error}.")

    def why(self, task: Task) -> str:
        """Why a task runs."""
        if task.parent is not None:
            return f"made by {task.parent.step.id}"
        history = self._history
        step = task.step
        where = self._lost.get(step.id) or self._where(step)
        task.facts = facts_of(step, self._keys)
        return reason(step, task.key, task.facts, history.last(step.id), where)

    def _where(self, step: Step) -> str:
        if not self._history.from_earlier(step.id):
            return "evicted"
        if step.ends.spec.output:
            return "an output runs again in every process"
        return "its result was not kept on disk"

    def remember(self, task: Task) -> None:
        """Keep what decided a result just made, for `why` in a later run."""
        if task.parent is None:
            facts = task.facts or facts_of(task.step, self._keys)
            self._history.record(task.step.id, facts)
            task.facts = None

    @property
    def _history(self) -> History:
        return self.memory.history if self._disk is None else self._disk.history

    def note(self, steps: Iterable[Step]) -> None:
        """Keep what decides results that came from a cache, so that the next change is told from them."""
        history = self._history
        for step in steps:
            last = history.last(step.id)
            if last is None or last.get("key") != self._keys[step.id].text:
                history.record(step.id, facts_of(step, self._keys))

    def distrust(self, task: Task) -> None:
        """Forget a result that was changed in place."""
        self.memory.drop(task.key.digest)
        self._lost[task.step.id] = "its value was changed in place"

    def is_kept(self, node: str) -> bool:
        """Whether memory holds a node's result."""
        key = self._keys[node]
        return not key.volatile and key.digest in self.memory

    def close(self, done: bool) -> None:
        """Close open files. What waits to be written is of use only if the run is not done."""
        if done:
            self._late.drop()
        self._late.flush()
        if self._disk is not None:
            self._disk.close()


def code_of(spec: NodeSpec) -> str:
    """What changes with a node type's code."""
    return f"{spec.id}:{spec.version}:{spec.digest}"


def _may_be_stored(task: Task) -> bool:
    spec = task.step.ends.spec
    return not spec.output and spec.idempotent and bool(spec.outputs)
