"""POST /upload/image and /upload/mask: files that clients put into the input, temp or output folder."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

from aiohttp import web

from compat.server.replies import both, broken, is_yes, told
from compat.server.surroundings import surroundings
from compat.server.view import annotated
from host.folders import WORK_KINDS, Folders
from host.masks import texts_of, with_alpha
from host.paths import inside, inside_file
from host.pictures import opened
from host.settling import settle


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in: its name as the client has it, what it holds, and where it is to go."""

    name: str
    data: bytes
    kind: str
    subfolder: str
    overwrite: bool
    fields: dict[str, str]


def routes() -> list[web.RouteDef]:
    """The routes of uploads."""
    return [*both("POST", "/upload/image", upload_image), *both("POST", "/upload/mask", upload_mask)]


async def upload_image(request: web.Request) -> web.StreamResponse:
    """Keep a file of any kind; says under which name."""
    upload = await _read(request)
    folders = surroundings(request).folders
    return await asyncio.to_thread(_kept, folders, upload, lambda: upload.data)


async def upload_mask(request: web.Request) -> web.StreamResponse:
    """Keep the picture that `original_ref` names, with the transparency of the one sent."""
    upload = await _read(request)
    original = _reference(upload)
    if upload.name.startswith("/") or ".." in upload.name:
        return web.Response(status=400)
    folders = surroundings(request).folders
    return await asyncio.to_thread(_kept_mask, folders, upload, original)


async def _read(request: web.Request) -> Upload:
    """The form of a request. Raises 500 where it is no form, 400 where it holds no file."""
    if not request.content_type.startswith("multipart/"):
        raise broken()
    try:
        form = await request.post()
    except (ValueError, LookupError, AssertionError, RuntimeError):  # what a broken form can raise
        raise web.HTTPBadRequest from None
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    kind = fields.get("type", "input")
    if kind not in WORK_KINDS:
        raise broken()
    sent = form.get("image")
    if not isinstance(sent, web.FileField) or not sent.filename:
        raise web.HTTPBadRequest(text="")
    overwrite = is_yes(fields.get("overwrite"))
    return Upload(sent.filename, sent.file.read(), kind, fields.get("subfolder", ""), overwrite, fields)


def _kept(folders: Folders, upload: Upload, content: Callable[[], bytes]) -> web.Response:
    """Write the file; the reply says its name."""
    root = folders.folder(upload.kind)
    folder = inside(root, upload.subfolder)
    wanted = inside(root, upload.subfolder, upload.name)
    if folder is None or wanted is None or wanted == folder or not wanted.is_relative_to(folder):
        return web.Response(status=400)
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        path = _write(wanted, content(), upload.overwrite)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):  # a file stands where a folder is named
        return web.Response(status=400)
    name = path.relative_to(folder).as_posix()
    return told({"name": name, "subfolder": upload.subfolder, "type": upload.kind})


def _write(wanted: Path, data: bytes, overwrite: bool) -> Path:
    """Put a file under its name, or under the next free one; the same content is not written twice."""
    with NamedTemporaryFile(dir=wanted.parent, prefix=".upload-", delete=False) as file:
        file.write(data)
    return settle(Path(file.name), wanted, overwrite)


# Masks


def _reference(upload: Upload) -> dict[str, Any]:
    try:
        read = json.loads(upload.fields["original_ref"])
    except (KeyError, ValueError, RecursionError):
        raise broken() from None
    if not isinstance(read, dict) or not isinstance(cast("dict[str, Any]", read).get("filename"), str):
        raise broken()
    return cast("dict[str, Any]", read)


def _kept_mask(folders: Folders, upload: Upload, reference: dict[str, Any]) -> web.Response:
    name, kind = annotated(reference["filename"], str(reference.get("type", "output")))
    if kind not in WORK_KINDS or name.startswith("/") or ".." in name:
        return web.Response(status=400)
    original = inside_file(folders.folder(kind), str(reference.get("subfolder", "")), name)
    if original is None:
        return told({"name": upload.name, "subfolder": upload.subfolder, "type": upload.kind})
    try:
        data = masked(original, upload.data)
    except (OSError, SyntaxError, ValueError):
        return web.Response(status=400)
    return _kept(folders, upload, lambda: data)


def masked(original: Path, mask: bytes) -> bytes:
    """A PNG of a picture's colours and another's alpha, with the texts the first carries.

    Raises ValueError or OSError when either is no picture, or they differ in size.
    """
    with opened(original) as picture, opened(BytesIO(mask)) as upload:
        return with_alpha(picture, upload.convert("RGBA").getchannel("A"), texts_of(picture))
