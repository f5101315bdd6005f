"""The jobs of a server: what `JobService` promises, on a database and workers."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from graph.registry import Registry
from host.folders import Folders
from host.jobs import rows
from host.jobs.database import Database, now_ms
from host.jobs.documents import Texts, from_texts, to_texts
from host.jobs.ledger import GAP, LOG, Ledger, OpenJob
from host.jobs.model import (
    HistoryQuery,
    Job,
    JobRecord,
    NumberedEvent,
    Output,
    Page,
    Payload,
    Queue,
    Submission,
    WorkerState,
)
from host.jobs.runner import Runner
from host.jobs.schema import open_or_replace
from host.jobs.service import Listener, NotStored, UnknownJob, Unsubscribe, WrongState
from host.lock import model_files
from host.plugins.routes import Address

DATABASE: Final = "jobs.sqlite"
_TIDY_SECONDS: Final = 60.0
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How long ended jobs are kept: the newest so many, so many days (0: any), so many bytes of documents."""

    jobs: int = 10_000
    days: float = 0.0
    bytes: int = 2 * 1024**3


async def open_board(
    path: Path, folders: Folders, types: Callable[[], Registry], retention: Retention | None = None
) -> "Board":
    """The jobs kept at `path`, as they were left; those that ran wait before the others.

    Raises host.jobs.schema's LockedDatabase and NewerDatabase with sentences.
    """
    if said := open_or_replace(path):
        LOG.error("%s", said)
    board = Board(path, folders, types, retention or Retention())
    await board.restore()
    return board


