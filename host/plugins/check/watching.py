"""Seeing what a plugin's code does to the machine: network, files, other programs."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from host.folders import SOURCES

_NETWORK: Final = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.bind",
    "socket.sendto",
)
_PROGRAMS: Final = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
_CHANGES: Final = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
    "os.link",
    "os.symlink",
)
_IMPORTING: Final = "<frozen importlib"
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_SYSTEM: Final = ("/proc", "/sys", "/dev", "/etc", "/usr")


@dataclass(slots=True)
class Watch:
    """What the code in a folder did while watched: sentences by capability. own: folders that it may use."""

    code: str
    own: Sequence[Path]
    seen: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _on: bool = False

    def start(self) -> None:
        """Hear of everything from now on; Python has no way to stop that."""
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Generator[None]:
        """What happens inside counts."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    def _hear(self, event: str, told: tuple[Any, ...]) -> None:
        if not self._on or (event != "open" and event not in (*_NETWORK, *_PROGRAMS, *_CHANGES)):
            return
        self._on = False
        try:
            if (found := self._meaning(event, told)) and self._is_its(sys._getframe(1)):  # pyright: ignore[reportPrivateUsage]
                self.seen.setdefault(found[0], set()).add(found[1])
        finally:
            self._on = True

    def _meaning(self, event: str, told: tuple[Any, ...]) -> tuple[str, str] | None:
        if event in _NETWORK:
            return "network", f"it used the network ({event})"
        if event in _PROGRAMS:
            return "subprocess", f"it started another program ({_short(told)})"
        if event == "open":
            return self._opened(*told)
        return None if self._is_own(told[0]) else ("files", f"it changed {_short(told)}")

    def _opened(self, path: Any, mode: Any, flags: Any) -> tuple[str, str] | None:
        if not isinstance(path, str | bytes):
            return None
        writes = bool(isinstance(flags, int) and flags & _WRITING)
        if self._is_own(path) or (not writes and _is_of_python(path)):
            return None
        return "files", f"it {'wrote' if writes else 'read'} {os.fsdecode(path)}"

    def _is_own(self, path: Any) -> bool:
        try:
            full = Path(os.fsdecode(path)).resolve()
        except (TypeError, ValueError, OSError):
            return True
        return full.suffix == ".pyc" or any(full.is_relative_to(folder) for folder in self.own)

    def _is_its(self, frame: FrameType | None) -> bool:
        """Whether the plugin's code asked for it, and not a module that is being imported."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(_IMPORTING):
                return False
            if name.startswith(self.code):
                return True
            frame = frame.f_back
        return False


def _short(told: tuple[Any, ...]) -> str:
    first = told[0] if told else "?"
    return (os.fsdecode(first) if isinstance(first, bytes) else str(first))[:200]


def _is_of_python(path: str | bytes) -> bool:
    """Whether a file is Python's, the system's or Darkroom's own code, which everything reads."""
    places = (sys.prefix, sys.base_prefix, str(SOURCES), *_SYSTEM)
    full = str(Path(os.fsdecode(path)).absolute())
    return any(full == place or full.startswith(f"{place}/") for place in places)
