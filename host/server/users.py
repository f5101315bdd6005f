"""Who asks, and where that user's files lie. With one user only, that is `default`."""

import json
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web

from host.server.keys import SETTINGS
from host.server.settings import Settings

DEFAULT_USER: Final = "default"
USERS_FILE: Final = "users.json"
USER_HEADER: Final = "comfy-user"


def users_root(settings: Settings) -> Path:
    """The folder of all users' files."""
    return settings.user or settings.home / "user"


def known_users(settings: Settings) -> dict[str, str]:
    """The names of users by their ids."""
    try:
        read = json.loads((users_root(settings) / USERS_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        read = None
    if isinstance(read, dict):
        items = cast("dict[Any, Any]", read).items()
        return {str(id): str(name) for id, name in items if Path(str(id)).name == str(id)}
    return {} if settings.multi_user else {DEFAULT_USER: DEFAULT_USER}


def user_of(request: web.Request) -> str | None:
    """The id of the user who asks, None for one that is not known."""
    settings = request.app[SETTINGS]
    if not settings.multi_user:
        return DEFAULT_USER
    id = request.headers.get(USER_HEADER, "")
    return id if id in known_users(settings) else None


def user_folder(request: web.Request) -> Path | None:
    """The folder of the user who asks, made if it is not there; None for one that is not known."""
    user = user_of(request)
    if user is None:
        return None
    folder = users_root(request.app[SETTINGS]) / user
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def own_folder(request: web.Request) -> Path:
    """The same for our own routes. Raises HTTPForbidden for a user who is not known."""
    folder = user_folder(request)
    if folder is None:
        raise web.HTTPForbidden
    return folder
