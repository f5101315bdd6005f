"""Which results wait before they are written to disk: writing one costs more than making many a small one.

A result waits while all that waits took less than `patience` seconds to make, and is written before any node
begins that may take long. So a process that is killed loses no more finished work than that, and a job of
quick nodes writes nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from graph.guard import broken
from graph.memory_store import Entry


class Pace:
    """Which node types have been quick so far. patience: seconds; with 0 none is, and nothing waits."""

    __slots__ = ("_quick", "patience")

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._quick = set[str]()

    def is_quick(self, type: str) -> bool:
        """Whether nodes of a type took less than the patience whenever they ran."""
        return type in self._quick

    def note(self, type: str, seconds: float) -> None:
        """A node of a type took so long; the last one counts."""
        if seconds < self.patience:
            self._quick.add(type)
        else:
            self._quick.discard(type)


class Waiting(NamedTuple):
    """A result that is not written yet. node: what sentences call the node that made it."""

    key: bytes
    entry: Entry
    node: str


class LateWrites:
    """The results of one run that wait to be written; `write` writes one."""

    __slots__ = ("_pace", "_seconds", "_waiting", "_write")

    def __init__(self, pace: Pace, write: Callable[[Waiting], None]) -> None:
        self._pace = pace
        self._write = write
        self._waiting = list[Waiting]()
        self._seconds = 0.0

    def add(self, result: Waiting, seconds: float) -> None:
        """A result that took so long to make: let it wait, or write it with all others."""
        self._waiting.append(result)
        self._seconds += seconds
        if self._seconds >= self._pace.patience:
            self.flush()

    def flush(self) -> None:
        """Write what waits, but for what was changed in place meanwhile."""
        waiting, self._waiting, self._seconds = self._waiting, [], 0.0
        for result in waiting:
            if not broken(result.entry.seal):
                self._write(result)

    def drop(self) -> None:
        """Write nothing of what waits."""
        self._waiting.clear()
        self._seconds = 0.0
