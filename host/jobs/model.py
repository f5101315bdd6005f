"""What a job is: plain frozen data, the same in memory, in the database and on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from graph.document import Workflow
from graph.events import Verdict

JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
STATES: Final[tuple[JobState, ...]] = get_args(JobState)
ENDED: Final[frozenset[JobState]] = frozenset({"done", "failed", "cancelled"})

EventKind = Literal[
    "queued",  # {}: it waits for a worker (again)
    "started",  # {"nodes": [ids], "cached": [ids], "attempt": n, "device": "cpu"}
    "node_started",  # {"node", "display_node", "reason"}, and "plugin" for a node of one
    "progress",  # {"node", "display_node", "done", "total", "preview": whether a picture of it follows}
    "item",  # {"node", "display_node", "item", "items"}
    "log",  # {"node", "message"}; node "" when it is about the whole job
    "node_finished",  # {"node", "display_node", "verdict", "reason", "seconds", "ui", "memory_peak"}
    "node_failed",  # {"node", "display_node", "message", "exception", "trace", "inputs"}
    "pausing",  # {}: it will stop after the node or step that runs
    "paused",  # {}
    "interrupted",  # {"reason", "attempt"}: its worker went; it is queued again
    "finished",  # {"state": "done" | "failed" | "cancelled", "seconds", "error"}: always the last one
]


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed. node "" when no node is to blame: its worker went, or the workflow cannot run."""

    message: str
    node: str = ""
    exception: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A workflow handed in to run, without its documents (see `Payload`). Times are ms since 1970.

    row: rises with every job ever handed in; what order rests on, since clocks may be set back.
    priority: higher runs first. number: among equals the lower runs first. placed: whether a person chose
    `number` (also by `front`); other jobs are dealt out to clients in turn.
    ended_row: rises with every job that ended; 0 while it has not. attempts: how often a worker began it.
    crashes: how often a worker died of it. models: the model files that its workflow names.
    """

    id: str
    state: JobState
    row: int
    number: float
    priority: int = 0
    placed: bool = False
    client_id: str = ""
    title: str = ""
    created: int = 0
    started: int | None = None
    ended: int | None = None
    ended_row: int = 0
    attempts: int = 0
    crashes: int = 0
    error: JobFailure | None = None
    models: tuple[str, ...] = ()
    webhook: str = ""
    idempotency_key: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Payload:
    """The documents of a job.

    targets: ids of the nodes to run, None for all output nodes. texts: JSON values that its pictures carry,
    by key ("prompt": the API format as it was sent, "workflow": the editor's document); empty: made from
    `workflow`. They also are what the hidden inputs PROMPT and EXTRA_PNGINFO give. extra: anything the one
    who handed it in wants back (ComfyUI's extra_data, outputs asked for, ...); the server does not read it.
    """

    workflow: Workflow
    targets: tuple[str, ...] | None = None
    texts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to be. id "": a new one is made. number None: after all others (or before, with `front`).

    idempotency_key: a second submission with the same key gives the first one's job and starts nothing.
    webhook: an address that is told of the end. replaces: an ended job of this id makes room for it. The
    payload's workflow must have passed validation.
    """

    payload: Payload
    id: str = ""
    client_id: str = ""
    priority: int = 0
    number: float | None = None
    front: bool = False
    paused: bool = False
    title: str = ""
    idempotency_key: str = ""
    webhook: str = ""
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """Something that happened to a job. number: rises from 1 within the job, and may leave gaps.

    at: ms since 1970. data: JSON, whose keys stand beside each `EventKind`. job: as it is after this event
    (None in events read back from the database).
    """

    job_id: str
    number: int
    kind: EventKind
    data: Mapping[str, Any]
    at: int
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of a half-made result; live only, never stored. It belongs to the `progress` event before it.

    type: "image/jpeg" or "image/png". data: the file.
    """

    job_id: str
    node: str
    display_node: str
    type: str
    data: bytes
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The number of jobs that run or wait changed, or their order, or whether jobs are started."""

    remaining: int


OWN_MESSAGES: Final = "darkroom."
"""What the names of messages to our own editor begin with."""


@dataclass(frozen=True, slots=True)
class WorkerMessage:
    """A message from a plugin to browsers: its name, JSON data, and one client's id or "" for all."""

    name: str
    data: Any
    client_id: str = ""


Live = NumberedEvent | Preview | QueueChanged | WorkerMessage


@dataclass(frozen=True, slots=True)
class Output:
    """What one node of a job showed: `ui` by kind, {"images": [{"filename", "subfolder", "type"}]}."""

    job_id: str
    node: str
    display_node: str
    ui: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class NodeTiming:
    """What became of one node of a job. seconds: its time; memory_peak: the worker's most bytes meanwhile."""

    job_id: str
    node: str
    verdict: Verdict
    reason: str
    seconds: float
    memory_peak: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """What runs and what waits: pending in the order in which it is expected to run, paused ones last."""

    running: tuple[Job, ...] = ()
    pending: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which ended jobs to list. Without `newest_first`, in order of their end, the oldest first.

    limit None: all. offset counts from the first of that order. search: words in title, client, error or the
    names of node types. states: only these. client_id "": everybody's.
    """

    limit: int | None = None
    offset: int = 0
    newest_first: bool = False
    search: str = ""
    states: tuple[JobState, ...] = ()
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the ended jobs, and how many there are in all."""

    jobs: tuple[Job, ...]
    total: int


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Everything kept of a job."""

    job: Job
    payload: Payload
    outputs: tuple[Output, ...] = ()
    timings: tuple[NodeTiming, ...] = ()
    events: tuple[NumberedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker as the server sees it.

    state: "starting" (torch is being loaded), "idle", "busy", "restarting" (it went; waits for a new try),
    "stopped". rss: its memory in bytes. facts: what it told of its device (name, type, index, vram_total,
    vram_free, torch_vram_total, torch_vram_free, pytorch_version). cache: what it told of its stores (bytes,
    entries, budget; models: how many networks are loaded; model_bytes). Both are {} before it did.
    """

    device: str
    state: Literal["starting", "idle", "busy", "restarting", "stopped"]
    pid: int | None = None
    job_id: str | None = None
    restarts: int = 0
    rss: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cache: Mapping[str, Any] = field(default_factory=dict[str, Any])
