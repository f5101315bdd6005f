"""Who asks, and where that user's files lie."""

import json
import re
from pathlib import Path
from typing import Any, Final, cast
from uuid import uuid4

from aiohttp import web

from compat.server.atomic import write_atomically
from compat.server.replies import both, json_object, told
from compat.server.surroundings import Surroundings, surroundings

_DEFAULT: Final = "default"
_LIST: Final = "users.json"
_HEADER: Final = "comfy-user"
_NOT_PLAIN: Final = re.compile(r"[^a-zA-Z0-9_-]+")


def routes() -> list[web.RouteDef]:
    """The routes of users."""
    return [*both("GET", "/users", list_users), *both("POST", "/users", add_user)]


async def list_users(request: web.Request) -> web.StreamResponse:
    """The users, or with one only whether that one has files here yet."""
    around = surroundings(request)
    if around.settings.multi_user:
        return told({"storage": "server", "users": _known(around)})
    return told({"storage": "server", "migrated": (around.users / _DEFAULT).is_dir()})


async def add_user(request: web.Request) -> web.StreamResponse:
    """A new user's id."""
    around = surroundings(request)
    name = (await json_object(request)).get("username")
    if not isinstance(name, str) or not name.strip():
        return told({"error": "A user needs a name."}, 400)
    known = _known(around)
    if name in known.values():
        return told({"error": "Duplicate username."}, 400)
    id = f"{_NOT_PLAIN.sub('', name)[:64]}_{uuid4()}"
    write_atomically(around.users / _LIST, json.dumps({**known, id: name}).encode())
    return told(id)


def user_of(request: web.Request) -> str | None:
    """The id of the user who asks, None for one that is not known."""
    around = surroundings(request)
    if not around.settings.multi_user:
        return _DEFAULT
    id = request.headers.get(_HEADER, "")
    return id if id in _known(around) else None


def user_folder(request: web.Request) -> Path | None:
    """The folder of the user who asks, made if it is not there; None for one that is not known."""
    user = user_of(request)
    if user is None:
        return None
    folder = surroundings(request).users / user
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _known(around: Surroundings) -> dict[str, str]:
    try:
        read = json.loads((around.users / _LIST).read_text("utf-8"))
    except (OSError, ValueError):
        read = None
    if isinstance(read, dict):
        items = cast("dict[Any, Any]", read).items()
        return {str(id): str(name) for id, name in items if Path(str(id)).name == str(id)}
    return {} if around.settings.multi_user else {_DEFAULT: _DEFAULT}
