"""Handing jobs to workers, and what becomes of them there: ended, cancelled, paused, or their worker gone."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from host.folders import WORK_KINDS, Folders
from host.jobs import rows
from host.jobs.database import Database, now_ms
from host.jobs.documents import Texts
from host.jobs.ledger import Ledger, OpenJob
from host.jobs.model import Job, JobFailure, JobState, Output, Preview, WorkerMessage
from host.jobs.order import WaitingLine
from host.plugins.routes import Address
from host.worker.supervisor import WorkerProcess
from host.worker.wire import Message

LOG: Final = logging.getLogger("darkroom.worker")
MOST_CRASHES: Final = 2
_LOOK_EVERY: Final = 0.05
_RAN: Final = ("ran", "cached")
_FINISHED: Final[Mapping[str, JobState]] = {"done": "done", "failed": "failed"}


class Runner:
    """Gives waiting jobs to idle workers. It is what the workers tell everything to."""

    def __init__(self, ledger: Ledger, database: Database, folders: Folders) -> None:
        self.line = WaitingLine()
        self.paused = False
        self.workers: Sequence[WorkerProcess] = ()
        self._ledger = ledger
        self._database = database
        self._folders = folders
        self._reserved = set[WorkerProcess]()
        self._starting = set[asyncio.Task[None]]()
        self._loop = asyncio.get_running_loop()

    def wait(self, item: OpenJob, resumed: bool = False) -> None:
        """Let a job wait for a worker."""
        self.line.add(item.job, resumed)
        self.dispatch()

    def dispatch(self) -> None:
        """Start as many waiting jobs as there are idle workers."""
        while not self.paused and (idle := [worker for worker in self.workers if self._is_free(worker)]):
            job = self.line.take()
            if job is None:
                return
            item = self._ledger.open[job.id]
            worker = _best_for(job, idle)
            self._start(item, worker)

    def _is_free(self, worker: WorkerProcess) -> bool:
        return worker.is_idle and worker not in self._reserved

    def worker_of(self, id: str) -> WorkerProcess | None:
        """The worker that runs a job."""
        return next((worker for worker in self.workers if worker.job == id), None)

    async def plugin_address(self, seconds: float) -> Address | None:
        """Where the first worker answers for plugins, if it does; while it starts it has some seconds."""
        end = self._loop.time() + seconds
        while True:
            first = next(iter(self.workers), None)
            if first is not None and (first.plugins is not None or not first.is_loading):
                return first.plugins
            if self._loop.time() >= end:
                return None
            await asyncio.sleep(_LOOK_EVERY)

    def _start(self, item: OpenJob, worker: WorkerProcess) -> None:
        job = item.job
        attempt = job.attempts + 1
        self._ledger.change(item, state="running", started=job.started or now_ms(), attempts=attempt)
        item.wish, item.node, item.plugin = "", None, ""
        self._ledger.tell_queue()
        if item.texts is not None and attempt == 1:
            self._hand_over(item, worker, item.texts, ())
            return
        self._reserved.add(worker)
        task = self._loop.create_task(self._start_stored(item, worker))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start_stored(self, item: OpenJob, worker: WorkerProcess) -> None:
        """Start a job whose documents are in the database, or that ran before."""
        id = item.job.id
        try:
            await self._ledger.write()
            texts = item.texts or (await self._database.read(lambda db: rows.texts_of(db, [id]))).get(id)
            done = await self._done(id)
        except Exception as error:
            self._reserved.discard(worker)
            self._end(item, "failed", JobFailure(f"Its documents cannot be read: {error}"), 0.0)
            return
        self._reserved.discard(worker)
        if item.wish:
            self._stopped(item, 0.0)
        elif texts is None:
            self._end(item, "failed", JobFailure("Its documents are gone from the database."), 0.0)
        elif not worker.is_idle:
            self._again(item)
        else:
            self._hand_over(item, worker, texts, done)
        self.dispatch()

    async def _done(self, id: str) -> Sequence[str]:
        """Nodes of earlier attempts that need not run again: what they saved is still there."""
        outputs = (await self._database.read(lambda db: rows.outputs_of(db, [id]))).get(id, [])
        timings = (await self._database.read(lambda db: rows.timings_of(db, [id]))).get(id, [])
        ran = {timing.node for timing in timings if timing.verdict in _RAN}
        return [output.node for output in outputs if output.node in ran and self._is_there(output)]

    def _is_there(self, output: Output) -> bool:
        return all(self._exists(file) for items in output.ui.values() for file in items)

    def _exists(self, shown: Any) -> bool:
        if not isinstance(shown, dict):
            return True
        file = cast("dict[str, Any]", shown)
        kind, name = file.get("type"), file.get("filename")
        if kind not in WORK_KINDS or not isinstance(name, str):
            return False
        return self._folders.find(kind, "/".join(filter(None, (file.get("subfolder"), name)))) is not None

    def _hand_over(self, item: OpenJob, worker: WorkerProcess, texts: Texts, done: Sequence[str]) -> None:
        job = item.job
        order = {"workflow": texts.workflow, "rest": texts.rest, "done": list(done)}
        worker.run(job.id, job.attempts, order, job.models)

    # What is asked of workers

    async def ask_worker(self, question: str, data: Mapping[str, Any], seconds: float) -> Any:
        """Ask the first worker that is not busy. Raises TimeoutError."""
        workers = sorted(self.workers, key=lambda worker: not worker.is_idle)
        if not workers:
            raise TimeoutError("There is no worker.")
        return await workers[0].ask(question, data, seconds)

    def renew_workers(self, why: str) -> None:
        """Let new processes take the places of the workers', each after its job."""
        for worker in self.workers:
            worker.renew(why)

    # What workers tell

    def heard(self, worker: WorkerProcess, message: Message, data: bytes) -> None:
        """A message of a job, or from a plugin."""
        if message["type"] == "message":
            self._ledger.tell(WorkerMessage(message["name"], message["data"], message["client_id"]))
            return
        item = self._ledger.open.get(message.get("job", ""))
        if item is None or item.job.state != "running":
            return
        match message["type"]:
            case "event":
                if message["kind"] == "node_started":
                    item.node = message["data"]["display_node"]
                    item.plugin = message["data"].get("plugin", "")
                self._ledger.event(item, message["kind"], message["data"])
            case "preview":
                names = message["node"], message["display_node"], message["mime"]
                self._ledger.tell(Preview(item.job.id, *names, data, item.job.client_id))
            case "end":
                self._ended(item, message)
            case other:
                LOG.warning("Worker %s sent a message of unknown type %s.", worker.name, other)

    def _ended(self, item: OpenJob, message: Message) -> None:
        state = _FINISHED.get(message["state"])
        if state is None:
            self._stopped(item, message["seconds"])
            return
        error = message["error"]
        failure = JobFailure(error["message"], error["node"], error.get("exception", ""))
        self._end(item, state, failure if state == "failed" else None, message["seconds"])

    def idle(self, worker: WorkerProcess) -> None:
        """A worker can take a job."""
        self.dispatch()

    def died(self, worker: WorkerProcess, job: str | None, why: str) -> None:
        """A worker's process is gone: its job goes on, unless it was to stop or died of it before."""
        LOG.warning("Worker %s died: %s.", worker.name, why, extra={"job": job})
        item = self._ledger.open.get(job or "")
        if item is None or item.job.state != "running":
            return
        if item.wish:
            self._stopped(item, 0.0)
            return
        crashes = item.job.crashes + 1
        self._ledger.change(item, crashes=crashes)
        if crashes >= MOST_CRASHES:
            whose = f" of plugin {item.plugin}" if item.plugin else ""
            where = f" in node {item.node}{whose}" if item.node else ""
            sentence = f"The worker died twice while it ran this job{where}: {why}."
            self._end(item, "failed", JobFailure(sentence, item.node or "", "WorkerDied"), 0.0)
        else:
            self._ledger.event(
                item, "interrupted", {"reason": f"The worker died: {why}.", "attempt": item.job.attempts}
            )
            self._again(item)

    def said(self, worker: WorkerProcess, line: str) -> None:
        """A line that a worker printed."""
        LOG.info("%s", line, extra={"worker": worker.name, "job": worker.job})

    # Ends

    def _stopped(self, item: OpenJob, seconds: float) -> None:
        """A job stopped because it was asked to."""
        match item.wish:
            case "pause":
                self._ledger.change(item, state="paused")
                self._ledger.event(item, "paused")
                self._ledger.tell_queue()
            case "stop":
                self._ledger.event(
                    item, "interrupted", {"reason": "The server stops.", "attempt": item.job.attempts}
                )
                self._again(item)
            case _:
                reason = JobFailure(item.wish_reason) if item.wish_reason else None
                self._end(item, "cancelled", reason, seconds)

    def _again(self, item: OpenJob) -> None:
        """Let a job that ran wait before all others."""
        self._ledger.change(item, state="queued")
        self._ledger.event(item, "queued")
        self.wait(item, resumed=True)

    def _end(self, item: OpenJob, state: JobState, error: JobFailure | None, seconds: float) -> None:
        self._ledger.finish(item, state, error, seconds)

    # Asked from outside

    def cancel(self, item: OpenJob, reason: str) -> None:
        """End a job: at once when it waits, within a step when it runs."""
        if item.job.state == "running":
            item.wish, item.wish_reason = "cancel", reason
            if worker := self.worker_of(item.job.id):
                worker.stop_job(item.job.id, may_kill=True)
            return
        self.line.remove(item.job.id)
        self._end(item, "cancelled", JobFailure(reason) if reason else None, 0.0)

    def pause(self, item: OpenJob) -> None:
        """Hold a job: at once when it waits, within a step when it runs."""
        if item.job.state == "running":
            item.wish = "pause"
            self._ledger.event(item, "pausing")
            if worker := self.worker_of(item.job.id):
                worker.stop_job(item.job.id, may_kill=False)
            return
        self.line.remove(item.job.id)
        self._ledger.change(item, state="paused")
        self._ledger.event(item, "paused")
        self._ledger.tell_queue()

    async def stop(self, seconds: float) -> None:
        """Stop the jobs that run after their step, let them wait, and end the workers."""
        self.paused = True
        for worker in self.workers:
            item = self._ledger.open.get(worker.job or "")
            if item is not None:
                item.wish = item.wish or "stop"
                worker.stop_job(item.job.id, may_kill=False)
        await asyncio.gather(*(worker.stop(seconds) for worker in self.workers))
        for item in list(self._ledger.open.values()):
            if item.job.state == "running":
                item.wish = item.wish or "stop"
                self._stopped(item, 0.0)


def _best_for(job: Job, idle: Sequence[WorkerProcess]) -> WorkerProcess:
    """The worker that has most of a job's models loaded."""
    return max(idle, key=lambda worker: sum(model in worker.models for model in job.models))
