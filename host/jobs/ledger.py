"""The jobs that have not ended, in memory: their numbered events, told to listeners and written down."""

import asyncio
import logging
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, Literal

from host.jobs import rows
from host.jobs.database import Database, now_ms
from host.jobs.documents import Texts
from host.jobs.model import EventKind, Job, JobFailure, JobState, Live, NumberedEvent, QueueChanged
from host.jobs.service import Listener, Unsubscribe

LOG: Final = logging.getLogger("darkroom.jobs")
GAP: Final = 1000
"""After a server was killed, its running jobs' events go on this much higher: some told ones may be lost."""
_WRITE_SECONDS: Final = 0.01
_RECENT: Final = 2000
_TEXTS_KEPT: Final = 32 * 1024**2

Wish = Literal["", "cancel", "pause", "stop"]


@dataclass(slots=True)
class OpenJob:
    """A job that has not ended. events: all of them if `whole`, else those of this server's life.

    node: what a person sees running; plugin: whose it is, "" for built-in ones. wish: what was asked of it
    while it runs.
    """

    job: Job
    next_number: int = 1
    events: list[NumberedEvent] = field(default_factory=list[NumberedEvent])
    whole: bool = True
    texts: Texts | None = None
    node: str | None = None
    plugin: str = ""
    wish: Wish = ""
    wish_reason: str = ""


class Ledger:
    """Open jobs and what happens to them. Events are told at once, and written within a moment.

    The end of a job is told when it is written. Rows and ended rows are counted here.
    """

    def __init__(self, database: Database) -> None:
        self.open = dict[str, OpenJob]()
        self._states = Counter[JobState]()
        self.recent = OrderedDict[str, Job]()
        self._database = database
        self._rows, self._ended_rows = count(1), count(1)
        self._listeners = dict[int, Listener]()
        self._listener_ids = count()
        self._events = dict[int, list[NumberedEvent]]()
        self._changed = dict[int, Job]()
        self._writing: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._texts_kept = 0
        self._ending = 0

    def count_from(self, last_row: int, last_ended: int) -> None:
        """Go on after the rows that were used before."""
        self._rows, self._ended_rows = count(last_row + 1), count(last_ended + 1)

    def next_row(self) -> int:
        """The row of a new job."""
        return next(self._rows)

    # Listeners

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Tell a listener everything from now on; gives how to stop."""
        id = next(self._listener_ids)
        self._listeners[id] = listener

        def unsubscribe() -> None:
            self._listeners.pop(id, None)

        return unsubscribe

    def tell(self, live: Live) -> None:
        """Tell all listeners; one that fails is logged and does not disturb the others."""
        for listener in tuple(self._listeners.values()):
            try:
                listener(live)
            except Exception:
                LOG.exception("A listener of job events failed.")

    def remaining(self) -> int:
        """How many jobs run or wait; one that ended counts until its end is stored and told."""
        return self._states["queued"] + self._states["running"] + self._ending

    def tell_queue(self) -> None:
        """Tell that the queue is another."""
        if self._listeners:
            self.tell(QueueChanged(self.remaining()))

    # Jobs

    def keep(self, item: OpenJob) -> None:
        """Add an open job; its texts stay in memory while there is room."""
        self.open[item.job.id] = item
        self._states[item.job.state] += 1
        if item.texts is not None:
            self._texts_kept += item.texts.size
            if self._texts_kept > _TEXTS_KEPT:
                self.drop_texts(item)

    def drop_texts(self, item: OpenJob) -> None:
        """Let go of a job's documents; they are in the database."""
        if item.texts is not None:
            self._texts_kept -= item.texts.size
            item.texts = None

    def forget(self, id: str) -> None:
        """Take a job out of memory."""
        item = self.open.pop(id, None)
        if item is not None:
            self._states[item.job.state] -= 1
            self.drop_texts(item)
            self._events.pop(item.job.row, None)
            self._changed.pop(item.job.row, None)

    def find(self, id: str) -> Job | None:
        """A job that is open or ended a moment ago."""
        item = self.open.get(id)
        return item.job if item else self.recent.get(id)

    def change(self, item: OpenJob, **changes: Any) -> Job:
        """Change a job, and write that soon."""
        self._states[item.job.state] -= 1
        item.job = replace(item.job, **changes)
        self._states[item.job.state] += 1
        self._changed[item.job.row] = item.job
        self._write_soon()
        return item.job

    def event(
        self, item: OpenJob, kind: EventKind, data: Mapping[str, Any] | None = None, told: bool = True
    ) -> NumberedEvent:
        """Something happened to a job: number it, tell it, write it soon."""
        event = NumberedEvent(item.job.id, item.next_number, kind, data or {}, now_ms(), item.job)
        item.next_number += 1
        item.events.append(event)
        self._events.setdefault(item.job.row, []).append(event)
        self._write_soon()
        if told:
            self.tell(event)
        return event

    def finish(self, item: OpenJob, state: JobState, error: JobFailure | None, seconds: float) -> None:
        """A job ended: written first, told then."""
        job = self.change(item, state=state, error=error, ended=now_ms(), ended_row=next(self._ended_rows))
        said = {"message": error.message, "node": error.node} if error else None
        event = self.event(item, "finished", {"state": state, "seconds": seconds, "error": said}, told=False)
        del self.open[job.id]
        self._states[state] -= 1
        self.drop_texts(item)
        self.recent[job.id] = job
        while len(self.recent) > _RECENT:
            self.recent.popitem(last=False)
        self._ending += 1
        self.write().add_done_callback(lambda _: self._tell_end(event))

    def _tell_end(self, event: NumberedEvent) -> None:
        self._ending -= 1
        self.tell(event)
        self.tell_queue()

    # Writing

    def _write_soon(self) -> None:
        if self._writing is None:
            self._writing = self._loop.call_later(_WRITE_SECONDS, self.write)

    def write(self) -> "asyncio.Future[Any]":
        """Write what has happened; the future is done when that was tried."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        events, changed = self._events, tuple(self._changed.values())
        self._events, self._changed = {}, {}
        return self._database.note(_writer(events, changed))


def _writer(
    events: Mapping[int, Sequence[NumberedEvent]], changed: Sequence[Job]
) -> Callable[[sqlite3.Connection], None]:
    def write(db: sqlite3.Connection) -> None:
        for job in changed:
            rows.update_job(db, job)
        for row, found in events.items():
            rows.add_events(db, row, found)

    return write
