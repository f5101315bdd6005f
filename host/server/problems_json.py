"""Problems as JSON, and back: as the API tells them, and a worker its server."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from graph.problems import Problem, Repair


def problem_json(found: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {
        "code": found.code,
        "message": found.message,
        "fix": found.fix,
        "node": found.node,
        "input": found.input,
        "severity": found.severity,
        "repair": None if (repair := found.repair) is None else asdict(repair),
    }


def problem_from(told: Mapping[str, Any]) -> Problem:
    """The problem of `problem_json`. Raises TypeError or KeyError for anything else."""
    fields: dict[str, Any] = {**told, "repair": told["repair"] and Repair(**told["repair"])}
    return Problem(**fields)
