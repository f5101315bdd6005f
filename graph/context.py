"""What a running node may do, and what the engine asks of its surroundings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from graph.document import Node
from graph.events import Emit, NodeLog, NodeProgress


class Cancelled(Exception):
    """Raised by `check_cancelled` in a job that was cancelled; nodes let it pass."""


class Context(Protocol):
    """Passed to nodes that declare a parameter of this type; a fresh one for every run of a node."""

    @property
    def node_id(self) -> str:
        """The id of the running node in the workflow."""
        ...

    @property
    def job(self) -> "Job":
        """The job this run belongs to: its document, for embedding, and its folders."""
        ...

    def progress(self, done: int, total: int, preview: Any = None) -> None:
        """Report `done` of `total`, with an optional preview (a PIL image or latent; the host draws it)."""
        ...

    def check_cancelled(self) -> None:
        """Raise Cancelled if the job was cancelled. Call between steps."""
        ...

    def log(self, message: str) -> None:
        """Record a sentence in the job's log."""
        ...

    def note(self, message: str) -> None:
        """Record a sentence in the log, and in the lock of the pictures that the job saves from now on."""
        ...


class Files(Protocol):
    """Where files lie, by kind: "checkpoints", "loras", "vae", ..., "input", "output", "temp"."""

    def names(self, kind: str) -> Sequence[str]:
        """All names of a kind, with / as separator, sorted."""
        ...

    def find(self, kind: str, name: str) -> Path | None:
        """The path of a named file, or None; never leaves the kind's folders."""
        ...

    def identity(self, kind: str, name: str) -> str:
        """A digest that changes when the file is replaced ("" when it is missing)."""
        ...

    def folder(self, kind: str) -> Path:
        """The first folder of a kind, where new files are written."""
        ...

    def folders(self, kind: str) -> Sequence[Path]:
        """All folders of a kind, whether they exist or not."""
        ...


class Job(Protocol):
    """The facts of a job that nodes may read."""

    @property
    def files(self) -> Files:
        """The folders of this installation."""
        ...

    @property
    def metadata(self) -> dict[str, str]:
        """Texts to embed in pictures, by key: `workflow` (ours), `prompt` (API format)."""
        ...

    def note(self, message: str) -> None:
        """Record a sentence in the lock of pictures whose texts are asked for from now on."""
        ...


@runtime_checkable
class NodeWise(Protocol):
    """A job that looks different to each node: a picture of a sweep carries the values it was made with."""

    def seen_by(self, node: Node) -> Job:
        """The job as a node sees it."""
        ...


class CancelToken(Protocol):
    """Says whether a job was cancelled: a `threading.Event`, or anything with `is_set`."""

    def is_set(self) -> bool:
        """Whether the job is to stop."""
        ...


class NeverCancelled:
    """The token of a job that nobody can cancel."""

    def is_set(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True, slots=True)
class NodeContext:
    """The Context of one run of one node; its events go to `emit`."""

    node_id: str
    job: Job
    emit: Emit
    cancel: CancelToken

    def progress(self, done: int, total: int, preview: Any = None) -> None:
        """Report `done` of `total`; also raises Cancelled if the job was cancelled."""
        self.emit(NodeProgress(self.node_id, done, total, preview))
        self.check_cancelled()

    def check_cancelled(self) -> None:
        """Raise Cancelled if the job was cancelled."""
        if self.cancel.is_set():
            raise Cancelled

    def log(self, message: str) -> None:
        """Record a sentence in the job's log."""
        self.emit(NodeLog(self.node_id, message))

    def note(self, message: str) -> None:
        """Record a sentence in the log, and in the lock of the pictures that the job saves from now on."""
        self.log(message)
        self.job.note(message)
