"""Routes of workflows: a user's own with their versions, the shipped ones, checking and converting."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field

from graph.document import Workflow
from graph.formats import FormatName, format_text, read_any
from graph.problems import WorkflowError
from host.server.etags import check_match, check_none_match, is_known, quoted, tag_of, unchanged
from host.server.facts_json import FactsShape
from host.server.keys import SERVICES, TYPES
from host.server.problems_json import problem_json
from host.server.routing import body_of, query_of, route, told
from host.server.shapes import LONGEST_TEXT, Asked
from host.server.users import own_folder
from host.server.whole_checks import Verdict as WholeVerdict
from host.server.whole_checks import check_whole
from host.server.workflow_files import WorkflowFolder, tidy

SAVING: Final = web.AppKey("saving", threading.Lock)
RAW: Final = ("application/json", "image/png", "image/jpeg", "image/webp", "image/avif")
"""A workflow comes as JSON of any format, or as a picture that carries one."""
_CHANGED: Final = {412: "It is not what If-Match or If-None-Match say."}
Result = TypeVar("Result")


class WorkflowsQuery(BaseModel):
    """Which workflows to list."""

    search: str = Field("", max_length=LONGEST_TEXT, description="Words in the name.")
    deleted: bool = Field(False, description="List those that are gone but have versions.")
    limit: int = Field(100, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**53)


class WorkflowEntry(BaseModel):
    """A workflow. modified: ms since 1970."""

    name: str
    size: int
    modified: int


class WorkflowsPage(BaseModel):
    """Some workflows; `total` counts all that were asked for."""

    workflows: list[WorkflowEntry]
    total: int


class ReadQuery(BaseModel):
    """How to give a workflow."""

    format: FormatName = Field("darkroom", description="The format to give it in.")
    stored: bool = Field(False, description="Give the file as it is, in whatever format.")
    version: str = Field("", max_length=LONGEST_TEXT, description="An earlier one, by its id.")


class SaveQuery(BaseModel):
    """How to keep a workflow."""

    format: FormatName = Field("darkroom", description="The format to keep it in.")
    auto: bool = Field(False, description="Nobody asked for it: of several such saves few stay as versions.")


class ConvertQuery(BaseModel):
    """Which format to write."""

    to: FormatName = "darkroom"


class ValidateQuery(BaseModel):
    """What is to run."""

    target: list[str] = Field(default_factory=list[str], description="Nodes; without, all output nodes.")


class Saved(BaseModel):
    """A workflow that was saved. version: its id; modified: ms since 1970."""

    name: str
    etag: str
    version: str
    size: int
    modified: int


class VersionShape(BaseModel):
    """What a workflow was. saved: ms since 1970; auto: it was saved without being asked for."""

    id: str
    etag: str
    saved: int
    size: int
    auto: bool


class Versions(BaseModel):
    """All that a workflow was, the newest first."""

    versions: list[VersionShape]


class NewName(Asked):
    """The name a workflow is to have."""

    to: str = Field(min_length=1, max_length=1000)


class ProblemShape(BaseModel):
    """Something wrong with a workflow, and the nearest fix."""

    code: str
    message: str
    fix: str
    node: str | None
    input: str | None
    severity: str


class Verdict(BaseModel):
    """Whether a workflow can run; every problem at once. facts: of outputs, by node and output."""

    valid: bool
    problems: list[ProblemShape]
    facts: dict[str, dict[str, FactsShape]]


@route("GET", "/workflows", "List your workflows", query=WorkflowsQuery, reply=WorkflowsPage)
async def list_workflows(request: web.Request) -> web.StreamResponse:
    """In the order of their names."""
    query, folder = query_of(request, WorkflowsQuery), _folder(request)

    def found() -> dict[str, Any]:
        words = query.search.lower().split()
        names = folder.deleted() if query.deleted else sorted(folder.names(), key=str.casefold)
        fitting = [name for name in names if all(word in name.lower() for word in words)]
        page = fitting[query.offset : query.offset + query.limit]
        return {"workflows": [_entry(folder, name) for name in page], "total": len(fitting)}

    return told(await asyncio.to_thread(found))


def _entry(folder: WorkflowFolder, name: str) -> dict[str, Any]:
    facts = folder.facts(name)
    if facts is not None:
        return {"name": name, "size": facts.size, "modified": facts.modified}
    last = folder.versions(name)[:1]
    return {
        "name": name,
        "size": sum(version.size for version in last),
        "modified": max((version.saved for version in last), default=0),
    }


@route(
    "GET",
    "/workflows/{name}",
    "One of your workflows",
    query=ReadQuery,
    replies={304: "You have it.", 400: "It cannot be told in that format."},
)
async def get_workflow(request: web.Request) -> web.StreamResponse:
    """A name's / is sent as %2F. The ETag is that of the file, whatever the format."""
    query, folder, name = query_of(request, ReadQuery), _folder(request), _name(request)

    def found() -> tuple[str, bytes]:
        data = folder.version(name, query.version) if query.version else folder.read(name)
        return tag_of(data), data

    tag, data = await asyncio.to_thread(found)
    if is_known(request, tag):
        return unchanged(tag)
    if not query.stored:
        data = (await asyncio.to_thread(_converted, request, data, query.format, name)).encode()
    return web.Response(body=data, content_type="application/json", charset="utf-8", headers=quoted(tag))


