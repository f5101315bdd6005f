"""How much memory this process takes, and took at most since it was asked last."""

import os
import sys
from typing import Any, Final

import psutil

_STATUS: Final = "/proc/self/status"
_CLEAR: Final = "/proc/self/clear_refs"
_RESET_PEAK: Final = b"5"
_LINE: Final = b"VmHWM:"


class Peak:
    """The most bytes since `reset`: of the accelerator where one is in use, else of this process."""

    __slots__ = ("_clear", "_process", "_status")

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._status, self._clear = _opened(_STATUS, os.O_RDONLY), _opened(_CLEAR, os.O_WRONLY)

    def reset(self) -> None:
        """Count from now."""
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()
        elif self._clear >= 0:
            try:
                os.pwrite(self._clear, _RESET_PEAK, 0)
            except OSError:
                self._clear = -1

    def bytes(self) -> int:
        """The most bytes since then; where the system does not say, those of now."""
        cuda = _cuda()
        if cuda is not None:
            return int(cuda.max_memory_allocated())
        return self._high_water() or self._process.memory_info().rss

    def _high_water(self) -> int:
        if self._status < 0 or self._clear < 0:
            return 0
        try:
            text = os.pread(self._status, 4096, 0)
        except OSError:
            return 0
        words = text.partition(_LINE)[2].split(None, 1)
        return int(words[0]) * 1024 if words else 0


def _opened(path: str, how: int) -> int:
    """A file that stays open, -1 where there is none."""
    try:
        return os.open(path, how | os.O_CLOEXEC)
    except OSError:
        return -1


def _cuda() -> Any:
    """torch.cuda once something has used it, else None."""
    cuda: Any = sys.modules.get("torch.cuda")
    return cuda if cuda is not None and cuda.is_initialized() else None
