"""Routes of node types: schemas that change with the code alone, for files are listed apart (/models)."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel

from graph.registry import Registry
from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Output, Text, Toggle, Widget
from host.server.etags import is_known, quoted, tag_of, unchanged
from host.server.keys import TYPES
from host.server.refusals import missing
from host.server.routing import route, told


class InputSchema(BaseModel):
    """An input. types: socket names, "*" for any; widget: None for one that only takes links."""

    name: str
    types: list[str]
    is_list: bool
    required: bool
    default: Any
    widget: dict[str, Any] | None
    tooltip: str
    label: str
    lazy: bool
    link_only: bool
    advanced: bool
    extra: dict[str, Any]


class OutputSchema(BaseModel):
    """An output."""

    name: str
    types: list[str]
    is_list: bool
    tooltip: str


class NodeSchema(BaseModel):
    """A node type. source: "core" or the plugin it comes from; deprecated: why, or ""."""

    id: str
    title: str
    category: str
    description: str
    source: str
    version: int
    inputs: list[InputSchema]
    outputs: list[OutputSchema]
    output: bool
    takes_lists: bool
    deprecated: str
    experimental: bool


class NodeSchemas(BaseModel):
    """All node types; clashes: names that several of them want, in sentences."""

    nodes: list[NodeSchema]
    clashes: list[str]


@dataclass(slots=True)
class SchemaCache:
    """The last description of all node types, and what it was made of."""

    types: Registry | None = None
    body: bytes = b""
    tag: str = ""

    def of(self, types: Registry) -> "SchemaCache":
        """The description of these node types."""
        if types is not self.types:
            clashes = [str(clash) for clash in types.clashes]
            told = {"nodes": [node_schema(spec) for spec in types], "clashes": clashes}
            self.body = json.dumps(told, ensure_ascii=False, default=str).encode()
            self.types, self.tag = types, tag_of(self.body)
        return self


SCHEMAS: Final = web.AppKey("schemas", SchemaCache)


@route("GET", "/nodes", "All node types", reply=NodeSchemas, replies={304: "You have them."})
async def list_nodes(request: web.Request) -> web.StreamResponse:
    """An input that is a file tells its folder; what lies there is asked of /models and /assets."""
    app = request.app
    found = await asyncio.to_thread(lambda: app[SCHEMAS].of(app[TYPES]()))
    if is_known(request, found.tag):
        return unchanged(found.tag)
    return web.Response(
        body=found.body, content_type="application/json", charset="utf-8", headers=_cached(found.tag)
    )


@route("GET", "/nodes/{id}", "One node type", reply=NodeSchema, replies={304: "You have it."})
async def get_node(request: web.Request) -> web.StreamResponse:
    """By its id or bare name; an id's / is sent as %2F."""
    id, types = request.match_info["id"], await asyncio.to_thread(request.app[TYPES])
    spec = types.get(id)
    if spec is None:
        near = types.nearest(id[:200])
        raise missing("node_type", id, f"Did you mean {near[0]}?" if near else "")
    schema = node_schema(spec)
    tag = tag_of(json.dumps(schema, default=str).encode())
    return unchanged(tag) if is_known(request, tag) else told(schema, headers=_cached(tag))


def _cached(tag: str) -> dict[str, str]:
    return quoted(tag) | {"Cache-Control": "private, no-cache"}


def node_schema(spec: NodeSpec) -> dict[str, Any]:
    """A node type as JSON, in the form of `NodeSchema`."""
    return {
        "id": spec.id,
        "title": spec.title or spec.id,
        "category": spec.category,
        "description": spec.description,
        "source": spec.source,
        "version": spec.version,
        "inputs": [_input(item) for item in spec.inputs],
        "outputs": [_output(item) for item in spec.outputs],
        "output": spec.output,
        "takes_lists": spec.takes_lists,
        "deprecated": spec.deprecated,
        "experimental": spec.experimental,
    }


def _input(item: Input) -> dict[str, Any]:
    hint = item.hint
    return {
        "name": item.name,
        "types": list(item.type.names),
        "is_list": item.type.is_list,
        "required": item.required,
        "default": None if item.default is MISSING else item.default,
        "widget": _widget(item.widget),
        "tooltip": hint.tooltip,
        "label": hint.label or item.name,
        "lazy": hint.lazy,
        "link_only": hint.link_only,
        "advanced": hint.advanced,
        "extra": dict(item.extra),
    }


def _output(item: Output) -> dict[str, Any]:
    is_list = item.is_list or item.type.is_list
    return {"name": item.name, "types": list(item.type.names), "is_list": is_list, "tooltip": item.tooltip}


def _widget(widget: Widget | None) -> dict[str, Any] | None:
    match widget:
        case None:
            return None
        case Number(minimum, maximum, step, round, seed, look):
            bounds = {"minimum": minimum, "maximum": maximum, "step": step, "round": round}
            return {"kind": "number", **bounds, "seed": seed, "look": look}
        case Text(multiline, dynamic, placeholder):
            return {
                "kind": "text",
                "multiline": multiline,
                "dynamic_prompts": dynamic,
                "placeholder": placeholder,
            }
        case Choice(options):
            return {"kind": "choice", "options": list(options)}
        case FileChoice(kind, upload):
            return {"kind": "file", "folder": kind, "upload": upload}
        case Toggle(on, off):
            return {"kind": "toggle", "on": on, "off": off}
