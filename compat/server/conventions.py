"""What holds for every route: OPTIONS, the guard against other sites, caching, compression."""

from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import SplitResult, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from compat.server.replies import Handler
from host.server.settings import Settings

_OURS: Final = ("/api/v1/", "/healthz", "/readyz", "/metrics")
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})
_A_DAY: Final = "public, max-age=86400"
_AN_HOUR: Final = "public, max-age=3600"
_COMPRESSED: Final = ("application/json", "text/plain")


def middlewares(settings: Settings) -> list[Middleware]:
    """The conventions as middlewares; our own API has its own and is let pass."""
    guard = refuse_other_sites if settings.cors_origin is None else allow_origin(settings.cors_origin or "*")
    return [cache_control, *([compress] if settings.compress else []), guard, answer_options]


def _is_ours(request: web.Request) -> bool:
    return request.path.startswith(_OURS)


@web.middleware
async def answer_options(request: web.Request, handler: Handler) -> web.StreamResponse:
    """OPTIONS of any path is 200 with no body."""
    if request.method == "OPTIONS" and not _is_ours(request):
        return web.Response()
    return await handler(request)


def allow_origin(origin: str) -> Middleware:
    """Tells browsers that pages of this origin may ask."""
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST, GET, DELETE, PUT, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type, Authorization",
        "Access-Control-Allow-Credentials": "true",
    }

    @web.middleware
    async def allow(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(headers)
            raise
        if not response.prepared:
            response.headers.update(headers)
        return response

    return allow


@web.middleware
async def refuse_other_sites(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page of another site may not use a server on this machine through its visitor's browser."""
    if is_cross_site(request.headers.get("Host", ""), request.headers.get("Origin", "")):
        return web.Response(status=403)
    return await handler(request)


def is_cross_site(host: str, origin: str) -> bool:
    """Whether a request to a loopback name comes from a page of another; ports count where both are given."""
    if not host or not origin:
        return False
    try:
        asked, asking = urlsplit(f"//{host}"), urlsplit(origin)
        return _is_loopback(asked.hostname) and not _is_same(asked, asking)
    except ValueError:
        return True


def _is_same(asked: SplitResult, asking: SplitResult) -> bool:
    ports = (asked.port, asking.port)
    return asked.hostname == asking.hostname and (None in ports or ports[0] == ports[1])


def _is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


@web.middleware
async def cache_control(request: web.Request, handler: Handler) -> web.StreamResponse:
    """How long browsers may keep what lies at a path."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        _mark(request, error)
        raise
    if not response.prepared:
        _mark(request, response)
    return response


def _mark(request: web.Request, response: web.StreamResponse) -> None:
    if _is_ours(request):
        return
    if request.path == "/":
        response.headers.update({"Cache-Control": "no-cache", "Pragma": "no-cache", "Expires": "0"})
    elif (told := _cache_header(request.path, response.status)) is not None:
        response.headers.setdefault("Cache-Control", told)


def _cache_header(path: str, status: int) -> str | None:
    place = PurePosixPath(path)
    if place.suffix in (".js", ".css") or (place.name.startswith("index") and place.suffix == ".json"):
        return "no-cache"
    if place.suffix.lower() not in _PICTURES:
        return None
    if status in (302, 303, 307):
        return "no-cache"
    if status == 404:
        return _AN_HOUR
    return _A_DAY if 200 <= status < 300 or status in (301, 304, 308) else None


@web.middleware
async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Texts are sent compressed to those who take it."""
    response = await handler(request)
    fresh = isinstance(response, web.Response) and not response.prepared and response.body
    if fresh and response.content_type in _COMPRESSED and not _is_ours(request):
        response.enable_compression()
    return response
