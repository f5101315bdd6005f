"""What routes may ask of the jobs: the interface that our API and ComfyUI's protocol are built on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from host.jobs.model import (
    HistoryQuery,
    Job,
    JobRecord,
    Live,
    NumberedEvent,
    Output,
    Page,
    Payload,
    Queue,
    Submission,
    WorkerState,
)
from host.plugins.routes import Address

Listener = Callable[[Live], None]
"""Called in the server's event loop, in order; must return at once and not raise."""
Unsubscribe = Callable[[], None]


class UnknownJob(Exception):
    """There is no job of this id; the message says so."""


class WrongState(Exception):
    """A job cannot do that in its state; the message says what it is and what was asked."""


class NotStored(Exception):
    """The database refused (full disk, locked): nothing was changed; the message is a sentence."""


class JobService(Protocol):
    """The jobs of a server. Everything is called in the server's event loop.

    What is awaited is stored before it returns. `queue`, `remaining`, `find`, `running_job` answer at once.
    """

    def take_number(self, front: bool = False) -> float:
        """The next number in the queue's order, and count on; negated for `front`."""
        ...

    async def submit(self, submission: Submission) -> Job:
        """Store a job and let it run. Raises NotStored, or WrongState when the id is taken by another."""
        ...

    def find(self, id: str) -> Job | None:
        """A job that has not ended, or ended a moment ago; `get` finds every one."""
        ...

    async def get(self, id: str) -> Job | None:
        """A job, or None."""
        ...

    async def payloads(self, ids: Sequence[str]) -> Mapping[str, Payload]:
        """The documents of jobs, by id; those that are not there are left out."""
        ...

    async def outputs(self, ids: Sequence[str]) -> Mapping[str, Sequence[Output]]:
        """What jobs showed so far, by id; those that showed nothing are left out."""
        ...

    async def records(self, ids: Sequence[str], events: bool = False) -> Sequence[JobRecord]:
        """Everything kept of jobs, in the order asked; unknown ids are left out."""
        ...

    def queue(self) -> Queue:
        """What runs and what waits."""
        ...

    def remaining(self) -> int:
        """How many jobs run or wait; paused ones do not count."""
        ...

    async def history(self, query: HistoryQuery) -> Page:
        """Ended jobs."""
        ...

    async def delete_history(self, ids: Iterable[str]) -> int:
        """Forget ended jobs; unknown ones are no error. Gives how many went. Their pictures stay."""
        ...

    async def clear_history(self) -> int:
        """Forget all ended jobs."""
        ...

    async def cancel(self, id: str, reason: str = "") -> Job:
        """Cancel a job that waits or runs. Gives the job as it is then; one that runs ends a moment later.

        Raises UnknownJob. One that has ended stays as it is.
        """
        ...

    async def interrupt(self, id: str | None = None) -> bool:
        """Cancel what runs: all of it, or this job only if it is running. False when there was none."""
        ...

    async def delete_pending(self, ids: Iterable[str]) -> int:
        """Take waiting jobs out of the queue and forget them; others are no error. Gives how many went."""
        ...

    async def clear_pending(self) -> int:
        """Take all waiting jobs out of the queue and forget them."""
        ...

    async def move(
        self, id: str, *, before: str | None = None, after: str | None = None, priority: int | None = None
    ) -> Job:
        """Put a waiting job right before or after another (None: first of all), or give it a priority."""
        ...

    async def pause(self, id: str) -> Job:
        """Hold a job. One that runs stops within a step; what it finished is kept for when it is resumed."""
        ...

    async def resume(self, id: str) -> Job:
        """Let a paused job wait for a worker again. Raises UnknownJob, WrongState."""
        ...

    async def retry(self, id: str) -> Job:
        """A new job that does what an ended one did. Raises UnknownJob, WrongState."""
        ...

    async def duplicate(self, id: str) -> Job:
        """A new job that does the same as this one, whatever its state."""
        ...

    async def pause_queue(self, after_running: bool = True) -> None:
        """Start no more jobs; without `after_running`, pause those that run too."""
        ...

    async def resume_queue(self) -> None:
        """Start jobs again."""
        ...

    @property
    def queue_paused(self) -> bool:
        """Whether no more jobs are started."""
        ...

    def running_job(self, client_id: str | None = None) -> tuple[Job, str | None] | None:
        """The job that runs (of a client) and the id of the node that a person sees running, if any."""
        ...

    async def events_from(self, id: str, number: int = 1) -> Sequence[NumberedEvent]:
        """The events of a job from `number` on, up to now. Raises UnknownJob.

        To follow a job: subscribe first, then read these, then drop live ones with a number already seen.
        """
        ...

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Be told of everything that happens from now on, and how to stop that."""
        ...

    async def free(self, unload_models: bool = False, free_memory: bool = False) -> None:
        """Ask the workers, after their current job, to let go of models, or of models and all results."""
        ...

    def renew_workers(self, why: str) -> None:
        """Let a new process, which loads plugins again, take each worker's place after its job."""
        ...

    async def ask_worker(self, question: str, data: Mapping[str, Any], seconds: float = 10.0) -> Any:
        """Ask an idle worker something that needs torch or plugins. Raises TimeoutError."""
        ...

    async def plugin_address(self, seconds: float = 0.0) -> Address | None:
        """Where a worker answers for plugins, None where none does; one that starts has some seconds."""
        ...

    def workers(self) -> Sequence[WorkerState]:
        """The worker processes."""
        ...

    @property
    def trouble(self) -> str:
        """What is wrong with the database now, "" when all is well."""
        ...

    async def count_states(self) -> Mapping[str, int]:
        """How many jobs there are in each state; {} when the database does not answer."""
        ...
