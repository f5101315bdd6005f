"""Problems: everything wrong with a workflow, found before it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Repair:
    """A fix that a program can make at the problem's node.

    action: "set" gives the input this value; "link" links it to [node, output]; "remove" takes what the input
    has away; "rename" gives what it has to the input of this name; "retype" makes the node one of this type;
    "unmute" lets the node of this id run; "lora" makes words of a prompt, each with its file and strengths,
    nodes that load it. safe: nothing is guessed and nothing is lost.
    """

    action: Literal["set", "link", "remove", "rename", "retype", "unmute", "lora"]
    value: Any = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a workflow.

    code: stable, for programs ("unknown_node_type"). message: what is wrong and what was expected.
    fix: the nearest fix as a sentence ("" when there is none). severity: a warning does not stop a run.
    repair: the same fix for programs, where one can make it.
    """

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    fix: str = ""
    severity: Literal["error", "warning"] = "error"
    repair: Repair | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class WorkflowError(Exception):
    """A document that cannot be read or run; `problems` says everything that is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def capped(problems: Iterable[Problem], most: int = 1000) -> list[Problem]:
    """The first `most` problems and a last one that counts the rest; errors are kept before warnings."""
    found = list(problems)
    if len(found) <= most:
        return found
    errors = [problem for problem in found if problem.severity == "error"]
    kept = {id(problem) for problem in (errors + [item for item in found if item.severity != "error"])[:most]}
    rest = Problem(
        "more_problems",
        f"There are {len(found) - most} more problems.",
        severity="error" if len(errors) > most else "warning",
    )
    return [*(problem for problem in found if id(problem) in kept), rest]
