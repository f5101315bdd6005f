"""The routes that serve the editor: the page at / and what it loads below /editor/."""

from pathlib import Path
from typing import Final

from aiohttp import web

from host.folders import SOURCES
from host.paths import inside_file

BUILT: Final = SOURCES / "web" / "dist"
COMMAND: Final = "cd web && npm ci && npm run build"
_NOT_BUILT: Final = (
    "<!doctype html><title>Darkroom</title><body style='font:16px system-ui;margin:15vh auto;max-width:34em'>"
    "<h1>The editor is not built yet</h1><p>With Node.js 20 or later, run this in Darkroom's folder and load "
    f"this page again:</p><pre>{COMMAND}</pre><p>The API works without it.</p>"
)
_POLICY: Final = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_FOREVER: Final = "private, max-age=31536000, immutable"


def routes(built: Path = BUILT) -> list[web.RouteDef]:
    """The editor as it lies in a folder; the files below editor/ bear a digest in their names."""

    async def page(request: web.Request) -> web.StreamResponse:
        path = built / "index.html"
        if not path.is_file():
            return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
        policy = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return web.FileResponse(path, headers=policy)

    async def file(request: web.Request) -> web.StreamResponse:
        path = inside_file(built / "editor", request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": _FOREVER})

    return [web.get("/", page), web.get("/editor/{file:.+}", file)]
