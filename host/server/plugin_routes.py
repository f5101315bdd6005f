"""Routes that plugins add: what no route of ours takes and one of theirs does, a worker answers."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from host.folders import PLUGINS
from host.jobs.service import JobService
from host.plugins.routes import QUESTION, Address, RememberedRoutes
from host.server.forwarding import ask_once, forward, headers_for, is_socket
from host.server.keys import FOLDERS, JOBS, SETTINGS
from host.server.security import SAFE, may_ask

PLUGIN_FILES: Final = "what.remains"
"""The name that a route takes whose place any plugin may have: it serves whatever is left."""
WEB_FILES: Final = "web-files-of-plugins"
"""The name of the route of plugins' files for browsers, which lie where their routes are."""
_PATIENCE: Final = 15.0
"""Seconds that a request may wait for a worker that starts."""
_LOOKS: Final = 30
_BETWEEN_LOOKS: Final = 0.1
"""It may take a moment until the server knows that a worker is gone which takes no more requests."""
_API: Final = "/api"


@dataclass(slots=True)
class PluginRoutes:
    """What plugins answer, and the worker that does. roots: where plugins lie."""

    jobs: JobService
    known: RememberedRoutes
    roots: Sequence[Path]
    _patient_until: float | None = None
    _session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """For asking the worker."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),  # one that is kept may be dead already
                middlewares=(ask_once,),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_PATIENCE),
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """Ask no more."""
        if self._session is not None:
            await self._session.close()

    async def takes(self, request: web.Request) -> bool:
        """Whether plugins answer a request. What nobody knows may be of a plugin that just loads."""
        method = "GET" if request.method == "HEAD" else request.method
        if self.known().take(method, request.path):
            return True
        if method == "GET" and not request.path.startswith(f"{_API}/"):
            return False
        await self._first_loading()
        return self.known().take(method, request.path)

    async def _first_loading(self) -> None:
        """Wait until the first worker has loaded the plugins: once, and all requests together."""
        if self._patient_until is None:
            self._patient_until = time.monotonic() + _PATIENCE
        if (left := self._patient_until - time.monotonic()) > 0 and self._are_there():
            await self.jobs.plugin_address(left)

    def _are_there(self) -> bool:
        return any(root.is_dir() and any(root.iterdir()) for root in self.roots)

    async def ask(self, question: str, body: Any, seconds: float, patience: float = 0.0) -> Any:
        """The worker's answer; raises TimeoutError where it does not come in time."""
        try:
            async with asyncio.timeout(seconds + patience):
                address = await self.jobs.plugin_address(patience)
                if address is None:
                    raise TimeoutError("No worker answers for plugins.")
                return await self._answer(address, question, body)
        except (aiohttp.ClientError, ValueError) as error:
            raise TimeoutError(f"The worker did not answer: {error}") from error

    async def _answer(self, address: Address, question: str, body: Any) -> Any:
        headers = {**headers_for(address), QUESTION: question}
        url = f"http://127.0.0.1:{address.port}/"
        async with self.session.post(url, data=json.dumps(body), headers=headers) as reply:
            reply.raise_for_status()
            return json.loads(await reply.read())


PLUGIN_ROUTES: Final = web.AppKey("plugin routes", PluginRoutes)


def add_plugin_routes(app: web.Application) -> None:
    """Let plugins answer what is left. Comes after all middlewares, so that all of them hold here too."""
    routes = PluginRoutes(
        app[JOBS], RememberedRoutes(app[SETTINGS].home / "cache"), app[FOLDERS].folders(PLUGINS)
    )
    app[PLUGIN_ROUTES] = routes
    app.middlewares.append(answer_for_plugins)

    async def close(app: web.Application) -> None:
        await routes.close()

    app.on_cleanup.append(close)


@web.middleware
async def answer_for_plugins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give what is left to the worker."""
    routes = request.app[PLUGIN_ROUTES]
    if not _is_left(request) or not await routes.takes(request):
        return await handler(request)
    if not _is_from_here(request):
        return web.Response(status=403, text="Pages of other sites may not ask a plugin.")
    try:
        return await _answered(request, routes)
    except aiohttp.ClientError as error:
        return _later(f"The worker that answers for plugins broke off: {error or type(error).__name__}.", 502)


async def _answered(request: web.Request, routes: PluginRoutes) -> web.StreamResponse:
    """The reply of the worker; of the next one where it has just died. Raises aiohttp.ClientError."""
    gone: Address | None = None
    for _ in range(_LOOKS):
        address = await routes.jobs.plugin_address(_PATIENCE)
        if address is None:
            break
        if address == gone:
            await asyncio.sleep(_BETWEEN_LOOKS)
            continue
        try:
            return await forward(request, address, routes.session)
        except aiohttp.ClientConnectorError:
            gone = address
    return _later("The worker that answers for plugins is not ready. Try again in a moment.")


def _is_left(request: web.Request) -> bool:
    """Whether no route of ours takes a request, or only one that plugins' own come before."""
    info = request.match_info
    return info.http_exception is not None or info.route.name in (PLUGIN_FILES, WEB_FILES)


def _is_from_here(request: web.Request) -> bool:
    """Whether what changes something, or opens a socket, is asked by a page of this server or by no page."""
    origin = request.headers.get("Origin")
    if not origin or (request.method in SAFE and not is_socket(request)):
        return True
    return may_ask(origin, request.headers.get("Host", ""), request.app[SETTINGS].cors_origin)


def _later(sentence: str, status: int = 503) -> web.Response:
    return web.Response(status=status, text=sentence, headers={"Retry-After": "2"})
