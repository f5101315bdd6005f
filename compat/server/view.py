"""GET /view: a picture or other file of the output, input or temp folder, whole or as a preview."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from compat.server.replies import both
from compat.server.served_files import file_headers, file_reply
from compat.server.surroundings import surroundings
from host.folders import WORK_KINDS
from host.paths import inside, inside_file
from host.pictures import opened

if TYPE_CHECKING:
    from PIL import Image

_QUALITY: Final = 90


def routes() -> list[web.RouteDef]:
    """The route of pictures."""
    return both("GET", "/view", view)


async def view(request: web.Request) -> web.StreamResponse:
    """The file that a query names; a preview or one of its channels where that is asked."""
    path = _asked(request)
    query = request.query
    preview, channel = query.get("preview"), query.get("channel", "")
    if preview is None and channel not in ("rgb", "a"):
        return file_reply(path)
    try:
        body, type = await asyncio.to_thread(_drawn, path, preview, channel)
    except (OSError, SyntaxError, ValueError):  # no picture: there is nothing to show of it
        return web.Response(status=400)
    return web.Response(body=body, headers=file_headers(path.name) | {"Content-Type": type})


def _asked(request: web.Request) -> Path:
    name, kind = annotated(request.query.get("filename", ""), request.query.get("type", "output"))
    if not name:
        raise web.HTTPNotFound
    if name.startswith(("/", "\\")) or ".." in name or "\0" in name or kind not in WORK_KINDS:
        raise web.HTTPBadRequest
    root = surroundings(request).folders.folder(kind)
    subfolder = request.query.get("subfolder", "")
    if inside(root, subfolder) is None:
        raise web.HTTPForbidden
    path = inside_file(root, subfolder, name.replace("\\", "/").rpartition("/")[2])
    if path is None:
        raise web.HTTPNotFound
    return path


def annotated(name: str, kind: str) -> tuple[str, str]:
    """A file's name and folder, where the name may itself say the folder: "cat.png [input]"."""
    for work in WORK_KINDS:
        if name.endswith(f" [{work}]"):
            return name.removesuffix(f" [{work}]"), work
    return name, kind


def _drawn(path: Path, preview: str | None, channel: str) -> tuple[bytes, str]:
    with opened(path) as picture:
        if preview is not None:
            return _preview(picture, preview, channel)
        return _saved(_rgb(picture) if channel == "rgb" else _alpha(picture), "png")


def _preview(picture: "Image.Image", asked: str, channel: str) -> tuple[bytes, str]:
    form, _, quality = asked.partition(";")
    form = form if form in ("webp", "jpeg") and "a" not in channel else "webp"
    if form == "jpeg" or channel == "rgb":
        picture = picture.convert("RGB")
    asked_quality = int(quality) if quality.isascii() and quality.isdigit() else _QUALITY
    return _saved(picture, form, min(asked_quality, 100))


def _rgb(picture: "Image.Image") -> "Image.Image":
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    red, green, blue, _ = picture.split()
    return _merged("RGB", (red, green, blue))


def _alpha(picture: "Image.Image") -> "Image.Image":
    """Black, with the alpha of the picture: what the mask editor reads."""
    from PIL import Image

    whole = picture.convert("RGBA")
    black = Image.new("RGBA", whole.size)
    black.putalpha(whole.getchannel("A"))
    return black


def _merged(mode: str, bands: tuple["Image.Image", ...]) -> "Image.Image":
    from PIL import Image

    return Image.merge(mode, bands)


def _saved(picture: "Image.Image", form: str, quality: int | None = None) -> tuple[bytes, str]:
    file = BytesIO()
    if quality is None:
        picture.save(file, form)
    else:
        picture.save(file, form, quality=quality)
    return file.getvalue(), f"image/{form}"
