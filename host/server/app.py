"""The web application: its keys, its middlewares in their order, and its routes."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from graph.registry import Registry
from host.folders import Folders
from host.jobs.service import JobService
from host.server.security import guards
from host.server.settings import Settings
from host.services import Services

JOBS: Final = web.AppKey("jobs", JobService)
SETTINGS: Final = web.AppKey("settings", Settings)
SERVICES: Final = web.AppKey("services", Services)
FOLDERS: Final = web.AppKey("folders", Folders)
TYPES: Final[web.AppKey[Callable[[], Registry]]] = web.AppKey("types")
"""All node types, plugins' included as far as a worker has told them; imports no torch."""


def build_app(
    services: Services,
    settings: Settings,
    folders: Folders,
    jobs: JobService,
    types: Callable[[], Registry],
) -> web.Application:
    """The application, with the routes of `services.extra_routes` last: ours win where both match."""
    app = web.Application(middlewares=guards(settings), client_max_size=settings.largest_upload)
    app[SERVICES], app[SETTINGS], app[FOLDERS] = services, settings, folders
    app[JOBS], app[TYPES] = jobs, types
    services.extra_routes(app)
    return app
