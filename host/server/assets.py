"""Routes of assets: the files of the input, output and temp folders. `/files` sends them as they are."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, Field

from graph.document_json import write_workflow
from graph.embedded import embedded_texts
from graph.formats import LARGEST_PICTURE, read_any
from graph.problems import WorkflowError
from host.folders import WORK_KINDS
from host.paths import inside_file
from host.pictures import size_of
from host.server.asset_files import Asset, AssetList, place_for, take_in
from host.server.keys import FOLDERS, SERVICES, SETTINGS, TYPES
from host.server.problems_json import problem_json
from host.server.refusals import Refused, missing, writing
from host.server.routing import PREFIX, query_of, route, told
from host.server.shapes import LONGEST_TEXT
from host.server.small_pictures import DRAWING, small_picture

ASSETS: Final = web.AppKey("assets", AssetList)
BROKEN_FORM: Final = (ValueError, LookupError, AssertionError, RuntimeError, HttpProcessingError)
"""What a broken form can raise."""
_MILLION: Final = 10**6
_CHUNK: Final = 2**18


class AssetsQuery(BaseModel):
    """Which files to list."""

    kind: Literal["input", "output", "temp"] = "output"
    search: str = Field("", max_length=LONGEST_TEXT, description="Words in the name.")
    sort: Literal["newest", "name"] = "newest"
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**53)


class AssetShape(BaseModel):
    """A file. bytes; modified: ms since 1970; type: by its name; url: where it is."""

    kind: str
    name: str
    size: int
    modified: int
    type: str
    url: str


class AssetsPage(BaseModel):
    """Some files; `total` counts all that were asked for."""

    assets: list[AssetShape]
    total: int


class AssetDetail(AssetShape):
    """A file with what is in it. width, height: pixels, of pictures. workflow: in our format, from the texts
    that a picture carries; problems: why it cannot be read."""

    width: int | None
    height: int | None
    workflow: dict[str, Any] | None
    texts: list[str]
    problems: list[dict[str, Any]]


class UploadQuery(BaseModel):
    """Where an upload goes."""

    kind: Literal["input", "temp"] = "input"
    folder: str = Field("", max_length=1000, description="A folder in it.")
    name: str = Field("", max_length=1000, description="The name of a raw body.")
    overwrite: bool = Field(False, description="Replace a file of that name; else another name is found.")


class ThumbnailQuery(BaseModel):
    """How large a thumbnail is to be."""

    size: int = Field(256, ge=16, le=1024, description="Pixels, the longer side.")


@route("GET", "/assets", "List files", query=AssetsQuery, reply=AssetsPage)
async def list_assets(request: web.Request) -> web.StreamResponse:
    """Of the output folder, the newest first."""
    query, app = query_of(request, AssetsQuery), request.app
    words = query.search.lower().split()

    def found() -> list[Asset]:
        roots = app[FOLDERS].folders(query.kind)
        every = (asset for root in roots for asset in app[ASSETS].of(root))
        fitting = [asset for asset in every if all(word in asset.name.lower() for word in words)]
        if query.sort == "name":
            return sorted(fitting, key=lambda asset: asset.name.casefold())
        return sorted(fitting, key=lambda asset: asset.modified, reverse=True)

    fitting = await asyncio.to_thread(found)
    page = fitting[query.offset : query.offset + query.limit]
    return told({"assets": [_asset(query.kind, item) for item in page], "total": len(fitting)})


@route(
    "POST",
    "/assets",
    "Upload files",
    "runner",
    raw=("multipart/form-data", "application/octet-stream"),
    query=UploadQuery,
    reply=AssetsPage,
    status=201,
)
async def upload_assets(request: web.Request) -> web.StreamResponse:
    """Every file of a form, or a raw body under `name`. The reply tells the names they have now."""
    query = query_of(request, UploadQuery)
    root = request.app[FOLDERS].folder(query.kind)
    if request.content_type.startswith("multipart/"):
        paths = [path async for path in _uploaded(request, root, query)]
    else:
        paths = [await _taken(request, root, query, query.name, request.content.iter_chunked(_CHUNK))]
    if not paths:
        raise Refused(400, "no_file", "The form holds no file.", "Send one in a field with a file name.")
    return told({"assets": [asset_told(query.kind, root, path) for path in paths], "total": len(paths)}, 201)


async def _uploaded(request: web.Request, root: Path, query: UploadQuery) -> AsyncIterator[Path]:
    try:
        form = await request.multipart()
        while (part := await form.next()) is not None:
            if isinstance(part, MultipartReader):
                raise ValueError("a form in a form")
            if part.filename:
                yield await _taken(request, root, query, part.filename, _chunks(part))
            else:
                await part.release()
    except BROKEN_FORM:
        raise Refused(400, "bad_form", "The form is broken.", "Send multipart/form-data.") from None


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield bytes(chunk)


async def _taken(
    request: web.Request, root: Path, query: UploadQuery, name: str, chunks: AsyncIterator[bytes]
) -> Path:
    wanted = place_for(root, f"{query.folder}/{name}" if query.folder else name)
    return await take_in(wanted, chunks, request.app[SETTINGS].largest_upload, query.overwrite)


@route("GET", "/assets/{kind}/{name}", "One file, and the workflow it carries", reply=AssetDetail)
async def get_asset(request: web.Request) -> web.StreamResponse:
    """A name's / is sent as %2F."""
    root, path = asset_asked(request)
    async with request.app[DRAWING]:
        detail = await asyncio.to_thread(_detail, request, path)
    return told({**asset_told(request.match_info["kind"], root, path), **detail})


