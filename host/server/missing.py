"""The route that says what a workflow needs and is not here, and what could take its place."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from aiohttp import web
from pydantic import BaseModel, Field

from graph.document import Node, Workflow
from graph.flat import flat
from graph.formats import read_any
from graph.registry import Registry
from graph.spec import FileChoice
from host.folders import MODEL_KINDS, Folders
from host.matches import Match, matches
from host.server.keys import FOLDERS, SERVICES, TYPES
from host.server.model_facts import Mark, mark_of, read_facts
from host.server.models import FACTS
from host.server.routing import query_of, route, told
from host.server.workflows import RAW

_SHA: str = "sha256:"


class MissingQuery(BaseModel):
    """How far to look."""

    hash: bool = Field(False, description="Find out the SHA-256 of all files that may be the missing ones.")


class MatchShape(BaseModel):
    """A file that could be used. why: same content, same name elsewhere, or only alike."""

    name: str
    why: Literal["hash", "name", "alike"]
    likeness: float
    family: str | None


class MissingFile(BaseModel):
    """A file that an input names and that is not here. hash: what it was, if the workflow says so.

    url: where the workflow says it can be had. pending: files of its kind have not been compared by content.
    """

    node: str
    input: str
    kind: str
    name: str
    hash: str
    url: str
    matches: list[MatchShape]
    pending: bool


class MissingType(BaseModel):
    """A node type that is not installed, and the plugin it comes from, if the workflow says so."""

    type: str
    nodes: list[str]
    pack: str
    url: str


class Missing(BaseModel):
    """All that is missing."""

    types: list[MissingType]
    files: list[MissingFile]


@dataclass(frozen=True, slots=True)
class _Named:
    """A file that an input names."""

    node: str
    input: str
    kind: str
    name: str


@route("POST", "/workflows/missing", "Say what a workflow needs that is not here", raw=RAW,
       query=MissingQuery, reply=Missing)  # fmt: skip
async def find_missing(request: web.Request) -> web.StreamResponse:
    """Node types and files, with the files of this installation that fit best. Nothing is replaced."""
    query, body = query_of(request, MissingQuery), await request.read()

    def found() -> dict[str, Any]:
        types = request.app[TYPES]()
        workflow = read_any(body, request.app[SERVICES].formats(), types, "The body")
        workflow = flat(workflow, types)
        files = missing_files(workflow, types, request.app[FOLDERS])
        return {
            "types": list(missing_types(workflow, types)),
            "files": [_told(request, workflow, item, query.hash) for item in files],
        }

    return told(await asyncio.to_thread(found))


def missing_types(workflow: Workflow, types: Registry) -> Iterator[dict[str, Any]]:
    """The node types that are not installed, each once."""
    nodes = dict[str, list[str]]()
    for id, node in workflow.nodes.items():
        if types.get(node.type) is None:
            nodes.setdefault(node.type, []).append(id)
    for type, ids in nodes.items():
        pack, url = _origin(workflow.nodes[ids[0]])
        yield {"type": type, "nodes": ids, "pack": pack, "url": url}


def _origin(node: Node) -> tuple[str, str]:
    """The plugin that ComfyUI's front end noted with a node, and its address."""
    noted = _properties(node)
    pack, repository = str(noted.get("cnr_id") or ""), str(noted.get("aux_id") or "")
    address = f"https://github.com/{repository}" if repository.count("/") == 1 else ""
    return pack or repository.rpartition("/")[2], address


def missing_files(workflow: Workflow, types: Registry, files: Folders) -> Iterator[_Named]:
    """The files that inputs name and nobody has here."""
    for id, node in workflow.nodes.items():
        spec = types.get(node.type)
        for item in spec.inputs if spec else ():
            name = node.inputs.get(item.name)
            if not isinstance(item.widget, FileChoice) or not isinstance(name, str) or not name:
                continue
            if files.find(item.widget.kind, name) is None:
                yield _Named(id, item.name, item.widget.kind, name)


def _told(request: web.Request, workflow: Workflow, item: _Named, hashing: bool) -> dict[str, Any]:
    folders, finder = request.app[FOLDERS], request.app[FACTS]
    names = folders.names(item.kind)
    marks = {name: mark for name in names if (mark := _mark(folders, item.kind, name)) is not None}
    digest, url = _noted(workflow, item)
    known = finder.hashes.known(mark[0] for mark in marks.values()) if digest else {}
    unknown = (
        [mark for mark in marks.values() if mark[0] not in known and mark[0].is_file()] if digest else []
    )
    if hashing:
        finder.find_hashes(unknown)
    digests = {name: known[mark[0]] for name, mark in marks.items() if mark[0] in known}

    def family_of(name: str) -> str | None:
        mark = marks.get(name) if item.kind in MODEL_KINDS else None
        facts = finder.facts(mark) or read_facts(mark[0]) if mark is not None else None
        return facts.family if facts is not None else None

    found = matches(names, item.name, digest, digests, family_of)
    return {
        "node": item.node, "input": item.input, "kind": item.kind, "name": item.name, "hash": digest,
        "url": url, "matches": [_match(match) for match in found], "pending": bool(unknown),
    }  # fmt: skip


def _match(match: Match) -> dict[str, Any]:
    return {
        "name": match.name,
        "why": match.why,
        "likeness": round(match.likeness, 3),
        "family": match.family,
    }


def _mark(folders: Folders, kind: str, name: str) -> Mark | None:
    path = folders.find(kind, name)
    return None if path is None else mark_of(path)


def _noted(workflow: Workflow, item: _Named) -> tuple[str, str]:
    """The SHA-256 and address of a file: from the lock, or what ComfyUI's front end noted with the node."""
    locked = _mapping(workflow.lock.get("models")).get(f"{item.kind}/{item.name}")
    noted = [_mapping(each) for each in _list(_properties(workflow.nodes[item.node]).get("models"))]
    mine = next((each for each in noted if each.get("name") == item.name), _mapping(None))
    kind = str(mine.get("hash_type") or "").lower().replace("-", "")
    own = f"{_SHA}{str(mine.get('hash') or '').lower()}" if mine.get("hash") and kind == "sha256" else ""
    url = str(mine.get("url") or "")
    return (locked if isinstance(locked, str) else own), url if url.startswith("https://") else ""


def _properties(node: Node) -> Mapping[str, Any]:
    return _mapping(node.extra.get("properties"))


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