@route(
    "PUT",
    "/workflows/{name}",
    "Save a workflow",
    "editor",
    raw=RAW,
    query=SaveQuery,
    reply=Saved,
    replies=_CHANGED,
)
async def save_workflow(request: web.Request) -> web.StreamResponse:
    """If-Match saves only over what you have seen, If-None-Match: * only what is new. Old versions stay."""
    query, folder, name = query_of(request, SaveQuery), _folder(request), _name(request)
    body = await request.read()

    def saved() -> dict[str, Any]:
        text = _converted(request, body, query.format, "The body")
        with request.app[SAVING]:
            _check(request, folder.tag(name))
            version = folder.save(name, text.encode(), query.auto)
        return {
            "name": name,
            "etag": version.tag,
            "version": version.id,
            "size": version.size,
            "modified": version.saved,
        }

    reply = await asyncio.to_thread(saved)
    return told(reply, headers=quoted(reply["etag"]))


@route("DELETE", "/workflows/{name}", "Delete a workflow", "editor", status=204, replies=_CHANGED)
async def delete_workflow(request: web.Request) -> web.StreamResponse:
    """Its versions stay, and can be saved again."""
    folder, name = _folder(request), _name(request)
    await asyncio.to_thread(_changed, request, folder, name, lambda: folder.delete(name))
    return web.Response(status=204)


@route(
    "POST",
    "/workflows/{name}/rename",
    "Rename a workflow",
    "editor",
    body=NewName,
    reply=WorkflowEntry,
    replies=_CHANGED | {409: "That name is taken."},
)
async def rename_workflow(request: web.Request) -> web.StreamResponse:
    """With all its versions."""
    to = tidy((await body_of(request, NewName)).to)
    folder, name = _folder(request), _name(request)
    await asyncio.to_thread(_changed, request, folder, name, lambda: folder.rename(name, to))
    return told(await asyncio.to_thread(_entry, folder, to))


@route("GET", "/workflows/{name}/versions", "What a workflow was", reply=Versions)
async def list_versions(request: web.Request) -> web.StreamResponse:
    """Each save is a version, the last 100 are kept; also of a workflow that was deleted."""
    found = await asyncio.to_thread(_folder(request).versions, _name(request))
    told_versions = [
        {"id": item.id, "etag": item.tag, "saved": item.saved, "size": item.size, "auto": item.auto}
        for item in found
    ]
    return told({"versions": told_versions})


@route(
    "POST",
    "/workflows/validate",
    "Say everything that is wrong with a workflow",
    raw=RAW,
    query=ValidateQuery,
    reply=Verdict,
)
async def validate_workflow(request: web.Request) -> web.StreamResponse:
    """Of any format; nothing is run or kept."""
    targets, body = query_of(request, ValidateQuery).target, await request.read()
    try:
        workflow = await asyncio.to_thread(_read, request, body, "The body")
        found = await check_whole(request.app, workflow, targets or None)
    except WorkflowError as error:
        found = WholeVerdict(error.problems, {})
    problems = [problem_json(item) for item in found.problems]
    return told({"valid": found.is_valid, "problems": problems, "facts": found.facts})


@route("POST", "/workflows/convert", "Write a workflow in another format", raw=RAW, query=ConvertQuery)
async def convert_workflow(request: web.Request) -> web.StreamResponse:
    """From any format, or a picture, to ours, ComfyUI's API format or its editor's."""
    to, body = query_of(request, ConvertQuery).to, await request.read()
    text = await asyncio.to_thread(_converted, request, body, to, "The body")
    return web.Response(text=text, content_type="application/json")


def _converted(request: web.Request, data: bytes, to: FormatName, source: str) -> str:
    services = request.app[SERVICES]
    return format_text(services.format_named(to), _read(request, data, source), request.app[TYPES]())


def _read(request: web.Request, data: bytes, source: str) -> Workflow:
    return read_any(data, request.app[SERVICES].formats(), request.app[TYPES](), source)


def _changed(request: web.Request, folder: WorkflowFolder, name: str, change: Callable[[], Result]) -> Result:
    """Change a workflow while nobody else does."""
    with request.app[SAVING]:
        _check(request, folder.tag(name))
        return change()


def _check(request: web.Request, tag: str | None) -> None:
    check_match(request.headers.get("If-Match"), tag)
    check_none_match(request.headers.get("If-None-Match"), tag)


def _folder(request: web.Request) -> WorkflowFolder:
    return WorkflowFolder(own_folder(request))


def _name(request: web.Request) -> str:
    return tidy(request.match_info["name"])
