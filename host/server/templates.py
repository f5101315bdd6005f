"""Routes of the workflows that Darkroom and plugins bring: to be read and tried, never changed."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field

from graph.document import Workflow
from graph.document_json import write_workflow
from graph.flat import flat
from graph.formats import read_any
from graph.problems import WorkflowError
from graph.registry import Registry
from host.folders import PLUGINS, SOURCES, Folders
from host.lock import model_files
from host.plugins.examples import all_examples
from host.server.etags import is_known, quoted, tag_of, unchanged
from host.server.keys import FOLDERS, SERVICES, TYPES
from host.server.refusals import missing
from host.server.routing import PREFIX, query_of, route, told
from host.server.small_pictures import small_picture

SHIPPED: Final = SOURCES / "workflows"
PICTURES: Final = SOURCES / "docs" / "images" / "workflows"
_LARGEST: Final = 2**24
"""Bytes; an example that is larger is not read only to be listed."""


class NeededModel(BaseModel):
    """A model file that a template names, and whether it is here."""

    kind: str
    name: str
    here: bool


class Template(BaseModel):
    """A workflow to begin with. notes: what its author wrote beside it; ports: what can be set from outside.

    pack: the plugin that brings it, or "". picture: where one of its pictures is. unknown: node types that
    are not installed.
    """

    name: str
    title: str
    category: str
    pack: str
    notes: list[str]
    ports: list[str]
    picture: str | None
    models: list[NeededModel]
    unknown: list[str]


class Templates(BaseModel):
    """All templates: the shipped ones, then those of plugins."""

    templates: list[Template]


class PictureQuery(BaseModel):
    """How large a picture is to be."""

    size: int = Field(320, ge=16, le=1024, description="Pixels, the longer side.")


@dataclass(frozen=True, slots=True)
class _Source:
    """A template's file and picture."""

    name: str
    path: Path
    picture: Path | None
    pack: str = ""


@route("GET", "/templates", "List the workflows to begin with", reply=Templates)
async def list_templates(request: web.Request) -> web.StreamResponse:
    """With titles, notes and the models they need."""
    return told({"templates": await asyncio.to_thread(lambda: list(_templates(request)))})


@route("GET", "/templates/{name}", "A template, in our format", replies={304: "You have it."})
async def get_template(request: web.Request) -> web.StreamResponse:
    """To be saved under a name of your own. A name's / is sent as %2F."""
    source = _asked(request)

    def found() -> bytes:
        data = source.path.read_bytes()
        return write_workflow(_read(request, data, source)).encode() if source.pack else data

    data = await asyncio.to_thread(found)
    tag = tag_of(data)
    if is_known(request, tag):
        return unchanged(tag)
    return web.Response(body=data, content_type="application/json", charset="utf-8", headers=quoted(tag))


@route(
    "GET",
    "/templates/{name}/picture",
    "What a template makes",
    query=PictureQuery,
    media="image/webp",
    replies={304: "You have it.", 415: "The file is no picture that can be shown."},
)
async def get_template_picture(request: web.Request) -> web.StreamResponse:
    """A small WebP."""
    size, path = query_of(request, PictureQuery).size, _asked(request).picture
    if path is None:
        raise missing("picture", request.match_info["name"])
    return await small_picture(request, path, size, "private, max-age=3600")


def _sources(request: web.Request) -> Iterator[_Source]:
    for path in sorted(SHIPPED.glob("*.json")):
        picture = PICTURES / f"{path.stem}.webp"
        yield _Source(path.stem, path, picture if picture.is_file() else None)
    for example in all_examples(request.app[FOLDERS].folders(PLUGINS)):
        yield _Source(example.name, example.path, example.picture, example.pack)


def _asked(request: web.Request) -> _Source:
    name = request.match_info["name"]
    found = next((source for source in _sources(request) if source.name == name), None)
    if found is None:
        raise missing("template", name)
    return found


def _templates(request: web.Request) -> Iterator[dict[str, Any]]:
    types, folders = request.app[TYPES](), request.app[FOLDERS]
    for source in _sources(request):
        try:
            if source.path.stat().st_size <= _LARGEST:
                workflow = _read(request, source.path.read_bytes(), source)
                yield _template(source, workflow, types, folders)
        except (WorkflowError, OSError):  # one that is being written, or no workflow at all
            continue


def _read(request: web.Request, data: bytes, source: _Source) -> Workflow:
    return read_any(data, request.app[SERVICES].formats(), request.app[TYPES](), source.path.name)


def _template(source: _Source, workflow: Workflow, types: Registry, folders: Folders) -> dict[str, Any]:
    workflow = flat(workflow, types)
    notes = [cast("dict[str, Any]", note).get("text") for note in workflow.notes if isinstance(note, dict)]
    return {
        "name": source.name,
        "title": str(workflow.extra.get("title") or source.path.stem.replace("-", " ").capitalize()),
        "category": str(workflow.extra.get("category") or ""),
        "pack": source.pack,
        "notes": [text for text in notes if isinstance(text, str)],
        "ports": list(workflow.ports),
        "picture": f"{PREFIX}/templates/{quote(source.name, safe='')}/picture" if source.picture else None,
        "models": [
            {"kind": kind, "name": name, "here": folders.find(kind, name) is not None}
            for kind, name in dict.fromkeys(model_files(workflow, types))
        ],
        "unknown": sorted({node.type for node in workflow.nodes.values() if types.get(node.type) is None}),
    }
