"""Routes of the workflows that Darkroom ships: to be read and tried, never changed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web
from pydantic import BaseModel

from graph.document import Workflow
from graph.document_json import load_workflow
from graph.problems import WorkflowError
from host.folders import SOURCES
from host.paths import inside_file
from host.server.etags import is_known, quoted, tag_of, unchanged
from host.server.refusals import missing
from host.server.routing import route, told

SHIPPED: Final = SOURCES / "workflows"


class Template(BaseModel):
    """A shipped workflow. notes: what its author wrote beside it; ports: what can be set from outside."""

    name: str
    title: str
    notes: list[str]
    ports: list[str]


class Templates(BaseModel):
    """All shipped workflows."""

    templates: list[Template]


@route("GET", "/templates", "List the shipped workflows", reply=Templates)
async def list_templates(request: web.Request) -> web.StreamResponse:
    """With their titles and notes."""
    return told({"templates": await asyncio.to_thread(lambda: list(_templates()))})


@route("GET", "/templates/{name}", "A shipped workflow, in our format", replies={304: "You have it."})
async def get_template(request: web.Request) -> web.StreamResponse:
    """To be saved under a name of your own."""
    name = request.match_info["name"]
    path = inside_file(SHIPPED, f"{name}.json")
    if path is None:
        raise missing("template", name)
    data = await asyncio.to_thread(path.read_bytes)
    tag = tag_of(data)
    if is_known(request, tag):
        return unchanged(tag)
    return web.Response(body=data, content_type="application/json", charset="utf-8", headers=quoted(tag))


def _templates() -> Iterator[dict[str, Any]]:
    for path in sorted(SHIPPED.glob("*.json")):
        try:
            yield _template(path, load_workflow(path))
        except (WorkflowError, OSError):  # one that is being written is listed next time
            continue


def _template(path: Path, workflow: Workflow) -> dict[str, Any]:
    notes = [cast("dict[str, Any]", note).get("text") for note in workflow.notes if isinstance(note, dict)]
    return {
        "name": path.stem,
        "title": str(workflow.extra.get("title") or path.stem.replace("-", " ").capitalize()),
        "notes": [text for text in notes if isinstance(text, str)],
        "ports": list(workflow.ports),
    }
