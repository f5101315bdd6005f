"""Routes that turn plugins off and on, as `darkroom plugin disable` does."""

from aiohttp import web
from pydantic import BaseModel

from host.folders import PLUGINS
from host.plugins.installing import InstallError, is_installed, place_of, set_enabled
from host.plugins.lock import FILE
from host.server.keys import FOLDERS, JOBS
from host.server.refusals import Refused, missing, writing
from host.server.routing import route, told


class Switched(BaseModel):
    """A plugin, and whether it is to be loaded."""

    name: str
    enabled: bool


_REPLIES = {404: "There is no such plugin", 409: "plugins.lock cannot be used"}


@route(
    "POST",
    "/plugins/{name}/enable",
    "Load a plugin again",
    "admin",
    reply=Switched,
    status=202,
    replies=_REPLIES,
)
async def enable_plugin(request: web.Request) -> web.StreamResponse:
    """Each worker does it after its current job."""
    return _switch(request, True)


@route(
    "POST",
    "/plugins/{name}/disable",
    "Load a plugin no more",
    "admin",
    reply=Switched,
    status=202,
    replies=_REPLIES,
)
async def disable_plugin(request: web.Request) -> web.StreamResponse:
    """Each worker lets go of it after its current job; its files stay."""
    return _switch(request, False)


def _switch(request: web.Request, enabled: bool) -> web.StreamResponse:
    """In the event loop, so that no two write the lock at once; it is small."""
    name = request.match_info["name"]
    roots = request.app[FOLDERS].folders(PLUGINS)
    places = [root for root in roots if place_of(root, name)] or (roots[:1] if is_installed(name) else ())
    if not places:
        raise missing("plugin", name, "GET /api/v1/plugins names them.")
    try:
        with writing(FILE):
            set_enabled(places[0], name, enabled)
    except InstallError as error:
        raise Refused(409, "lock_unusable", str(error)) from None
    request.app[JOBS].renew_workers(f"{name} was turned {'on' if enabled else 'off'}")
    return told({"name": name, "enabled": enabled}, 202)
