"""What a job came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graph.events import NodeFailed, Verdict

JobState = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended.

    outputs: what nodes showed, by node. errors: nodes that failed. verdicts, reasons: for every node of the
    plan, what became of it and why. values: for nodes named as targets, the items of each output by its name.
    """

    state: JobState
    outputs: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict[str, Mapping[str, list[Any]]])
    errors: tuple[NodeFailed, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict[str, Mapping[str, list[Any]]])
    seconds: float = 0.0
