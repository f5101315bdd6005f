"""What a check of a plugin found: each a sentence with a way to mend it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

State = Literal["good", "warning", "error", "skipped"]
CHECKS: Final[Mapping[str, str]] = {
    "manifest": "plugin.toml is right",
    "loading": "it loads",
    "import time": "it loads quickly, without torch",
    "capabilities": "it does what plugin.toml says, and no more",
    "docs": "nodes and inputs say what they are",
    "outputs": "nodes give what they declare",
    "inputs kept": "nodes leave their inputs alone",
    "determinism": "the same inputs give the same outputs",
    "cancelling": "nodes stop when their job is cancelled",
    "memory": "nodes let go of memory",
    "cache key": "results can be kept",
    "tests": "its own tests pass",
}
"""Every check, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, at one node or as a whole ("")."""

    check: str
    state: State
    message: str
    fix: str = ""
    node: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def finding_from(told: Mapping[str, Any]) -> Finding:
    """The finding of `Finding.to_json`."""
    return Finding(**told)
