"""The route that serves what jobs made and what was uploaded."""

import mimetypes
from typing import Final
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field

from host.folders import WORK_KINDS
from host.paths import inside_file
from host.server.keys import FOLDERS
from host.server.routing import problem, query_of, route

SHOWN: Final = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "image/avif",
        "audio/mpeg",
        "audio/flac",
        "audio/ogg",
        "audio/x-wav",
        "video/mp4",
        "video/webm",
        "application/json",
    }
)
"""Types that a browser may show; all else is bytes to save."""


class FileQuery(BaseModel):
    """Which file of a folder."""

    name: str = Field(max_length=4096, description="Its path in the folder, with / between parts.")


@route(
    "GET",
    "/files/{kind}",
    "A file of the input, output or temp folder",
    query=FileQuery,
    media="application/octet-stream",
    replies={404: "There is no such file."},
)
async def get_file(request: web.Request) -> web.StreamResponse:
    """Ranges and conditional requests work."""
    kind, name = request.match_info["kind"], query_of(request, FileQuery).name
    places = request.app[FOLDERS].places.get(kind, ()) if kind in WORK_KINDS else ()
    path = next((path for root in places if (path := inside_file(root, name)) is not None), None)
    if path is None or not name:
        return problem("no_file", "There is no such file.", 404)
    guessed, encoding = mimetypes.guess_type(path.name)
    shown = guessed in SHOWN and encoding is None
    where = "inline" if shown else "attachment"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": guessed if shown and guessed else "application/octet-stream",
            "Content-Disposition": f"{where}; filename*=UTF-8''{quote(path.name)}",
            "Cache-Control": "private, no-cache",
        },
    )
