"""Routes of model files: kinds, files with what they are, pictures of them. Made for thousands of files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field

from host.covers import beside, cover_of
from host.folders import OTHER_NAMES, Folders
from host.lock import HASHES, Hashes
from host.safetensors_header import safetensors_texts
from host.server.etags import is_known, quoted, tag_of, unchanged
from host.server.keys import FOLDERS, SETTINGS
from host.server.model_facts import FactFinder, Mark, mark_of
from host.server.refusals import missing
from host.server.routing import PREFIX, query_of, route, told
from host.server.shapes import LONGEST_TEXT

FACTS: Final = web.AppKey("facts", FactFinder)
_PAUSE: Final = 0.02
_MILLION: Final = 10**6
_LONGEST_TEXT: Final = 2**16
"""Characters; what is longer in a header is no text for people but pictures and statistics."""


class KindShape(BaseModel):
    """A kind of model: its name, as file inputs of nodes tell it, and how many files there are."""

    kind: str
    count: int


class Kinds(BaseModel):
    """All kinds of models."""

    kinds: list[KindShape]


class ModelsQuery(BaseModel):
    """Which model files to list."""

    kind: list[str] = Field(default_factory=list[str], description="Kinds; without, all.")
    search: str = Field("", max_length=LONGEST_TEXT, description="Words in the name.")
    hash: bool = Field(False, description="Find out the SHA-256 of those listed.")
    wait: float = Field(0.0, ge=0, le=30, description="Seconds to wait for what is not known yet.")
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=2**53)


class ModelQuery(BaseModel):
    """What of a model file to find out."""

    hash: bool = Field(False, description="Find out its SHA-256.")
    wait: float = Field(0.0, ge=0, le=30, description="Seconds to wait for what is not known yet.")


class ModelShape(BaseModel):
    """A model file. bytes; modified: ms since 1970. type, family, precision and hash are null until known.

    pending: something asked for is still being found out. preview: the address of a picture beside it.
    """

    kind: str
    name: str
    size: int
    modified: int
    type: str | None
    family: str | None
    precision: str | None
    hash: str | None
    trouble: str
    preview: str | None
    pending: bool


class ModelDetail(ModelShape):
    """A model file with the texts in its header."""

    texts: dict[str, Any]


class ModelsPage(BaseModel):
    """Some model files; `total` counts all that were asked for."""

    models: list[ModelShape]
    total: int


@dataclass(frozen=True, slots=True)
class _Listed:
    kind: str
    name: str


@route("GET", "/models", "The kinds of models", reply=Kinds)
async def list_kinds(request: web.Request) -> web.StreamResponse:
    """With how many files there are of each."""
    folders = request.app[FOLDERS]

    def kinds() -> list[dict[str, Any]]:
        return [{"kind": kind, "count": len(folders.names(kind))} for kind in folders.model_kinds]

    return told({"kinds": await asyncio.to_thread(kinds)})


@route("GET", "/models/files", "Search model files", query=ModelsQuery, reply=ModelsPage)
async def list_models(request: web.Request) -> web.StreamResponse:
    """In the order of kinds and names. Folders that have not changed are not read again."""
    query, folders = query_of(request, ModelsQuery), request.app[FOLDERS]
    found = await asyncio.to_thread(_fitting, folders, query)
    page = found[query.offset : query.offset + query.limit]
    return told({"models": await _described(request, page, query), "total": len(found)})


@route("GET", "/models/files/{kind}/{name}", "One model file", query=ModelQuery, reply=ModelDetail)
async def get_model(request: web.Request) -> web.StreamResponse:
    """With the texts in its header. A name's / is sent as %2F."""
    listed = _asked(request)
    (model,) = await _described(request, [listed], query_of(request, ModelQuery)) or [None]
    path = request.app[FOLDERS].find(listed.kind, listed.name)
    if model is None or path is None:
        raise missing("model", listed.name)
    texts = await asyncio.to_thread(safetensors_texts, path) if path.is_file() else None
    short = {key: text for key, text in (texts or {}).items() if len(str(text)) <= _LONGEST_TEXT}
    return told({**model, "texts": short})


