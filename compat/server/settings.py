"""The settings of a user, as the front end keeps them: one JSON object in `comfy.settings.json`."""

import json
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web

from compat.server.replies import both, empty, json_body, json_object, json_text, told
from host.atomic import write_atomically
from host.server.users import user_folder

_FILE: Final = "comfy.settings.json"


def routes() -> list[web.RouteDef]:
    """The routes of settings."""
    return [
        *both("GET", "/settings", all_settings),
        *both("GET", "/settings/{id}", one_setting),
        *both("POST", "/settings", set_several),
        *both("POST", "/settings/{id}", set_one),
    ]


async def all_settings(request: web.Request) -> web.StreamResponse:
    """Every setting."""
    return told(_read(_folder(request)))


async def one_setting(request: web.Request) -> web.StreamResponse:
    """A setting's value, null when it is not set."""
    return told(_read(_folder(request)).get(request.match_info["id"]))


async def set_several(request: web.Request) -> web.StreamResponse:
    """Set what an object holds and leave the rest."""
    folder = _folder(request)
    _change(folder, await json_object(request))
    return empty()


async def set_one(request: web.Request) -> web.StreamResponse:
    """Set one setting to any JSON value."""
    folder = _folder(request)
    _change(folder, {request.match_info["id"]: await json_body(request)})
    return empty()


def _folder(request: web.Request) -> Path:
    folder = user_folder(request)
    if folder is None:
        raise web.HTTPUnauthorized
    return folder


def _read(folder: Path) -> dict[str, Any]:
    try:
        read = json.loads((folder / _FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", read) if isinstance(read, dict) else {}


def _change(folder: Path, values: dict[str, Any]) -> None:
    write_atomically(folder / _FILE, json_text(_read(folder) | values).encode())