@route(
    "GET",
    "/assets/{kind}/{name}/thumbnail",
    "A small picture of a picture",
    query=ThumbnailQuery,
    media="image/webp",
    replies={304: "You have it.", 415: "The file is no picture that can be shown."},
)
async def get_thumbnail(request: web.Request) -> web.StreamResponse:
    """WebP. Pictures of more than 268 million pixels are refused."""
    size, (_, path) = query_of(request, ThumbnailQuery).size, asset_asked(request)
    return await small_picture(request, path, size, "private, no-cache")


@route("DELETE", "/assets/{kind}/{name}", "Delete a file", "editor", status=204)
async def delete_asset(request: web.Request) -> web.StreamResponse:
    """For good. Jobs that made it keep their record."""
    _, path = asset_asked(request)
    with writing(path.name):
        path.unlink(missing_ok=True)
    return web.Response(status=204)


def asset_asked(request: web.Request) -> tuple[Path, Path]:
    """The folder and path of a file. Raises Refused (404)."""
    kind, name = request.match_info["kind"], request.match_info["name"]
    hidden = any(part.startswith(".") for part in name.replace("\\", "/").split("/"))
    for root in request.app[FOLDERS].folders(kind) if kind in WORK_KINDS and not hidden else ():
        if (path := inside_file(root, name)) is not None:
            return root, path
    raise missing("file", name)


def asset_told(kind: str, root: Path, path: Path) -> dict[str, Any]:
    """A file of a folder as JSON, in the form of `AssetShape`."""
    facts = path.stat()
    name = path.relative_to(root.resolve()).as_posix()
    return _asset(kind, Asset(name, facts.st_size, facts.st_mtime_ns))


def _asset(kind: str, asset: Asset) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": asset.name,
        "size": asset.size,
        "modified": asset.modified // _MILLION,
        "type": mimetypes.guess_type(asset.name)[0] or "application/octet-stream",
        "url": f"{PREFIX}/files/{kind}?{urlencode({'name': asset.name}, quote_via=quote)}",
    }


def _detail(request: web.Request, path: Path) -> dict[str, Any]:
    try:
        width, height = size_of(path)
    except (OSError, SyntaxError, ValueError):
        width = height = None
    data = path.read_bytes() if path.stat().st_size <= LARGEST_PICTURE else b""
    texts = embedded_texts(data) or {}
    workflow, problems = _workflow(request, data, path.name) if texts else (None, [])
    detail = {"width": width, "height": height, "texts": sorted(texts)}
    return {**detail, "workflow": workflow, "problems": problems}


def _workflow(request: web.Request, data: bytes, name: str) -> tuple[Any, list[dict[str, Any]]]:
    try:
        found = read_any(data, request.app[SERVICES].formats(), request.app[TYPES](), name)
    except WorkflowError as error:
        return None, [problem_json(item) for item in error.problems if item.code != "no_workflow"]
    return json.loads(write_workflow(replace(found, imported=False))), []