@route(
    "GET",
    "/models/files/{kind}/{name}/preview",
    "The picture of a model file",
    media="image/webp",
    replies={304: "You have it."},
)
async def get_preview(request: web.Request) -> web.StreamResponse:
    """The one beside it, or the cover inside it; 1024 pixels a side at most."""
    listed = _asked(request)
    path = request.app[FOLDERS].find(listed.kind, listed.name)
    body = None if path is None else await asyncio.to_thread(cover_of, path)
    if body is None:
        raise missing("picture", listed.name)
    tag = tag_of(body)
    if is_known(request, tag):
        return unchanged(tag)
    headers = quoted(tag) | {"Cache-Control": "private, no-cache"}
    return web.Response(body=body, content_type="image/webp", headers=headers)


def _asked(request: web.Request) -> _Listed:
    kind, name = request.match_info["kind"], request.match_info["name"]
    kind = OTHER_NAMES.get(kind, kind)
    if kind not in request.app[FOLDERS].model_kinds or name not in request.app[FOLDERS].names(kind):
        raise missing("model", name)
    return _Listed(kind, name)


def _fitting(folders: Folders, query: ModelsQuery) -> list[_Listed]:
    words = query.search.lower().split()
    asked = [OTHER_NAMES.get(kind, kind) for kind in query.kind]
    return [
        _Listed(kind, name)
        for kind in folders.model_kinds
        if not asked or kind in asked
        for name in folders.names(kind)
        if all(word in name.lower() for word in words)
    ]


async def _described(
    request: web.Request, page: Sequence[_Listed], query: ModelsQuery | ModelQuery
) -> list[dict[str, Any]]:
    """What is known of files by now, or within the time that a query gives."""
    app, until = request.app, monotonic() + query.wait
    while True:
        found, marks = await asyncio.to_thread(_known, app[FOLDERS], app[FACTS], page, query.hash)
        if not any(model["pending"] for model in found) or monotonic() >= until:
            return found
        while app[FACTS].is_busy_with(marks) and monotonic() < until:
            await asyncio.sleep(_PAUSE)


def _known(
    folders: Folders, finder: FactFinder, page: Sequence[_Listed], hashes: bool
) -> tuple[list[dict[str, Any]], list[Mark]]:
    places = [(item, mark) for item in page if (mark := _mark(folders, item)) is not None]
    digests = finder.hashes.known(mark[0] for _, mark in places)
    if hashes:
        finder.find_hashes(mark for _, mark in places if mark[0] not in digests and mark[0].is_file())
    names = {kind: folders.all_names(kind) for kind in {item.kind for item, _ in places}}
    models = [_model(finder, item, mark, digests.get(mark[0]), names[item.kind]) for item, mark in places]
    return models, [mark for _, mark in places]


def _mark(folders: Folders, item: _Listed) -> Mark | None:
    path = folders.find(item.kind, item.name)
    return None if path is None else mark_of(path)


def _model(
    finder: FactFinder, item: _Listed, mark: Mark, digest: str | None, names: set[str]
) -> dict[str, Any]:
    facts = finder.facts(mark)
    pictured = any(name in names for name in beside(item.name))
    place = f"{PREFIX}/models/files/{item.kind}/{quote(item.name, safe='')}/preview"
    return {
        "kind": item.kind,
        "name": item.name,
        "size": mark[1],
        "modified": mark[2] // _MILLION,
        "type": facts and facts.kind,
        "family": facts and facts.family,
        "precision": facts and facts.precision,
        "hash": digest,
        "trouble": facts.trouble if facts else "",
        "preview": place if pictured else None,
        "pending": facts is None or finder.is_busy_with([mark]),
    }


def find_facts(app: web.Application) -> None:
    """Give an application its finder of facts."""
    app[FACTS] = FactFinder(Hashes(app[SETTINGS].home / "cache" / HASHES))
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    app[FACTS].close()
