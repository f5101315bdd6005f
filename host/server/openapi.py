"""Our API's description, made from the routes themselves."""

import re
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from host.server.routing import ROUTES, Route, route, told
from host.versions import darkroom_version

_REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEMS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["problems"],
    "properties": {"problems": {"type": "array", "items": {"$ref": "#/components/schemas/Problem"}}},
}
_TEXT: Final = {"type": "string"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["code", "message", "fix", "node", "input", "severity"],
    "properties": {
        "code": _TEXT,
        "message": _TEXT,
        "fix": _TEXT,
        "node": {"type": ["string", "null"]},
        "input": {"type": ["string", "null"]},
        "severity": {"enum": ["error", "warning"]},
        "repair": {
            "description": "The fix for programs, made at the problem's node.",
            "oneOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": ["action", "value", "safe"],
                    "properties": {
                        "action": {"enum": ["set", "link", "remove", "rename", "retype", "unmute", "lora"]},
                        "value": {},
                        "safe": {"type": "boolean"},
                    },
                },
            ],
        },
    },
}
_REFUSALS: Final = {
    400: "The request is wrong; every problem is named.",
    401: "A token is needed.",
    403: "The role, the host or the origin is not enough.",
    404: "There is no such thing.",
    409: "The state of things does not allow it.",
    413: "The body is too large.",
    504: "A worker did not answer in time.",
    507: "It cannot be stored.",
}


@route("GET", "/openapi.json", "This description")
async def get_openapi(request: web.Request) -> web.StreamResponse:
    """OpenAPI 3.1."""
    return told(openapi(request.app[ROUTES].values()))


def openapi(routes: Iterable[Route]) -> dict[str, Any]:
    """The description of routes."""
    found = list(routes)
    paths: dict[str, Any] = {}
    for item in found:
        path = re.sub(r"\{(\w+):[^}]+\}", r"{\1}", item.full_path)
        paths.setdefault(path, {})[item.method.lower()] = _operation(item)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Darkroom", "version": darkroom_version(), "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}, {"cookie": []}, {"query": []}],
        "paths": paths,
        "components": {
            "schemas": {**_schemas(found), "Problem": _PROBLEM, "Problems": _PROBLEMS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "darkroom_token"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }


def _schemas(routes: list[Route]) -> dict[str, Any]:
    bodies = {item.body for item in routes if item.body is not None}
    replies = {item.reply for item in routes if item.reply is not None}
    wanted = [*((shape, "validation") for shape in bodies), *((shape, "serialization") for shape in replies)]
    _, found = models_json_schema(
        sorted(wanted, key=lambda pair: pair[0].__name__),  # pyright: ignore[reportArgumentType]
        ref_template=_REFERENCE,
    )
    return found.get("$defs", {})


def _operation(item: Route) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": item.name,
        "summary": item.summary,
        "description": (item.handler.__doc__ or "").strip(),
        "parameters": [*_path_parameters(item), *_query_parameters(item.query)],
        "responses": _responses(item),
        "x-role": item.role,
    }
    if item.body is not None:
        told["requestBody"] = {"required": True, "content": _content("application/json", item.body)}
    elif item.raw:
        told["requestBody"] = {"required": True, "content": {media: _raw(media) for media in item.raw}}
    return told


def _raw(media: str) -> dict[str, Any]:
    """The schema of a body without a shape of its own."""
    bytes: dict[str, Any] = {"type": "string", "format": "binary"}
    match media:
        case "application/json":
            return {"schema": {"type": "object"}}
        case "multipart/form-data":
            return {"schema": {"type": "object", "required": ["file"], "properties": {"file": bytes}}}
        case _:
            return {"schema": bytes}


def _path_parameters(item: Route) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)", item.full_path)
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]


def _query_parameters(shape: type[BaseModel] | None) -> list[dict[str, Any]]:
    if shape is None:
        return []
    schema = shape.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _inlined(entry, schema.get("$defs", {})),
        }
        for name, entry in schema["properties"].items()
    ]


def _inlined(entry: Any, defs: dict[str, Any]) -> Any:
    """A schema with its references put in place."""
    match entry:
        case {"$ref": str(reference)}:
            return defs[reference.rpartition("/")[2]]
        case dict():
            return {key: _inlined(value, defs) for key, value in entry.items()}  # pyright: ignore
        case _:
            return entry


def _content(media: str, shape: type[BaseModel] | None) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=shape.__name__)} if shape else {}
    return {media: {"schema": schema}}


def _responses(item: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": item.summary}
    if item.status not in (101, 204):
        good["content"] = _content(item.media, item.reply)
    refused = {"application/json": {"schema": {"$ref": "#/components/schemas/Problems"}}}
    codes = {**_REFUSALS, **item.replies}
    told = {str(item.status): good}
    for code, text in sorted(codes.items()):
        reply = item.reply if code < 300 or code == 503 else None
        content = _content(item.media, reply) if reply else refused
        told[str(code)] = {"description": text} | ({} if code == 304 else {"content": content})
    return told
