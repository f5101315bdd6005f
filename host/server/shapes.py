"""The shapes of our API's requests and replies."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from host.jobs.model import JobState

LONGEST_TEXT = 200


class Asked(BaseModel):
    """A request: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class NewJob(Asked):
    """A job to hand in."""

    workflow: dict[str, Any] = Field(description="A workflow of any format: ours, API, editor.")
    set: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="Ports, or inputs as node.input, to set before it runs."
    )
    targets: list[str] | None = Field(None, description="Nodes to run; without, all output nodes.")
    title: str = Field("", max_length=LONGEST_TEXT)
    client_id: str = Field("", max_length=LONGEST_TEXT, description="Clients are served in turn.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher runs first.")
    front: bool = Field(False, description="Run before all others of its priority.")
    paused: bool = Field(False, description="Hold it until it is resumed.")
    idempotency_key: str = Field(
        "", max_length=LONGEST_TEXT, description="The same key gives the same job, however often it is sent."
    )
    webhook: str = Field("", max_length=2000, description="An http(s) address that is told of the end.")
    extra: dict[str, Any] = Field(default_factory=dict[str, Any], description="Kept and given back.")


class WaitQuery(BaseModel):
    """Whether to answer at once or at the end."""

    wait: bool = Field(False, description="Answer when the job has ended.")
    timeout: float = Field(
        600.0, gt=0, le=86400, description="Seconds to wait at most; then the status is 202."
    )


class JobsQuery(BaseModel):
    """Which jobs to list."""

    state: list[JobState] = Field(default_factory=list[JobState])
    search: str = Field("", max_length=LONGEST_TEXT, description="Words in title, client, node types, error.")
    client_id: str = ""
    outputs: bool = Field(False, description="Tell what each job showed, without files that are gone.")
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**53)


class EventsQuery(BaseModel):
    """From which event on."""

    model_config = ConfigDict(populate_by_name=True)
    number: int = Field(1, ge=0, le=2**53, description="The first event to send.")


class Failure(BaseModel):
    """Why a job failed."""

    message: str
    node: str
    exception: str


class JobShape(BaseModel):
    """A job. Times are ms since 1970."""

    id: str
    state: JobState
    title: str
    client_id: str
    number: float
    priority: int
    created: int
    started: int | None
    ended: int | None
    attempts: int
    crashes: int
    error: Failure | None
    models: list[str]


class OutputShape(BaseModel):
    """What a node showed. Files have an address: `files[].url`."""

    node: str
    display_node: str
    ui: dict[str, list[Any]]
    files: list[dict[str, str]]


class TimingShape(BaseModel):
    """What became of a node: seconds, bytes."""

    node: str
    verdict: str
    reason: str
    seconds: float
    memory_peak: int


class JobDetail(JobShape):
    """A job with what its nodes showed and took."""

    outputs: list[OutputShape]
    nodes: list[TimingShape]
    extra: dict[str, Any]
    warnings: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])


class ListedJob(JobShape):
    """A job of a list. outputs: what it showed, with the files still there; only if that was asked for."""

    outputs: list[OutputShape] | None = None


class JobsPage(BaseModel):
    """Some jobs; `total` counts all that were asked for."""

    jobs: list[ListedJob]
    total: int
    remaining: int
    queue_paused: bool


class EventShape(BaseModel):
    """Something that happened to a job; `number` rises within it. Times are ms since 1970."""

    job: str
    number: int
    kind: str
    data: dict[str, Any]
    at: int


class EventsPage(BaseModel):
    """Events of a job."""

    events: list[EventShape]


class Move(Asked):
    """A new place in the queue."""

    before: str | None = Field(None, description="The job to run before; without, all of them.")
    after: str | None = Field(None, description="The job to run after.")
    priority: int | None = Field(None, ge=-1000, le=1000)


class QueuePause(Asked):
    """How to pause the queue."""

    after_running: bool = Field(True, description="Let those finish that run.")


class Count(BaseModel):
    """How many it was."""

    count: int


class CancelQuery(BaseModel):
    """Why a job is cancelled."""

    reason: str = Field("", max_length=LONGEST_TEXT)


class Free(Asked):
    """What the workers are to let go of."""

    unload_models: bool = True
    free_memory: bool = False


class WorkerShape(BaseModel):
    """A worker process; bytes."""

    device: str
    state: Literal["starting", "idle", "busy", "restarting", "stopped"]
    pid: int | None
    job: str | None
    restarts: int
    memory: int
    facts: dict[str, Any]
    cache: dict[str, Any]


class System(BaseModel):
    """The server and what it runs on; bytes."""

    version: str
    python: str
    os: str
    memory_total: int
    memory_free: int
    server_memory: int
    workers: list[WorkerShape]
    jobs: dict[str, int]
    trouble: str


class Health(BaseModel):
    """Whether all is well."""

    ok: bool
    why: str = ""
