"""Routes about plugins: what became of each, and their files for browsers. None of their code is run."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from aiohttp import web
from pydantic import BaseModel

from host.folders import PLUGINS
from host.paths import inside_file
from host.plugins.found import DISABLED, entries, find_plugins, folder_name, is_ours, pack_of
from host.plugins.lock import disabled_in
from host.plugins.packs import Pack, State
from host.plugins.remembered import read_packs
from host.server.etags import is_known, quoted, tag_of, unchanged
from host.server.keys import FOLDERS, SETTINGS, TYPES
from host.server.plugin_routes import WEB_FILES
from host.server.routing import route, told

MEDIA: Final = {
    ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json",
    ".map": "application/json", ".txt": "text/plain", ".wasm": "application/wasm", ".png": "image/png",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
    ".avif": "image/avif", ".svg": "image/svg+xml", ".woff": "font/woff", ".woff2": "font/woff2",
    ".ttf": "font/ttf",
}  # fmt: skip
"""What files of plugins are sent as, by ending; all others are plain bytes."""
_PLAIN: Final = "application/octet-stream"


class PluginShape(BaseModel):
    """A plugin. state: disabled ones are not loaded, waiting ones not yet; crashed ones ended a process.

    message: why it does not work; trace: where that was raised; notes: what else there is to know.
    capabilities: what it says it does beside computing, which packs of ComfyUI cannot say.
    """

    name: str
    kind: str
    state: State
    version: str
    description: str
    message: str
    trace: str
    notes: list[str]
    nodes: list[str]
    samplers: list[str]
    schedules: list[str]
    modules: list[str]
    capabilities: list[str]
    seconds: float


class Plugins(BaseModel):
    """All plugins; clashes: names of node types that several of them want, in sentences."""

    plugins: list[PluginShape]
    clashes: list[str]


class PluginModules(BaseModel):
    """The addresses of ES modules, in the order of their plugins."""

    modules: list[str]


@route("GET", "/plugins", "All plugins, with what became of each", reply=Plugins)
async def list_plugins(request: web.Request) -> web.StreamResponse:
    """As a worker found them when it last loaded them; those that do not work too."""
    packs = await asyncio.to_thread(_all, request)
    types = await asyncio.to_thread(request.app[TYPES])
    return told(
        {"plugins": [_shape(pack) for pack in packs], "clashes": [str(clash) for clash in types.clashes]}
    )


@route("GET", "/plugins/modules", "The modules that plugins bring to the editor", reply=PluginModules)
async def list_modules(request: web.Request) -> web.StreamResponse:
    """Of the plugins that loaded the last time a worker did."""
    packs = await asyncio.to_thread(read_packs, request.app[SETTINGS].home / "cache")
    found = [address for pack in packs if pack.state == "loaded" for address in pack.modules]
    return told({"modules": list(dict.fromkeys(found))})


def file_routes() -> list[web.RouteDef]:
    """The route of the files that plugins of ours have for browsers."""
    return [web.get("/plugins/{name}/{file:.+}", get_file, name=WEB_FILES)]


async def get_file(request: web.Request) -> web.StreamResponse:
    """A file in the folder `web` of a plugin that works."""
    name, file = request.match_info["name"], request.match_info["file"]
    path = await asyncio.to_thread(_file, request, name, file)
    if path is None:
        raise web.HTTPNotFound
    data = await asyncio.to_thread(path.read_bytes)
    tag = tag_of(data)
    if is_known(request, tag):
        return unchanged(tag)
    headers = {**quoted(tag), "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if path.suffix == ".svg":
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return web.Response(body=data, content_type=MEDIA.get(path.suffix.lower(), _PLAIN), headers=headers)


def _file(request: web.Request, name: str, file: str) -> Path | None:
    packs = read_packs(request.app[SETTINGS].home / "cache")
    found = next((pack for pack in packs if pack.name == name and pack.kind == "native"), None)
    if found is None or found.state != "loaded" or not found.web:
        return None
    return inside_file(Path(found.web), file)


def _all(request: web.Request) -> list[Pack]:
    """The plugins that a worker knew and that are still there, then those that it did not."""
    roots = request.app[FOLDERS].folders(PLUGINS)
    known = {pack.path: pack for pack in read_packs(request.app[SETTINGS].home / "cache")}
    there = {pack.path: pack for pack in _there(roots)}
    packs = [_as_it_is(pack, there) for pack in known.values() if Path(pack.path).exists()]
    return [*packs, *(pack for path, pack in there.items() if path not in known)]


def _as_it_is(pack: Pack, there: dict[str, Pack]) -> Pack:
    """A plugin that was turned off since a worker loaded it, or turned on."""
    now = there.get(pack.path)
    if now is None or (now.state == "disabled") == (pack.state == "disabled"):
        return pack
    return replace(pack, state=now.state)


def _there(roots: Sequence[Path]) -> Iterator[Pack]:
    """What lies in the folders of plugins now; their code is not run."""
    for found in find_plugins(roots):
        yield replace(pack_of(found), state="waiting" if found.enabled else "disabled", message=found.trouble)
    for root in roots:
        off = disabled_in(root)
        for path in entries(root):
            if not is_ours(path):
                name = folder_name(path)
                is_off = path.name.endswith(DISABLED) or name in off
                yield Pack(name, str(path), "disabled" if is_off else "waiting")


def _shape(pack: Pack) -> dict[str, object]:
    told = pack.to_json()
    return {name: told[name] for name in cast("dict[str, object]", PluginShape.model_fields)}
