"""What is known of model files, found out one file at a time in a thread of its own, the wanted first."""

import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.lock import Hashes

_MOST_REMEMBERED: Final = 20_000

Mark = tuple[Path, int, int]
"""A file as it is: its path, size in bytes and time in nanoseconds."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a file's header says. kind: "checkpoint", "lora", ...; trouble: why it cannot be read, or ""."""

    kind: str
    family: str | None
    precision: str
    trouble: str = ""


class FactFinder:
    """Reads headers and hashes files in the background; what it found holds while files stay as they are.

    Hashes are kept on disk too, in the file that runs use.
    """

    def __init__(self, hashes: Hashes) -> None:
        self.hashes = hashes
        self._facts = dict[Mark, ModelFacts]()
        self._waiting = set[tuple[str, Mark]]()
        self._failed = set[Mark]()
        self._jobs = queue.SimpleQueue[tuple[str, Mark] | None]()
        self._thread: threading.Thread | None = None

    def facts(self, mark: Mark) -> ModelFacts | None:
        """The facts of a file; None until they are found, which this begins."""
        found = self._facts.get(mark)
        if found is None:
            self._want("facts", mark)
        return found

    def find_hashes(self, marks: Iterable[Mark]) -> None:
        """Find out the SHA-256 of files; `hashes.known` has them then."""
        for mark in marks:
            if mark not in self._failed:
                self._want("hash", mark)

    def is_busy_with(self, marks: Iterable[Mark]) -> bool:
        """Whether something of these files is still to be found out."""
        wanted = set(marks)
        return any(mark in wanted for _, mark in tuple(self._waiting))

    def close(self) -> None:
        """Begin no more; a file that is being hashed does not hold up the end of the process."""
        self._waiting.clear()
        self._jobs.put(None)

    def _want(self, what: str, mark: Mark) -> None:
        if (what, mark) in self._waiting:
            return
        self._waiting.add((what, mark))
        self._jobs.put((what, mark))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="model facts", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job in self._waiting:
                self._find(*job)
                self._waiting.discard(job)

    def _find(self, what: str, mark: Mark) -> None:
        if what == "facts":
            if mark in self._facts:  # found while it was asked for again
                return
            if len(self._facts) >= _MOST_REMEMBERED:
                self._facts.clear()
            self._facts[mark] = read_facts(mark[0])
            return
        try:
            self.hashes.of(mark[0])
        except OSError:
            self._failed.add(mark)


def read_facts(path: Path) -> ModelFacts:
    """What a model file's header says; never raises for what is in the file."""
    from diffusion.errors import DiffusionError
    from diffusion.probe import probe

    try:
        found = probe(path)
    except (DiffusionError, OSError) as error:
        return ModelFacts("unknown", None, "", str(error))
    except Exception as error:  # whatever lies in a folder of models must not end the thread
        return ModelFacts("unknown", None, "", f"{path.name} cannot be read: {type(error).__name__}.")
    return ModelFacts(found.kind, found.family, found.precision)


def mark_of(path: Path) -> Mark | None:
    """A file as it is; None when it is gone."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return path, facts.st_size, facts.st_mtime_ns
