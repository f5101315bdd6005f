"""A context for calling nodes directly."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class ToyFiles:
    """Folders below one root, a folder a kind."""

    root: Path

    def names(self, kind: str) -> Sequence[str]:
        return sorted(path.name for path in self.folder(kind).iterdir())

    def find(self, kind: str, name: str) -> Path | None:
        path = self.folder(kind) / name
        return path if path.is_file() else None

    def identity(self, kind: str, name: str) -> str:
        return name

    def folder(self, kind: str) -> Path:
        path = self.root / kind
        path.mkdir(exist_ok=True)
        return path

    def folders(self, kind: str) -> Sequence[Path]:
        return [self.folder(kind)]


@dataclass
class ToyJob:
    """A job with folders and texts for pictures."""

    files: ToyFiles
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])

    def note(self, message: str) -> None:
        self.notes.append(message)


@dataclass
class ToyContext:
    """Remembers what a node reported."""

    job: ToyJob
    node_id: str = "node"
    steps: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    cancelled: bool = False

    def progress(self, done: int, total: int, preview: Any = None) -> None:
        assert preview is None or preview.size
        self.steps.append((done, total))

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise InterruptedError

    def log(self, message: str) -> None:
        raise AssertionError(message)

    def note(self, message: str) -> None:
        self.job.note(message)


def context_in(folder: Path, **texts: str) -> ToyContext:
    """A context whose folders lie below `folder`."""
    return ToyContext(ToyJob(ToyFiles(folder), texts))