class Board:
    """Jobs, kept in a database and run by workers. Implements `JobService`."""

    def __init__(
        self, path: Path, folders: Folders, types: Callable[[], Registry], retention: Retention
    ) -> None:
        self._database = Database(path, _say, self._store_again)
        self._ledger = Ledger(self._database)
        self.runner = Runner(self._ledger, self._database, folders)
        self._folders = folders
        self._types = types
        self._retention = retention
        self._numbers = count()
        self._handing_in = dict[str, asyncio.Future[Job]]()
        self._tidying: asyncio.Task[None] | None = None

    async def restore(self) -> None:
        """Take up what the database holds."""
        last_row, last_ended = await self._database.read(rows.last_rows)
        self._ledger.count_from(last_row, last_ended)
        found = await self._database.read(rows.open_jobs)
        self._numbers = count(int(max((job.number for job, _ in found), default=-1)) + 1)
        self.runner.paused = await self._database.read(rows.queue_is_paused)
        for job, last in found:
            item = OpenJob(job, last + 1, whole=last == 0)
            self._ledger.keep(item)
            if job.state == "running":
                item.next_number += GAP
                self._ledger.change(item, state="queued")
                reason = {"reason": "The server ended while it ran.", "attempt": job.attempts}
                self._ledger.event(item, "interrupted", reason)
                self._ledger.event(item, "queued")
            if item.job.state == "queued":
                self.runner.line.add(item.job, resumed=job.state == "running")
        self._tidying = asyncio.get_running_loop().create_task(self._tidy())

    async def close(self, seconds: float = 3.0) -> None:
        """Stop the workers, keep everything, close the database."""
        if self._tidying is not None:
            self._tidying.cancel()
        await self.runner.stop(seconds)
        await self._ledger.write()
        self._database.close()

    @property
    def trouble(self) -> str:
        """What is wrong with the database now, "" when all is well."""
        return self._database.trouble

    # Handing in

    def take_number(self, front: bool = False) -> float:
        """The next number in the queue's order, and count on; negated for `front`."""
        number = float(next(self._numbers))
        return -number if front else number

    async def submit(self, submission: Submission) -> Job:
        """Store a job and let it run. Raises NotStored, WrongState, WorkflowError."""
        key = submission.idempotency_key
        if not key:
            return await self._submit(submission)
        if key not in self._handing_in:
            once = asyncio.ensure_future(self._submit_once(submission))
            self._handing_in[key] = once
            once.add_done_callback(lambda _: self._handing_in.pop(key))
        return await asyncio.shield(self._handing_in[key])

    async def _submit_once(self, submission: Submission) -> Job:
        """The job that was handed in with this key before, or a new one."""
        key = submission.idempotency_key
        known = await self._database.read(lambda db: rows.job_of_key(db, key))
        return (self._ledger.find(known.id) or known) if known else await self._submit(submission)

    async def _submit(self, submission: Submission) -> Job:
        texts = to_texts(submission.payload)
        item = OpenJob(self._new_job(submission), texts=texts)
        job = item.job
        known = self._ledger.find(job.id)
        if known is not None and not (submission.replaces and known.is_over):
            raise WrongState(f"There is a job {job.id} already; it is {known.state}.")
        words, replaces = _words(job, submission.payload), submission.replaces and bool(submission.id)
        self._ledger.keep(item)
        self._ledger.recent.pop(job.id, None)
        try:
            await self._database.store(lambda db: rows.insert_job(db, job, texts, words, replaces))
        except BaseException as error:
            self._ledger.forget(job.id)
            if isinstance(error, sqlite3.IntegrityError):
                raise WrongState(f"There is a job {job.id} already.") from error
            raise
        self._ledger.event(item, "queued" if job.state == "queued" else "paused")
        self._ledger.tell_queue()
        if item.wish:  # cancelled before it was stored
            self.runner.cancel(item, item.wish_reason)
        elif job.state == "queued":
            self.runner.wait(item)
        return item.job

    def _new_job(self, submission: Submission) -> Job:
        placed = submission.number is not None or submission.front
        number = submission.number
        if number is None:
            number = self.take_number(submission.front)
        workflow = submission.payload.workflow
        return Job(
            id=submission.id or str(uuid4()),
            state="paused" if submission.paused else "queued",
            row=self._ledger.next_row(),
            number=number,
            priority=submission.priority,
            placed=placed,
            client_id=submission.client_id,
            title=submission.title,
            created=now_ms(),
            models=tuple(name for _, name in model_files(workflow, self._types())),
            webhook=submission.webhook,
            idempotency_key=submission.idempotency_key,
        )

    # Looking

    def find(self, id: str) -> Job | None:
        """A job that has not ended, or ended a moment ago."""
        return self._ledger.find(id)

    async def get(self, id: str) -> Job | None:
        """A job, or None."""
        return self._ledger.find(id) or await self._database.read(lambda db: rows.job_of(db, id))

    async def payloads(self, ids: Sequence[str]) -> Mapping[str, Payload]:
        """The documents of jobs, by id."""
        texts = dict[str, Texts]()
        for id in ids:
            item = self._ledger.open.get(id)
            if item is not None and item.texts is not None:
                texts[id] = item.texts
        if missing := [id for id in ids if id not in texts]:
            texts |= await self._database.read(lambda db: rows.texts_of(db, missing))
        return {id: from_texts(texts[id]) for id in ids if id in texts}

    async def outputs(self, ids: Sequence[str]) -> Mapping[str, Sequence[Output]]:
        """What jobs showed so far."""
        await self._ledger.write()
        return await self._database.read(lambda db: rows.outputs_of(db, ids))

    async def records(self, ids: Sequence[str], events: bool = False) -> Sequence[JobRecord]:
        """Everything kept of jobs, in the order asked."""
        await self._ledger.write()
        unwritten = bool(self.trouble)

        def read(db: sqlite3.Connection) -> list[JobRecord]:
            jobs = {job.id: job for job in rows.jobs_of(db, ids)}
            texts, outputs = rows.texts_of(db, ids), rows.outputs_of(db, ids)
            timings = rows.timings_of(db, ids)
            return [
                JobRecord(
                    (self._ledger.find(id) if unwritten else None) or jobs[id],
                    from_texts(texts[id]),
                    tuple(outputs.get(id, ())),
                    tuple(timings.get(id, ())),
                    tuple(rows.events_of(db, id)) if events else (),
                )
                for id in ids
                if id in jobs and id in texts
            ]

        return await self._database.read(read)

    def queue(self) -> Queue:
        """What runs and what waits."""
        jobs = [item.job for item in self._ledger.open.values()]
        running = sorted((job for job in jobs if job.state == "running"), key=lambda job: job.row)
        held = sorted((job for job in jobs if job.state == "paused"), key=lambda job: job.row)
        return Queue(tuple(running), (*self.runner.line.in_order(), *held))

    def remaining(self) -> int:
        """How many jobs run or wait."""
        return self._ledger.remaining()

    async def history(self, query: HistoryQuery) -> Page:
        """Ended jobs."""
        found, total = await self._database.read(lambda db: rows.history(db, query))
        return Page(tuple(found), total)

    def running_job(self, client_id: str | None = None) -> tuple[Job, str | None] | None:
        """The job that runs (of a client), and the node that a person sees running."""
        for item in self._ledger.open.values():
            if item.job.state == "running" and client_id in (None, item.job.client_id):
                return item.job, item.node
        return None

    async def events_from(self, id: str, number: int = 1) -> Sequence[NumberedEvent]:
        """The events of a job from `number` on. Raises UnknownJob."""
        item = self._ledger.open.get(id)
        if item is not None and item.whole:
            return [event for event in item.events if event.number >= number]
        await self._ledger.write()
        if await self.get(id) is None:
            raise UnknownJob(f"There is no job {id}.")
        return await self._database.read(lambda db: rows.events_of(db, id, number))

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Be told of everything that happens from now on."""
        return self._ledger.subscribe(listener)

    # Changing

    def _open(self, id: str) -> OpenJob | None:
        return self._ledger.open.get(id)

    async def _known(self, id: str) -> Job:
        job = await self.get(id)
        if job is None:
            raise UnknownJob(f"There is no job {id}.")
        return job

    async def cancel(self, id: str, reason: str = "") -> Job:
        """Cancel a job that waits or runs. Raises UnknownJob."""
        if item := self._open(id):
            self.runner.cancel(item, reason)
            await self._ledger.write()
        return await self._known(id)

    async def interrupt(self, id: str | None = None) -> bool:
        """Cancel what runs: all of it, or this job only if it is running."""
        running = [item for item in self._ledger.open.values() if item.job.state == "running"]
        chosen = [item for item in running if id in (None, item.job.id)]
        for item in chosen:
            self.runner.cancel(item, "")
        return bool(chosen)

    async def delete_pending(self, ids: Iterable[str]) -> int:
        """Take waiting jobs out of the queue and forget them."""
        found = [item for id in ids if (item := self._open(id)) and item.job.state in ("queued", "paused")]
        names = [item.job.id for item in found]
        for id in names:
            self.runner.line.remove(id)
            self._ledger.forget(id)
        if names:
            await self._database.note(lambda db: rows.delete_jobs(db, names, ended=False))
            self._ledger.tell_queue()
        return len(names)

    async def clear_pending(self) -> int:
        """Take all waiting jobs out of the queue and forget them."""
        return await self.delete_pending([job.id for job in self.queue().pending])

    async def delete_history(self, ids: Iterable[str]) -> int:
        """Forget ended jobs."""
        wanted = list(ids)
        gone = await self._database.store(lambda db: rows.delete_jobs(db, wanted, ended=True))
        for id in gone:
            self._ledger.recent.pop(id, None)
        self._ledger.tell_queue()
        return len(gone)

    async def clear_history(self) -> int:
        """Forget all ended jobs."""
        gone = await self._database.store(rows.clear_history)
        self._ledger.recent.clear()
        self._ledger.tell_queue()
        return gone

    async def move(
        self, id: str, *, before: str | None = None, after: str | None = None, priority: int | None = None
    ) -> Job:
        """Put a waiting job right before or after another (None: first of all), or give it a priority."""
        item = await self._waiting(id, "moved")
        if priority is not None:
            self._ledger.change(item, priority=priority)
        else:
            others = [job for job in self.runner.line.in_order() if job.id != id]
            number, rank = _place_after(others, after) if after else _place_before(others, before)
            self._ledger.change(item, number=number, priority=rank, placed=True)
        if item.job.state == "queued":
            self.runner.line.add(item.job)
        await self._ledger.write()
        self._ledger.tell_queue()
        return item.job

    async def _waiting(self, id: str, what: str) -> OpenJob:
        item = self._open(id)
        if item is not None and item.job.state in ("queued", "paused"):
            return item
        job = await self._known(id)
        raise WrongState(f"Job {id} is {job.state}; only a job that waits can be {what}.")

    async def pause(self, id: str) -> Job:
        """Hold a job; one that runs stops within a step. Raises UnknownJob, WrongState."""
        item = self._open(id)
        if item is None:
            raise WrongState(f"Job {id} is {(await self._known(id)).state}; it cannot be paused any more.")
        if item.job.state != "paused":
            self.runner.pause(item)
            await self._ledger.write()
        return item.job

    async def resume(self, id: str) -> Job:
        """Let a paused job wait for a worker again. Raises UnknownJob, WrongState."""
        item = self._open(id)
        if item is None or item.job.state != "paused":
            raise WrongState(f"Job {id} is {(await self._known(id)).state}, not paused.")
        self._ledger.change(item, state="queued")
        self._ledger.event(item, "queued")
        self._ledger.tell_queue()
        self.runner.wait(item, resumed=item.job.attempts > 0)
        await self._ledger.write()
        return item.job

    async def retry(self, id: str) -> Job:
        """A new job that does what an ended one did. Raises UnknownJob, WrongState."""
        job = await self._known(id)
        if not job.is_over:
            raise WrongState(f"Job {id} is {job.state}; only a job that ended can be tried again.")
        return await self.duplicate(id)

    async def duplicate(self, id: str) -> Job:
        """A new job that does the same as this one."""
        job = await self._known(id)
        payload = (await self.payloads([id])).get(id)
        if payload is None:
            raise UnknownJob(f"The documents of job {id} are gone.")
        return await self.submit(
            Submission(
                payload,
                client_id=job.client_id,
                priority=job.priority,
                title=job.title,
                webhook=job.webhook,
            )
        )

    async def pause_queue(self, after_running: bool = True) -> None:
        """Start no more jobs; without `after_running`, pause those that run too."""
        self._pause(True)
        for item in list(self._ledger.open.values()):
            if not after_running and item.job.state == "running":
                self.runner.pause(item)

    async def resume_queue(self) -> None:
        """Start jobs again."""
        self._pause(False)
        self.runner.dispatch()

    def _pause(self, is_on: bool) -> None:
        """Pause the queue or let it go on, also after a restart."""
        self.runner.paused = is_on
        self._database.note(lambda db: rows.pause_queue(db, is_on))
        self._ledger.tell_queue()

    @property
    def queue_paused(self) -> bool:
        """Whether no more jobs are started."""
        return self.runner.paused

    # Workers

    async def free(self, unload_models: bool = False, free_memory: bool = False) -> None:
        """Ask the workers, after their current job, to let go of what is in memory."""
        if unload_models or free_memory:
            for worker in self.runner.workers:
                worker.free(unload_models, free_memory)

    def renew_workers(self, why: str) -> None:
        """Let new processes take the places of the workers', each after its job."""
        self.runner.renew_workers(why)

    async def ask_worker(self, question: str, data: Mapping[str, Any], seconds: float = 10.0) -> Any:
        """Ask the first worker that is not busy. Raises TimeoutError."""
        return await self.runner.ask_worker(question, data, seconds)

    async def plugin_address(self, seconds: float = 0.0) -> Address | None:
        """Where the first worker answers for plugins, if it does; while it starts it has some seconds."""
        return await self.runner.plugin_address(seconds)

    def workers(self) -> Sequence[WorkerState]:
        """The worker processes."""
        return [worker.state for worker in self.runner.workers]

    # The database

    async def _tidy(self) -> None:
        """Forget old jobs, again and again."""
        kept = self._retention
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            before = now_ms() - int(kept.days * _DAY_MS) if kept.days else 0
            await self._database.note(lambda db, b=before: rows.delete_old(db, kept.jobs, b, kept.bytes))

    def _store_again(self) -> None:
        """A damaged database was replaced while running: put what is known into the new one."""
        for item in self._ledger.open.values():
            job, texts = item.job, item.texts or Texts("", "")
            self._database.note(lambda db, j=job, t=texts: rows.insert_job(db, j, t, ""))

    async def count_states(self) -> Mapping[str, int]:
        """How many jobs there are in each state; {} when the database does not answer."""
        with suppress(NotStored):
            return await self._database.read(rows.count_states)
        return {}


