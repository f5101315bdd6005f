"""Our routes as values: one function each, with what the API's description, its guards and it itself need."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, TypeVar, cast

from aiohttp import web
from pydantic import BaseModel, ValidationError

from graph.problems import Problem, WorkflowError
from host.server.problems_json import problem_json
from host.server.security import Role

PREFIX: Final = "/api/v1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of our API.

    path: below /api/v1 unless it starts with "//" (then at the root). body, query, reply: pydantic shapes.
    replies: other statuses and what they mean. media: what the reply is, JSON by default.
    raw: what the body may be where it has no shape: media types.
    """

    method: str
    path: str
    summary: str
    role: Role
    handler: Handler
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    reply: type[BaseModel] | None = None
    status: int = 200
    replies: Mapping[int, str] = field(default_factory=dict[int, str])
    media: str = "application/json"
    raw: tuple[str, ...] = ()

    @property
    def full_path(self) -> str:
        """Where it is served."""
        return self.path[1:] if self.path.startswith("//") else PREFIX + self.path

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.handler.__name__


def route(
    method: str, path: str, summary: str, role: Role = "viewer", **more: Any
) -> Callable[[Handler], Route]:
    """Makes a Route of a handler: `@route("GET", "/jobs", "List jobs", query=JobsQuery, reply=JobsPage)`."""
    return lambda handler: Route(method, path, summary, role, handler, **more)


def routes_in(*modules: ModuleType) -> tuple[Route, ...]:
    """All routes of modules, in the order they are written."""
    values = (value for module in modules for value in vars(module).values())
    return tuple(value for value in values if isinstance(value, Route))


ROUTES: Final = web.AppKey("routes", Mapping[str, Route])
"""Our routes, by method and path pattern: "GET /api/v1/jobs/{id}"."""


def by_place(routes: tuple[Route, ...]) -> Mapping[str, Route]:
    """Routes by method and path pattern."""
    return {f"{item.method} {item.full_path}": item for item in routes}


def route_of(request: web.Request) -> Route | None:
    """Our route that a request goes to, None for another protocol's."""
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return request.app[ROUTES].get(f"{method} {resource.canonical}") if resource else None


# Requests


async def body_of(request: web.Request, shape: type[Shape]) -> Shape:
    """The JSON body in this shape. Raises WorkflowError with every fault."""
    text = await request.read()
    try:
        return shape.model_validate_json(text or b"{}")
    except ValidationError as error:
        raise _faults(error, "the body") from None


def query_of(request: web.Request, shape: type[Shape]) -> Shape:
    """The query in this shape; fields that are lists may be given several times. Raises WorkflowError."""
    given: dict[str, Any] = {}
    for name in request.query:
        known = shape.model_fields.get(name)
        if known is not None:
            is_list = str(known.annotation).startswith(("list", "tuple"))
            given[name] = request.query.getall(name) if is_list else request.query[name]
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise _faults(error, "the query") from None


def _faults(error: ValidationError, where: str) -> WorkflowError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return WorkflowError(
        Problem(
            "bad_request", f"In {where}, {'.'.join(map(str, item['loc'])) or 'all of it'}: {item['msg']}."
        )
        for item in faults
    )


# Replies


def told(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON reply."""
    return web.Response(
        text=json.dumps(value, ensure_ascii=False),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def shaped(value: BaseModel, status: int = 200) -> web.Response:
    """A reply of a pydantic shape."""
    return web.Response(text=value.model_dump_json(), status=status, content_type="application/json")


def problem(code: str, message: str, status: int, fix: str = "") -> web.Response:
    """A refusal: a list of one problem."""
    return problems([Problem(code, message, fix=fix)], status)


def problems(found: list[Problem] | tuple[Problem, ...], status: int = 400) -> web.Response:
    """A refusal with everything that is wrong."""
    return told({"problems": [problem_json(item) for item in found]}, status)


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object in a text. Raises ValueError."""
    value: object = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("It is no object.")
    return cast("dict[str, Any]", value)
