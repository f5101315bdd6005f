"""The official front end, served from its package, with its templates and docs where installed."""

from pathlib import Path
from typing import Final

from aiohttp import web

from compat.server.packs import installed_folder
from compat.server.surroundings import surroundings
from host.paths import inside_file
from host.server.plugin_routes import PLUGIN_FILES
from host.server.serving import CannotServe

_PACKAGE: Final = ("comfyui_frontend_package", "static")
_BESIDE: Final = {
    "/templates": ("comfyui_workflow_templates", "templates"),
    "/docs": ("comfyui_embedded_docs", "docs"),
}


class NoFrontEnd(CannotServe):
    """The official front end is not installed."""


def installed_front_end() -> Path:
    """The folder of the installed front end. Raises NoFrontEnd."""
    for folder in installed_folder(*_PACKAGE):
        if (folder / "index.html").is_file():
            return folder
    raise NoFrontEnd(
        "ComfyUI's front end is not installed. Install it with: pip install comfyui-frontend-package"
    )


def routes() -> list[web.RouteDef]:
    """The front end's pages; they come after all other routes, for they take every path that is left."""
    beside = [
        web.get(f"{prefix}/{{file:.+}}", _files_of(folder))
        for prefix, package in _BESIDE.items()
        for folder in installed_folder(*package)
    ]
    return [*beside, web.get("/", page), web.get("/{file:.+}", static_file, name=PLUGIN_FILES)]


async def page(request: web.Request) -> web.StreamResponse:
    """The page itself."""
    return _sent(surroundings(request).web_root, "index.html")


async def static_file(request: web.Request) -> web.StreamResponse:
    """A file of the front end."""
    return _sent(surroundings(request).web_root, request.match_info["file"])


def _files_of(folder: Path):  # noqa: ANN202
    async def send(request: web.Request) -> web.StreamResponse:
        return _sent(folder, request.match_info["file"])

    return send


def _sent(root: Path | None, name: str) -> web.FileResponse:
    path = inside_file(root, name) if root is not None else None
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)
