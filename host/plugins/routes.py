"""Plugins' HTTP routes as plain values: which there are, and where the worker that answers them listens."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from host.atomic import write_atomically

FILE: Final = "plugins-routes.json"
SECRET: Final = "X-Darkroom-Secret"
"""The header by which a worker knows that its own server asks."""
QUESTION: Final = "X-Darkroom-Question"
"""The header of what the server itself asks: one of QUESTIONS; never passed on from outside."""
QUESTIONS: Final = ("change_prompt", "check_values", "check")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a worker answers for plugins: a port of this machine, and what it must be told to answer."""

    port: int
    secret: str


@dataclass(frozen=True, slots=True)
class Routes:
    """patterns: (method or "*", expression of the whole path). changes_prompts: plugins see prompts first."""

    patterns: Sequence[tuple[str, str]] = ()
    changes_prompts: bool = False

    def take(self, method: str, path: str) -> bool:
        """Whether plugins answer this."""
        return any(
            known in ("*", method) and _expression(pattern).fullmatch(path)
            for known, pattern in self.patterns
        )


@lru_cache(maxsize=2000)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def write_routes(cache: Path, routes: Routes) -> None:
    """Remember plugins' routes for the server, and for its next start."""
    told = {"patterns": list(routes.patterns), "changes_prompts": routes.changes_prompts}
    write_atomically(cache / FILE, json.dumps(told).encode())


@dataclass(slots=True)
class RememberedRoutes:
    """The routes that a worker told of last."""

    cache: Path
    _mark: tuple[int, int] | None = None
    _routes: Routes = field(default_factory=Routes)

    def __call__(self) -> Routes:
        """The routes."""
        mark = _mark(self.cache / FILE)
        if mark != self._mark:
            self._routes, self._mark = _read(self.cache / FILE), mark
        return self._routes


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino


def _read(path: Path) -> Routes:
    try:
        told = cast("Mapping[str, Any]", json.loads(path.read_text("utf-8")))
        patterns = tuple((str(method), str(pattern)) for method, pattern in told["patterns"])
        for _, pattern in patterns:
            _expression(pattern)
        return Routes(patterns, bool(told["changes_prompts"]))
    except (OSError, ValueError, KeyError, TypeError, re.error):
        return Routes()
