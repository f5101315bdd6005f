"""Jobs without a worker: kept in memory, and run by a test that says what happens."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

from host.jobs.model import (
    EventKind,
    HistoryQuery,
    Job,
    JobFailure,
    JobRecord,
    Live,
    NodeTiming,
    NumberedEvent,
    Output,
    Page,
    Payload,
    Preview,
    Queue,
    QueueChanged,
    Submission,
    WorkerState,
)
from host.jobs.service import Listener, NotStored, UnknownJob, WrongState
from host.plugins.routes import Address


class FakeJobs:
    """The job interface in memory. `full`: the database refuses. `asked`: what was asked of the workers."""

    def __init__(self) -> None:
        self.jobs = dict[str, Job]()
        self.kept = dict[str, Payload]()
        self.events = dict[str, list[NumberedEvent]]()
        self.asked = list[tuple[str, Any]]()
        self.full = False
        self.plugins: Address | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.node: str | None = None
        self._listeners = list[Listener]()
        self._rows, self._numbers, self._clock = count(1), count(0), count(1_700_000_000_000)

    # The interface

    def take_number(self, front: bool = False) -> float:
        number = float(next(self._numbers))
        return -number if front else number

    async def submit(self, submission: Submission) -> Job:
        if self.full:
            raise NotStored("The disk is full.")
        id = submission.id or str(uuid4())
        if id in self.jobs and not (submission.replaces and self.jobs[id].is_over):
            raise WrongState(f"{id} is there.")
        number = self.take_number(submission.front) if submission.number is None else submission.number
        job = Job(
            id, "queued", next(self._rows), number, client_id=submission.client_id, created=next(self._clock)
        )
        self.jobs[id], self.kept[id], self.events[id] = job, submission.payload, []
        self._changed()
        self.tell(id, "queued")
        return job

    def find(self, id: str) -> Job | None:
        return self.jobs.get(id)

    async def get(self, id: str) -> Job | None:
        return self.jobs.get(id)

    async def payloads(self, ids: Sequence[str]) -> Mapping[str, Payload]:
        return {id: self.kept[id] for id in ids if id in self.kept}

    async def outputs(self, ids: Sequence[str]) -> Mapping[str, Sequence[Output]]:
        return {record.job.id: record.outputs for record in await self.records(ids) if record.outputs}

    async def records(self, ids: Sequence[str], events: bool = False) -> Sequence[JobRecord]:
        return [self._record(id, events) for id in ids if id in self.jobs]

    def queue(self) -> Queue:
        live = [job for job in self.jobs.values() if not job.is_over]
        return Queue(
            tuple(job for job in live if job.state == "running"),
            tuple(sorted((job for job in live if job.state != "running"), key=lambda job: job.number)),
        )

    def remaining(self) -> int:
        return sum(not job.is_over for job in self.jobs.values())

    async def history(self, query: HistoryQuery) -> Page:
        over = sorted((job for job in self.jobs.values() if job.is_over), key=lambda job: job.ended_row)
        jobs = over[::-1] if query.newest_first else over
        end = None if query.limit is None else query.offset + query.limit
        return Page(tuple(jobs[query.offset : end]), len(over))

    async def delete_history(self, ids: Iterable[str]) -> int:
        return self._forget([id for id in ids if id in self.jobs and self.jobs[id].is_over])

    async def clear_history(self) -> int:
        return await self.delete_history(list(self.jobs))

    async def cancel(self, id: str, reason: str = "") -> Job:
        if id not in self.jobs:
            raise UnknownJob(id)
        self.finish(id, "cancelled")
        return self.jobs[id]

    async def interrupt(self, id: str | None = None) -> bool:
        running = [job.id for job in self.queue().running if id in (None, job.id)]
        for one in running:
            self.finish(one, "cancelled")
        return bool(running)

    async def delete_pending(self, ids: Iterable[str]) -> int:
        gone = self._forget([id for id in ids if id in self.jobs and self.jobs[id].state == "queued"])
        self._changed()
        return gone

    async def clear_pending(self) -> int:
        return await self.delete_pending(list(self.jobs))

    async def move(
        self, id: str, *, before: str | None = None, after: str | None = None, priority: int | None = None
    ) -> Job:
        raise NotImplementedError

    async def pause(self, id: str) -> Job:
        raise NotImplementedError

    async def resume(self, id: str) -> Job:
        raise NotImplementedError

    async def retry(self, id: str) -> Job:
        raise NotImplementedError

    async def duplicate(self, id: str) -> Job:
        raise NotImplementedError

    async def pause_queue(self, after_running: bool = True) -> None:
        raise NotImplementedError

    async def resume_queue(self) -> None:
        raise NotImplementedError

    @property
    def queue_paused(self) -> bool:
        return False

    def running_job(self, client_id: str | None = None) -> tuple[Job, str | None] | None:
        running = [job for job in self.queue().running if client_id in (None, job.client_id)]
        return (running[0], self.node) if running else None

    async def events_from(self, id: str, number: int = 1) -> Sequence[NumberedEvent]:
        return [event for event in self.events[id] if event.number >= number]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def free(self, unload_models: bool = False, free_memory: bool = False) -> None:
        self.asked.append(("free", (unload_models, free_memory)))

    def renew_workers(self, why: str) -> None:
        self.asked.append(("renew", (why,)))

    async def ask_worker(self, question: str, data: Mapping[str, Any], seconds: float = 10.0) -> Any:
        raise TimeoutError

    async def plugin_address(self, seconds: float = 0.0) -> Address | None:
        return self.plugins

    def workers(self) -> Sequence[WorkerState]:
        return ()

    @property
    def trouble(self) -> str:
        return ""

    async def count_states(self) -> Mapping[str, int]:
        return Counter(job.state for job in self.jobs.values())

    # What a test makes happen

    def tell(self, id: str, kind: EventKind, **data: Any) -> None:
        """An event of a job."""
        events = self.events[id]
        event = NumberedEvent(id, len(events) + 1, kind, data, next(self._clock), self.jobs[id])
        events.append(event)
        self.hear(event)

    def hear(self, item: Live) -> None:
        """Anything live; told in the server's loop, as the interface has it."""

        async def told() -> None:
            for listener in self._listeners:
                listener(item)

        if self.loop is None or self.loop.is_running():
            for listener in self._listeners:
                listener(item)
        else:
            self.loop.run_until_complete(told())

    def start(self, id: str, *nodes: str, cached: Sequence[str] = ()) -> None:
        self.jobs[id] = replace(self.jobs[id], state="running", started=next(self._clock), attempts=1)
        self._changed()
        self.tell(id, "started", nodes=list(nodes), cached=list(cached), attempt=1, device="cpu")

    def ran(self, id: str, node: str, verdict: str = "ran", **ui: list[Any]) -> None:
        if verdict == "ran":
            self.tell(id, "node_started", node=node, display_node="", reason="")
        done = {"node": node, "display_node": "", "verdict": verdict, "reason": "", "seconds": 0.0, "ui": ui}
        self.tell(id, "node_finished", **done)

    def preview(self, id: str, node: str, data: bytes = b"jpeg") -> None:
        self.hear(Preview(id, node, "", "image/jpeg", data, self.jobs[id].client_id))

    def finish(self, id: str, state: Any = "done", error: str = "") -> None:
        failure = JobFailure(error) if error else None
        row = next(self._rows)
        self.jobs[id] = replace(
            self.jobs[id], state=state, ended=next(self._clock), ended_row=row, error=failure
        )
        self.tell(id, "finished", state=state, seconds=0.1, error=error or None)
        self._changed()

    def _changed(self) -> None:
        self.hear(QueueChanged(self.remaining()))

    def _forget(self, ids: Iterable[str]) -> int:
        gone = list(ids)
        for id in gone:
            del self.jobs[id], self.kept[id], self.events[id]
        return len(gone)

    def _record(self, id: str, events: bool) -> JobRecord:
        ends = [event.data for event in self.events[id] if event.kind == "node_finished"]
        outputs = [
            Output(id, end["node"], end["display_node"] or end["node"], end["ui"])
            for end in ends
            if end["ui"]
        ]
        timings = [NodeTiming(id, end["node"], end["verdict"], end["reason"], end["seconds"]) for end in ends]
        told = tuple(self.events[id]) if events else ()
        return JobRecord(self.jobs[id], self.kept[id], tuple(outputs), tuple(timings), told)
