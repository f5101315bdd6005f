"""Why a worker died: its signal in words, and whether the system ran out of memory."""

import signal
from pathlib import Path
from typing import Final

_COUNTS: Final = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat"))
_SENTENCES: Final = {
    "SIGSEGV": "code outside Python went wrong (SIGSEGV)",
    "SIGBUS": "a file it was reading changed or the disk failed (SIGBUS)",
    "SIGILL": "it was built for another processor (SIGILL)",
    "SIGABRT": "code outside Python gave up (SIGABRT)",
    "SIGFPE": "it divided by zero outside Python (SIGFPE)",
}


def out_of_memory_kills() -> int:
    """How often the system killed a process for memory so far; it only matters whether this grows."""
    return sum(map(_count, _COUNTS))


def _count(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith("oom_kill "))
    return sum(int(words[1]) for words in found)


def cause(code: int, kills_before: int) -> str:
    """Why a process ended with this exit code (negative: a signal), as the end of "the worker died: "."""
    if code >= 0:
        return f"it ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL" and out_of_memory_kills() > kills_before:
        return "the machine ran out of memory (SIGKILL)"
    if name == "SIGKILL":
        return "it was killed (SIGKILL); the system does that when memory runs out"
    return _SENTENCES.get(name, f"it was ended by {name}")
