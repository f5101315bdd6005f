"""The route of what plugins bring to the editor: ES modules, which only the browser runs."""

import asyncio

from aiohttp import web
from pydantic import BaseModel

from host.plugins.remembered import read_packs
from host.server.keys import SETTINGS
from host.server.routing import route, told


class PluginModules(BaseModel):
    """The addresses of ES modules, in the order of their plugins."""

    modules: list[str]


@route("GET", "/plugins/modules", "The modules that plugins bring to the editor", reply=PluginModules)
async def list_modules(request: web.Request) -> web.StreamResponse:
    """Of the plugins that loaded the last time a worker did."""
    packs = await asyncio.to_thread(read_packs, request.app[SETTINGS].home / "cache")
    found = [address for pack in packs if pack.state == "loaded" for address in pack.modules]
    return told({"modules": list(dict.fromkeys(found))})
