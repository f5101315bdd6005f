"""ComfyUI's protocol on an application: its conventions, its routes, its socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from aiohttp import web

from compat.server import (
    front_end,
    history,
    internal,
    models,
    node_infos,
    packs,
    prompts,
    queue_routes,
    settings,
    socket_routes,
    system,
    uploads,
    user_data,
    users,
    view,
)
from compat.server.conventions import middlewares
from compat.server.live import LIVE, LiveEvents
from compat.server.surroundings import SURROUNDINGS, Surroundings
from host.server.keys import FOLDERS, JOBS, SERVICES, SETTINGS, TYPES
from host.server.log_book import LogLine, keep_log

_THEMES: Final = (
    prompts,
    queue_routes,
    history,
    node_infos,
    view,
    uploads,
    models,
    system,
    packs,
    users,
    settings,
    user_data,
    internal,
    socket_routes,
)
COMFYUI_FRONT_END: Final = "comfyui"


def add_comfyui(app: web.Application) -> None:
    """Let an application speak ComfyUI's protocol. Raises NoFrontEnd when its front end is missing."""
    around = _surroundings(app)
    app[SURROUNDINGS], app[LIVE] = around, LiveEvents(around.jobs)
    app[node_infos.INFOS] = node_infos.InfoCache()
    app.middlewares.extend(middlewares(around.settings))
    for theme in _THEMES:
        app.add_routes(theme.routes())
    if around.web_root is not None:
        app.add_routes(front_end.routes())
    keep_log(app)
    app.cleanup_ctx.append(_listening)
    app.on_shutdown.append(_say_goodbye)


def _surroundings(app: web.Application) -> Surroundings:
    chosen = app[SETTINGS]
    plugins = chosen.plugins or (chosen.home / "custom_nodes",)
    served = chosen.frontend == COMFYUI_FRONT_END
    return Surroundings(
        folders=app[FOLDERS],
        users=chosen.user or chosen.home / "user",
        types=app[TYPES],
        settings=replace(chosen, plugins=plugins),
        jobs=app[JOBS],
        services=app[SERVICES],
        web_root=front_end.installed_front_end() if served else None,
    )


async def _listening(app: web.Application) -> AsyncIterator[None]:
    """Hear of jobs and of the log while the application runs."""
    live, book, loop = app[LIVE], keep_log(app), asyncio.get_running_loop()

    def pass_on(line: LogLine) -> None:
        if live.log_readers and not loop.is_closed():
            loop.call_soon_threadsafe(live.tell_log, internal.log_entry(line))

    book.listener = pass_on
    unsubscribe = app[JOBS].subscribe(live.hear)
    yield
    unsubscribe()
    book.listener = None


async def _say_goodbye(app: web.Application) -> None:
    await app[LIVE].close()
