"""Checking a workflow with what only the code of plugins can say: the worker that runs it is asked."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web

from graph.document import Workflow
from graph.problems import Problem, WorkflowError
from graph.validation import check
from host.jobs.documents import to_texts
from host.jobs.model import Payload
from host.plugins.checks import has_own_code
from host.server.facts_json import facts_json
from host.server.keys import FOLDERS, TYPES
from host.server.plugin_routes import PLUGIN_ROUTES
from host.server.problems_json import problem_from

LOG: Final = logging.getLogger("darkroom.plugins")
_SECONDS: Final = 1.0
"""A person who types waits for this; without an answer the rest is told, and the job asks again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything wrong with a workflow, and the known facts of its outputs as JSON."""

    problems: Sequence[Problem]
    facts: Mapping[str, Any]

    @property
    def is_valid(self) -> bool:
        """Whether it can run."""
        return all(item.severity != "error" for item in self.problems)


async def check_whole(app: web.Application, workflow: Workflow, targets: Sequence[str] | None) -> Verdict:
    """Everything wrong with a workflow; without the plugins' part where no worker tells it in time."""
    types = await asyncio.to_thread(app[TYPES])
    if has_own_code(workflow, types):
        try:
            return await _asked(app, workflow, targets)
        except (TimeoutError, WorkflowError, KeyError, TypeError) as error:
            LOG.info("Plugins' own checks were left out: %s", error or "they took too long.")
    found = await asyncio.to_thread(check, workflow, types, app[FOLDERS], targets)
    return Verdict(found.problems, facts_json(found.facts))


async def _asked(app: web.Application, workflow: Workflow, targets: Sequence[str] | None) -> Verdict:
    payload = Payload(workflow, None if targets is None else tuple(targets), {}, {})
    texts = await asyncio.to_thread(to_texts, payload)
    question = {"workflow": texts.workflow, "rest": texts.rest}
    found = cast("Mapping[str, Any]", await app[PLUGIN_ROUTES].ask("check", question, _SECONDS))
    return Verdict([problem_from(item) for item in found["problems"]], found["facts"])
