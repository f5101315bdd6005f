"""A worker answers for its plugins over HTTP: their routes, and what the server itself asks of them."""

import asyncio
import hmac
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from host.plugins.packs import Web
from host.plugins.routes import QUESTION, QUESTIONS, SECRET, Address, Routes
from host.worker.plugin_checks import PluginChecks

LOG: Final = logging.getLogger("darkroom.plugins")
_HERE: Final = "127.0.0.1"
_START_SECONDS: Final = 10.0


def serve_plugins(plugins: Web, checks: PluginChecks) -> Address:
    """Answer from now on, in the plugins' own loop. Raises OSError."""
    secret = secrets.token_urlsafe(32)
    plugins.app.middlewares.insert(0, _for_the_server_alone(secret, _answers(plugins, checks)))
    started = asyncio.run_coroutine_threadsafe(_start(plugins.app), plugins.loop())
    return Address(started.result(_START_SECONDS), secret)


async def _start(app: web.Application) -> int:
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, _HERE, 0)
    await site.start()
    return int(runner.addresses[0][1])


def _for_the_server_alone(secret: str, answers: Mapping[str, Handler]) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get(SECRET, "").encode(), secret.encode()):
            raise web.HTTPForbidden
        return await answers.get(request.headers.get(QUESTION, ""), handler)(request)

    return check


# What the server asks


def _answers(plugins: Web, checks: PluginChecks) -> Mapping[str, Handler]:
    async def change_prompt(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return web.json_response(plugins.change_prompt(body) if plugins.change_prompt else body)

    return dict(zip(QUESTIONS, (change_prompt, checks.values, checks.whole), strict=True))


# Which routes there are


def routes_of(plugins: Web) -> Routes:
    """The routes of plugins as plain values."""
    return Routes(tuple(dict.fromkeys(_patterns(plugins.app))), plugins.change_prompt is not None)


def _patterns(app: web.Application) -> Iterator[tuple[str, str]]:
    for resource in app.router.resources():
        info = cast("Mapping[str, Any]", resource.get_info())
        methods = [route.method for route in resource]
        if "app" in info:
            yield "*", re.escape(str(info["prefix"])) + "(/.*)?"
        elif "directory" in info:
            yield "GET", re.escape(str(info["prefix"])) + "(/.*)?"
        elif "pattern" in info:
            yield from ((method, info["pattern"].pattern) for method in methods)
        elif "path" in info:
            yield from ((method, re.escape(str(info["path"]))) for method in methods)
