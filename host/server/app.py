"""The web application: its keys, its middlewares in their order, and its routes."""

from asyncio import Semaphore
from collections.abc import Callable
from threading import Lock
from typing import Final

from aiohttp import web

from graph.registry import Registry
from host.folders import Folders
from host.jobs.service import JobService
from host.plugins.hooks import CORE, asked, new_hooks
from host.server import (
    assets,
    editor_page,
    files,
    inspection,
    jobs_actions,
    jobs_events,
    jobs_listing,
    masks,
    me,
    missing,
    models,
    node_schemas,
    openapi,
    plugin_switch,
    plugins,
    prompts,
    system,
    templates,
    user_settings,
    workflows,
)
from host.server.asset_files import AssetList
from host.server.assets import ASSETS
from host.server.hub import EventHub
from host.server.keys import FOLDERS, HUB, JOBS, METRICS, SERVICES, SETTINGS, TYPES
from host.server.log_book import keep_log
from host.server.metrics import Metrics
from host.server.models import find_facts
from host.server.node_schemas import SCHEMAS, SchemaCache
from host.server.plugin_routes import add_plugin_routes
from host.server.routing import ROUTES, Route, by_place, route_of, routes_in
from host.server.security import Role, add_headers, guards, role_of_foreign
from host.server.settings import Settings
from host.server.small_pictures import AT_ONCE, DRAWING
from host.server.workflows import SAVING
from host.services import Services

OUR_ROUTES: Final[tuple[Route, ...]] = routes_in(
    jobs_listing,
    jobs_actions,
    jobs_events,
    workflows,
    missing,
    templates,
    node_schemas,
    models,
    assets,
    masks,
    files,
    plugins,
    plugin_switch,
    prompts,
    user_settings,
    inspection,
    me,
    system,
    openapi,
)
OUR_EDITOR: Final = "darkroom"
_OPEN: Final = ("/healthz", "/readyz")


def build_app(
    services: Services,
    settings: Settings,
    folders: Folders,
    jobs: JobService,
    types: Callable[[], Registry],
) -> web.Application:
    """The application, with the routes of `services.extra_routes` last: ours win where both match."""
    app = web.Application(middlewares=guards(settings, role_of), client_max_size=settings.largest_upload)
    app[SERVICES], app[SETTINGS], app[FOLDERS] = services, settings, folders
    app[JOBS], app[TYPES] = jobs, types
    app[HUB], app[METRICS] = EventHub(jobs), Metrics(jobs)
    app[SAVING], app[SCHEMAS] = Lock(), SchemaCache()
    app[ASSETS], app[DRAWING] = AssetList(), Semaphore(AT_ONCE)
    find_facts(app)
    app.on_response_prepare.append(add_headers)
    app[ROUTES] = by_place(OUR_ROUTES)
    app.add_routes(_routes_of_core())
    keep_log(app, (*settings.tokens, settings.webhook_secret))
    app.add_routes(plugins.file_routes())
    services.extra_routes(app)
    if settings.frontend == OUR_EDITOR:
        app.add_routes(editor_page.routes())
    add_plugin_routes(app)
    return app


def _routes_of_core() -> web.RouteTableDef:
    """The routes that the core brings by its hook; those of plugins are answered by workers."""
    table = web.RouteTableDef()
    for _ in asked(new_hooks(), "register_routes", CORE, routes=table):
        pass
    return table


def role_of(request: web.Request) -> Role | None:
    """The role that a request needs."""
    if request.path in _OPEN:
        return None
    found = route_of(request)
    return found.role if found is not None else role_of_foreign(request)