def _place_before(others: Sequence[Job], before: str | None) -> tuple[float, int]:
    """The number and priority that put a job right before another of these."""
    if before is None:
        first = others[0] if others else None
        return (first.number - 1, first.priority) if first else (0.0, 0)
    place = next((place for place, job in enumerate(others) if job.id == before), None)
    if place is None:
        raise UnknownJob(f"No job {before} waits.")
    after = others[place]
    previous = others[place - 1] if place and others[place - 1].priority == after.priority else None
    low = previous.number if previous else after.number - 2
    return (low + after.number) / 2, after.priority


def _place_after(others: Sequence[Job], after: str) -> tuple[float, int]:
    """The number and priority that put a job right after another of these."""
    place = next((place for place, job in enumerate(others) if job.id == after), None)
    if place is None:
        raise UnknownJob(f"No job {after} waits.")
    job, following = others[place], others[place + 1 : place + 2]
    high = next((item.number for item in following if item.priority == job.priority), job.number + 2)
    return (job.number + high) / 2, job.priority


def _words(job: Job, payload: Payload) -> str:
    """What a search looks through."""
    canvases = (payload.workflow.nodes, *(item.nodes for item in payload.workflow.subgraphs.values()))
    types = dict.fromkeys(node.type for nodes in canvases for node in nodes.values())
    return " ".join([job.id, job.title, job.client_id, *job.models, *types])


def _say(sentence: str) -> None:
    LOG.error("%s", sentence)
