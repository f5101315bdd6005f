"""What a worker answers when its server asks for the checks that plugins' code makes."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from aiohttp import web

from graph.context import Files
from graph.document import Workflow
from graph.registry import Registry
from graph.validation import check
from host.jobs.documents import Texts, from_texts
from host.jobs.model import Payload
from host.plugins.checks import refused_values
from host.server.facts_json import facts_json
from host.server.problems_json import problem_json

Result = TypeVar("Result")
_MOST: Final = 4
"""Checks at once; more than that are there only when some never end."""


@dataclass(slots=True)
class PluginChecks:
    """Plugins' checks of a workflow, each in a thread of its own: one that never ends hinders no other."""

    types: Registry
    files: Files
    _running: set[Future[Any]] = field(default_factory=set[Future[Any]])

    async def whole(self, request: web.Request) -> web.StreamResponse:
        """Everything wrong with a workflow, and the facts of its outputs."""
        payload = await _payload(request)
        return await self._told(lambda: _whole(payload, self.types, self.files))

    async def values(self, request: web.Request) -> web.StreamResponse:
        """What plugins' nodes have against their values, a sentence a node."""
        payload = await _payload(request)
        return await self._told(lambda: _refusals(payload.workflow, self.types))

    async def _told(self, ask: Callable[[], Mapping[str, Any]]) -> web.Response:
        if len(self._running) >= _MOST:
            raise web.HTTPServiceUnavailable(text="Checks of plugins do not end.")
        answer = in_a_thread(ask)
        self._running.add(answer)
        answer.add_done_callback(self._running.discard)
        text = json.dumps(await asyncio.wrap_future(answer), default=str)
        return web.Response(text=text, content_type="application/json")


def in_a_thread(ask: Callable[[], Result]) -> Future[Result]:
    """What a function gives, in a thread that the end of the process does not wait for."""
    answer = Future[Result]()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # code of plugins runs here, which may raise anything
            answer.set_exception(RuntimeError(repr(error)))

    answer.set_running_or_notify_cancel()
    threading.Thread(target=run, name="plugin check", daemon=True).start()
    return answer


async def _payload(request: web.Request) -> Payload:
    told = cast("Mapping[str, str]", await request.json())
    return from_texts(Texts(told["workflow"], told["rest"]))


def _whole(payload: Payload, types: Registry, files: Files) -> Mapping[str, Any]:
    found = check(payload.workflow, types, files, payload.targets)
    return {"problems": [problem_json(item) for item in found.problems], "facts": facts_json(found.facts)}


def _refusals(workflow: Workflow, types: Registry) -> Mapping[str, str]:
    return {
        item.node: item.message.partition("': ")[2] or item.message
        for item in refused_values(workflow, types)
        if item.node is not None
    }
