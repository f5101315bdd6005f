"""One worker process as the server holds it: started, listened to, watched, killed and started again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final, Literal, Protocol

from host.folders import SOURCES
from host.jobs.model import WorkerState
from host.plugins.routes import Address
from host.worker.causes import cause, out_of_memory_kills
from host.worker.options import WorkerOptions
from host.worker.wire import FrameProtocol, Message, pair

DEFAULT_COMMAND: Final = (sys.executable, str(SOURCES / "server.py"), "worker")
GRACE: Final = 0.7
"""Seconds that a node which tells nothing of its progress has to stop when its job is cancelled."""
_MOST_GRACE: Final = 60.0
_LOOK_EVERY: Final = 0.25
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 30.0
_IDLE_STOP: Final = 1.0
_STEADY: Final = 30.0
"""Seconds after which a worker counts as well again."""
_MODELS_KNOWN: Final = 8
_FIRST_SILENCE: Final = 120.0
"""Seconds that a process may take until it is ready: it reads many files from a disk that may be slow."""
_STANDSTILL: Final = 900.0
"""Seconds in which a busy worker neither tells anything nor computes, after which it counts as hanging."""

State = Literal["starting", "idle", "busy", "restarting", "stopped"]


class WorkerListener(Protocol):
    """What is told of a worker. Everything happens in the event loop."""

    def heard(self, worker: "WorkerProcess", message: Message, data: bytes) -> None:
        """A message of a job: event, preview, end, message, specs."""
        ...

    def idle(self, worker: "WorkerProcess") -> None:
        """It can take a job."""
        ...

    def died(self, worker: "WorkerProcess", job: str | None, why: str) -> None:
        """Its process is gone; `job` is what it was running. It will be started again."""
        ...

    def said(self, worker: "WorkerProcess", line: str) -> None:
        """A line that the process printed."""
        ...


@dataclass(slots=True)
class _Task:
    """The job that a worker runs: its node, when that told of its last step, and the longest step so far."""

    job: str
    attempt: int
    node: str = ""
    last_step: float = 0.0
    longest: float = 0.0


class WorkerProcess:
    """A worker process and its successors: one that dies is started again, later and later if it keeps dying.

    silence: seconds without a sign of life after which it is killed.
    """

    def __init__(
        self,
        name: str,
        options: WorkerOptions,
        listener: WorkerListener,
        command: Sequence[str] = DEFAULT_COMMAND,
        silence: float = 60.0,
    ) -> None:
        self.name = name
        self.models = OrderedDict[str, None]()
        self.plugins: Address | None = None
        self._options = replace(options, parent=os.getpid())
        self._listener = listener
        self._command = tuple(command)
        self._silence = silence
        self._state: State = "stopped"
        self._process: Process | None = None
        self._wire: FrameProtocol | None = None
        self._task: _Task | None = None
        self._blame = ""
        self._renewal = ""
        self._restarts = 0
        self._rss, self._cpu = 0, 0.0
        self._facts: Mapping[str, Any] = {}
        self._cache: Mapping[str, Any] = {}
        self._heard_at = self._moved_at = 0.0
        self._answers = dict[int, asyncio.Future[Any]]()
        self._ids = count(1)
        self._life: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._stopping = False

    @property
    def is_idle(self) -> bool:
        """Whether it can take a job now."""
        return self._state == "idle"

    @property
    def is_loading(self) -> bool:
        """Whether it is not yet known what it can do."""
        return self._state in ("starting", "restarting")

    @property
    def job(self) -> str | None:
        """The job that it runs."""
        return self._task.job if self._task else None

    @property
    def state(self) -> WorkerState:
        """All that is known of it."""
        pid = self._process.pid if self._process else None
        return WorkerState(
            self.name, self._state, pid, self.job, self._restarts, self._rss, self._facts, self._cache
        )

    # Orders

    def start(self) -> None:
        """Let it live from now on."""
        if self._life is None:
            self._life = self._loop.create_task(self._live())

    def run(self, job: str, attempt: int, order: Message, models: Sequence[str]) -> None:
        """Hand it a job; it must be idle."""
        self._state, self._task = "busy", _Task(job, attempt)
        self._moved_at = self._loop.time()
        for model in models:
            self.models[model] = None
            self.models.move_to_end(model)
        while len(self.models) > _MODELS_KNOWN:
            self.models.popitem(last=False)
        self._send({"type": "run", "job": job, "attempt": attempt, **order})

    def stop_job(self, job: str, *, may_kill: bool) -> None:
        """Ask it to stop its job within a step; with `may_kill`, end the process if it does not react."""
        task = self._task
        if task is None or task.job != job:
            return
        self._send({"type": "stop_job", "job": job, "attempt": task.attempt})
        if may_kill:
            self._loop.call_later(self._grace(task), self._kill_if_still, task)

    def _grace(self, task: _Task) -> float:
        """A node in the middle of steps has the time of three; one that shows no steps has little."""
        return min(max(GRACE, 3 * task.longest), _MOST_GRACE) if task.longest else GRACE

    def _kill_if_still(self, task: _Task) -> None:
        if self._task is task:
            self.kill("it did not react to being cancelled")

    def kill(self, why: str) -> None:
        """End the process at once; it is started again."""
        self._blame = why
        self._end_group()

    def renew(self, why: str) -> None:
        """Let a new process take its place as soon as it runs no job."""
        self._renewal = why
        if self._state == "idle":
            self._leave()

    def _leave(self) -> None:
        self._blame, self._renewal = self._renewal, ""
        self._state = "restarting"
        self._send({"type": "exit"})
        self._loop.call_later(_IDLE_STOP, self._end_if_still, self._process)

    def _end_if_still(self, process: Process | None) -> None:
        if process is not None and process is self._process:
            self._end_group()

    def free(self, unload_models: bool, free_memory: bool) -> None:
        """Let go of what is in memory, after the job that runs."""
        self.models.clear()
        self._send({"type": "free", "unload_models": unload_models, "free_memory": free_memory})

    async def ask(self, question: str, data: Mapping[str, Any], seconds: float) -> Any:
        """The answer to a question. Raises TimeoutError, and LookupError for one it does not know."""
        id, future = next(self._ids), self._loop.create_future()
        self._answers[id] = future
        try:
            self._send({"type": "ask", "id": id, "question": question, "data": data})
            return await asyncio.wait_for(future, seconds)
        finally:
            del self._answers[id]

    async def stop(self, seconds: float) -> None:
        """End it for good: by itself within some seconds (or fewer, if it runs no job), or killed."""
        self._stopping = True
        self._send({"type": "exit"})
        if self._process is not None:
            try:
                patience = seconds if self._task else min(seconds, _IDLE_STOP)
                await asyncio.wait_for(self._process.wait(), patience)
            except TimeoutError:
                self.kill("the server stops")
                await self._process.wait()
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life
        self._state = "stopped"

    def _send(self, message: Message) -> None:
        if self._wire is not None:
            self._wire.send(message)

    # Its life

    async def _live(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping:
            began, kills = self._loop.time(), out_of_memory_kills()
            try:
                code = await self._one_life()
                why = self._blame or cause(code, kills)
            except OSError as error:
                why = f"it could not be started: {error}"
            if self._stopping:
                return
            pause = self._next_pause(pause, self._loop.time() - began)
            self._bury(why)
            await asyncio.sleep(pause)

    def _next_pause(self, pause: float, lived: float) -> float:
        """How long to wait before the next start: not at all after a kill of our own."""
        if self._blame or lived > _STEADY or self._task is not None:
            return _FIRST_PAUSE
        return min(2 * pause, _LONGEST_PAUSE)

    def _bury(self, why: str) -> None:
        task, self._task, self._blame = self._task, None, ""
        self._state = "restarting"
        self._restarts += 1
        self.plugins = None
        self.models.clear()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(TimeoutError(f"The worker died: {why}."))
        self._listener.died(self, task.job if task else None, why)

    async def _one_life(self) -> int:
        ours, theirs = pair()
        self._state = "starting"
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                str(theirs.fileno()),
                self._options.to_json(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                pass_fds=[theirs.fileno()],
                env=environment(self._options),
                start_new_session=True,
                limit=1 << 20,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._heard_at = self._loop.time()
        _, self._wire = await self._loop.create_unix_connection(
            lambda: FrameProtocol(self._hear, self._end_group), sock=ours
        )
        beside = [self._loop.create_task(task) for task in (self._watch(), self._read_lines(self._process))]
        try:
            return await self._process.wait()
        finally:
            for task in beside:
                task.cancel()
            self._wire.close()
            self._wire = None

    def _end_group(self) -> None:
        """End the process and whatever it started: nothing may hold its device or its output open."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _read_lines(self, process: Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line longer than the limit
                continue
            if not line:
                return
            self._listener.said(self, line.decode("utf-8", "replace").rstrip())

    async def _watch(self) -> None:
        """Kill it when it gives no sign of life, or is busy with nothing for very long."""
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, self._silence / 4))
            now = self._loop.time()
            patience = max(self._silence, _FIRST_SILENCE) if self._state == "starting" else self._silence
            if now - self._heard_at > patience:
                self.kill(f"it gave no sign of life for {patience:g} seconds")
            elif self._task is not None and now - self._moved_at > _STANDSTILL:
                self.kill(f"it stood still for {_STANDSTILL:g} seconds")

    def _hear(self, message: Message, data: bytes) -> None:
        self._heard_at = self._loop.time()
        match message["type"]:
            case "beat":
                self._rss = message["rss"]
                if message["cpu"] > self._cpu + 0.01:
                    self._moved_at = self._heard_at
                self._cpu = message["cpu"]
            case "ready":
                self._facts, self._state = message["facts"], "idle"
                self._go_on()
            case "plugins":
                self.plugins = Address(message["port"], message["secret"])
            case "freed":
                self._cache = message["cache"]
            case "answer":
                self._take_answer(message)
            case _:
                self._hear_of_job(message, data)

    def _hear_of_job(self, message: Message, data: bytes) -> None:
        self._moved_at = self._heard_at
        if message["type"] == "event" and self._task is not None:
            self._note_step(self._task, message)
        if message["type"] == "end":
            self._task, self._state, self._cache = None, "idle", message["cache"]
            self._go_on()  # first: the next job runs while the end of this one is written down
        self._listener.heard(self, message, data)

    def _go_on(self) -> None:
        if self._renewal:
            self._leave()
        else:
            self._listener.idle(self)

    def _note_step(self, task: _Task, message: Message) -> None:
        node = message["data"].get("node", "")
        if message["kind"] != "progress" or node != task.node:
            task.node, task.longest = node, 0.0
        elif task.last_step:
            task.longest = max(task.longest, self._heard_at - task.last_step)
        task.last_step = self._heard_at

    def _take_answer(self, message: Message) -> None:
        future = self._answers.get(message["id"])
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(LookupError(message["error"]))
        else:
            future.set_result(message["value"])


def environment(options: WorkerOptions) -> dict[str, str]:
    """The environment of a worker: which device it sees, how many threads it computes with."""
    told = dict(os.environ)
    # Threads that wait for each other spin by default: on a busy machine that costs six times the work.
    told.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.threads:
        told["OMP_NUM_THREADS"] = str(options.threads)
    if options.precision != "auto":
        told["DARKROOM_PRECISION"] = options.precision
    kind, _, index = options.device.partition(":")
    if kind == "cpu":
        told["CUDA_VISIBLE_DEVICES"] = ""
    elif kind == "cuda" and index:
        told["CUDA_VISIBLE_DEVICES"] = _visible(told.get("CUDA_VISIBLE_DEVICES"), int(index))
    return told


def _visible(given: str | None, index: int) -> str:
    """The device of this number among those that are visible at all."""
    names = given.split(",") if given else []
    return names[index] if index < len(names) else str(index)
