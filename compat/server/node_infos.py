"""GET /object_info: all node types, told from their specs; made once and again when a file list changes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from compat.clashes import last_of
from compat.object_info import object_info, object_infos
from compat.server.leaned_on import leaned_on_infos
from compat.server.replies import both, json_text, told
from compat.server.surroundings import Surroundings, surroundings
from graph.registry import Registry
from graph.spec import FileChoice


@dataclass(slots=True)
class InfoCache:
    """The last answer, and what it rests on."""

    types: Registry | None = None
    names: tuple[tuple[str, ...], ...] = ()
    body: bytes = b""

    def answer(self, around: Surroundings) -> bytes:
        """All node types as JSON."""
        types = around.types()
        kinds = sorted(_file_kinds(types))
        names = tuple(tuple(around.folders.names(kind)) for kind in kinds)
        if types is not self.types or names != self.names:
            known = dict(zip(kinds, names, strict=True))
            infos = object_infos(types, lambda kind: known.get(kind, ()))
            if around.web_root is not None:
                infos |= leaned_on_infos(types, around.folders.names)
            self.body = json_text(infos).encode()
            self.types, self.names = types, names
        return self.body


INFOS: Final = web.AppKey("infos", InfoCache)


def routes() -> list[web.RouteDef]:
    """The routes of node types."""
    return [*both("GET", "/object_info", all_infos), *both("GET", "/object_info/{type}", one_info)]


async def all_infos(request: web.Request) -> web.StreamResponse:
    """Every node type."""
    body = await asyncio.to_thread(request.app[INFOS].answer, surroundings(request))
    return web.Response(body=body, content_type="application/json", charset="utf-8")


async def one_info(request: web.Request) -> web.StreamResponse:
    """One node type, or an empty object."""
    around, name = surroundings(request), request.match_info["type"]
    types = around.types()
    spec = types.get(name) or types.get(last_of(name, types) or "")
    found: dict[str, Any] = {} if spec is None else {name: object_info(spec, types, around.folders.names)}
    return told(found)


def _file_kinds(types: Registry) -> Iterable[str]:
    inputs = (input for spec in types for input in spec.inputs)
    return {input.widget.kind for input in inputs if isinstance(input.widget, FileChoice)}
