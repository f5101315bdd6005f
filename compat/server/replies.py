"""Reading requests and making replies in ComfyUI's ways."""

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BROKEN: Final = "500 Internal Server Error\n\nServer got itself in trouble"
"""What clients are told of a body that is not JSON, as the field has it."""
_DEEPEST: Final = 200


def both(method: str, path: str, handler: Handler) -> list[web.RouteDef]:
    """A route at its path and under /api; GET answers HEAD too."""
    paths = (path, f"/api{path}")
    if method == "GET":
        return [web.get(one, handler) for one in paths]
    return [web.route(method, one, handler) for one in paths]


def broken() -> web.HTTPInternalServerError:
    """The reply to a body that cannot be read."""
    return web.HTTPInternalServerError(text=BROKEN)


def empty() -> web.Response:
    """Success with nothing to say: 200 and no body."""
    return web.Response()


def told(value: Any, status: int = 200) -> web.Response:
    """JSON; numbers that JSON lacks (NaN) become null."""
    return web.json_response(value, status=status, dumps=json_text)


def json_text(value: Any) -> str:
    """A value as JSON text that every reader takes."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in cast("list[Any]", value)]
    return value


async def json_body(request: web.Request) -> Any:
    """The JSON of a body, whatever its content type. Raises the field's 500 when it is none."""
    try:
        return read_json(await request.read())
    except (ValueError, RecursionError):
        raise broken() from None


def read_json(data: bytes) -> Any:
    """JSON as clients send it: NaN counts as null, halves of characters are replaced.

    Raises ValueError when it is none, or nested deeper than 200 levels.
    """
    text = data.decode("utf-8")
    value = json.loads(text, parse_constant=_nothing)
    if "\\ud" in text or "\\uD" in text:
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    if text.count("[") + text.count("{") > _DEEPEST and _is_deeper(value, _DEEPEST):
        raise ValueError("nested too deep")
    return value


def _nothing(_name: str) -> None:
    return None


def _is_deeper(value: Any, levels: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(levels):
        layer = [item for holder in layer for item in _inner(holder)]
        if not layer:
            return False
    return True


def _inner(holder: Any) -> list[Any]:
    if isinstance(holder, dict):
        return list(cast("dict[Any, Any]", holder).values())
    return cast("list[Any]", holder) if isinstance(holder, list) else []


async def json_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of a body. Raises the field's 500 for anything else."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise broken()
    return cast("dict[str, Any]", body)


def is_yes(text: str | None) -> bool:
    """Whether a query parameter or form field means yes."""
    return (text or "").lower() in ("true", "1")
