"""The users there are, and new ones."""

import json
import re
from typing import Final
from uuid import uuid4

from aiohttp import web

from compat.server.replies import both, json_object, told
from compat.server.surroundings import surroundings
from host.atomic import write_atomically
from host.server.users import DEFAULT_USER, USERS_FILE, known_users

_NOT_PLAIN: Final = re.compile(r"[^a-zA-Z0-9_-]+")


def routes() -> list[web.RouteDef]:
    """The routes of users."""
    return [*both("GET", "/users", list_users), *both("POST", "/users", add_user)]


async def list_users(request: web.Request) -> web.StreamResponse:
    """The users, or with one only whether that one has files here yet."""
    around = surroundings(request)
    if around.settings.multi_user:
        return told({"storage": "server", "users": known_users(around.settings)})
    return told({"storage": "server", "migrated": (around.users / DEFAULT_USER).is_dir()})


async def add_user(request: web.Request) -> web.StreamResponse:
    """A new user's id."""
    around = surroundings(request)
    name = (await json_object(request)).get("username")
    if not isinstance(name, str) or not name.strip():
        return told({"error": "A user needs a name."}, 400)
    known = known_users(around.settings)
    if name in known.values():
        return told({"error": "Duplicate username."}, 400)
    id = f"{_NOT_PLAIN.sub('', name)[:64]}_{uuid4()}"
    write_atomically(around.users / USERS_FILE, json.dumps({**known, id: name}).encode())
    return told(id)
