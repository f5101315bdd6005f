"""Who may ask what: the middlewares that every request passes, in this order.

1. told errors: what a handler raises becomes problems in JSON under /api/v1, a 500 without details elsewhere
2. host and origin: a page of another site, or a name that only pretends to be this machine, is refused (403)
3. token and role: `request[ROLE]` is set; a request that needs more is refused (401, 403)

A protocol from above adds its own after these (`app.middlewares.append`). `nosniff` and a content security
policy go on every reply that has none of its own.
"""

import hmac
import logging
import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from graph.problems import WorkflowError
from host.jobs.service import NotStored, UnknownJob, WrongState
from host.server.refusals import Refused
from host.server.settings import Settings, is_loopback

Role = Literal["viewer", "runner", "editor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""Each may do what those before it may."""
ROLE: Final = web.RequestKey("role", str)
COOKIE: Final = "darkroom_token"
OURS: Final = ("/api/v1/", "/healthz", "/readyz", "/metrics")
LOG: Final = logging.getLogger("darkroom.server")

RoleOf = Callable[[web.Request], Role | None]
"""The role that a request needs; None: anybody may."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_INNER: Final = "/internal/"
_EDITING: Final = ("/userdata", "/settings", "/users", "/v2/userdata")
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def is_ours(request: web.Request) -> bool:
    """Whether a path belongs to our API."""
    return request.path.startswith(OURS)


def guards(settings: Settings, role_of: RoleOf) -> list[Middleware]:
    """The middlewares, outermost first. role_of: the role that one of our routes asks for."""
    return [tell_errors, check_sites(settings), check_token(settings, role_of)]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every reply tells a browser; an `on_response_prepare` signal, so that streams carry it too."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if is_ours(request):
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Cache-Control", "no-store")


# Errors


@web.middleware
async def tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Exceptions as replies; what nobody foresaw is logged with its trace and told without it."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if is_ours(request) and error.status >= 400:
            return _refusal("http", f"{error.reason}: {request.method} {request.path}.", error.status)
        raise
    except WorkflowError as error:
        from host.server.routing import problems

        return problems(error.problems)
    except Refused as error:
        return _refusal(error.code, error.message, error.status, error.fix)
    except tuple(_STATUSES) as error:
        status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
        return _refusal(_CODES[status], str(error) or "It took too long.", status)
    except ConnectionResetError:
        raise
    except Exception:
        LOG.exception("%s %s failed.", request.method, request.path)
        if is_ours(request):
            return _refusal("internal", "Something went wrong inside Darkroom; its log says what.", 500)
        raise


_STATUSES: Final[Mapping[type[BaseException], int]] = {
    UnknownJob: 404,
    WrongState: 409,
    NotStored: 507,
    TimeoutError: 504,
    sqlite3.Error: 507,
}
_CODES: Final = {404: "unknown_job", 409: "wrong_state", 507: "not_stored", 504: "timeout"}


def _refusal(code: str, message: str, status: int, fix: str = "") -> web.Response:
    from host.server.routing import problem

    return problem(code, message, status, fix)


# Host and origin


def check_sites(settings: Settings) -> Middleware:
    """Refuses pages of other sites, and names that were made to point here (DNS rebinding)."""
    trusts_names = bool(settings.tokens) or settings.insecure or not settings.is_local

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if not trusts_names and host and not is_loopback(_name(host)):
            message = f"This server answers on this machine only, not as {_name(host)[:80]}."
            return _refusal("wrong_host", f"{message} Start it with --token or --insecure to allow it.", 403)
        origin = request.headers.get("Origin")
        if is_ours(request) and origin and not may_ask(origin, host, settings.cors_origin):
            return _refusal("wrong_origin", "Pages of other sites may not ask this server.", 403)
        return await handler(request)

    return check


@lru_cache(maxsize=256)
def _name(host: str) -> str:
    """The name in a Host header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def may_ask(origin: str, host: str, allowed: str | None) -> bool:
    """Whether a page of this origin may ask the server that is called so."""
    if allowed is not None and allowed in ("*", "", origin):
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


# Token and role


def check_token(settings: Settings, role_of: RoleOf) -> Middleware:
    """Finds out the role of a request and refuses one that is not enough."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        needed = role_of(request)
        if needed is None or not settings.tokens:
            request[ROLE] = "admin"
            return await handler(request)
        role = role_with(settings.tokens, given_tokens(request))
        if role is None:
            return _refusal("no_token", "A token is needed: send it as 'Authorization: Bearer TOKEN'.", 401)
        if ROLES.index(role) < ROLES.index(needed):
            return _refusal("not_allowed", f"That needs the role {needed}; this token has {role}.", 403)
        request[ROLE] = role
        response = await handler(request)
        _remember(request, response)
        return response

    return check


def given_tokens(request: web.Request) -> list[str]:
    """The tokens that a request carries: header, cookie, query."""
    scheme, _, header = request.headers.get("Authorization", "").partition(" ")
    found = [header.strip() if scheme.lower() == "bearer" else ""]
    found += [request.cookies.get(COOKIE, ""), request.query.get("token", "")]
    return [token for token in found if token]


def role_with(tokens: Mapping[str, str], given: list[str]) -> Role | None:
    """The role of the first given token that is known; the comparison tells nothing by its time."""
    for token in given:
        for known, role in tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                return next(name for name in ROLES if name == role)
    return None


def _remember(request: web.Request, response: web.StreamResponse) -> None:
    """A page that was opened with the token in its address keeps it as a cookie."""
    token = request.query.get("token")
    if token and request.method == "GET" and not response.prepared:
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=request.secure)


def role_of_foreign(request: web.Request) -> Role:
    """The role that a route of another protocol needs: looking, running, changing what is saved; the log."""
    if request.path.startswith(_INNER):
        return "admin"
    if request.method in SAFE:
        return "viewer"
    path = request.path.removeprefix("/api")
    return "editor" if path.startswith(_EDITING) else "runner"
