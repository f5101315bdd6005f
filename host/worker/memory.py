"""How much memory this process takes, and took at most since it was asked last."""

import sys
from pathlib import Path
from typing import Any, Final

import psutil

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"


class Peak:
    """The most bytes since `reset`: of the accelerator where one is in use, else of this process."""

    __slots__ = ("_exact", "_process")

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._exact = True

    def reset(self) -> None:
        """Count from now."""
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()
        elif self._exact:
            try:
                _CLEAR.write_text(_RESET_PEAK)
            except OSError:
                self._exact = False

    def bytes(self) -> int:
        """The most bytes since then; where the system does not say, those of now."""
        cuda = _cuda()
        if cuda is not None:
            return int(cuda.max_memory_allocated())
        return (_high_water() if self._exact else 0) or self._process.memory_info().rss


def _high_water() -> int:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return 0
    return 0


def _cuda() -> Any:
    """torch.cuda once something has used it, else None."""
    cuda: Any = sys.modules.get("torch.cuda")
    return cuda if cuda is not None and cuda.is_initialized() else None
