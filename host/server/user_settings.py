"""Routes of a user's settings: checked, whole on disk, the same in every browser."""

import asyncio
import json
from typing import Any, Final, Literal, cast

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from host.atomic import write_atomically
from host.server.etags import check_match, is_known, quoted, tag_of, unchanged
from host.server.refusals import Refused, writing
from host.server.routing import body_of, route, told
from host.server.shapes import Asked
from host.server.users import own_folder
from host.server.workflows import SAVING

FILE: Final = "darkroom.settings.json"
LARGEST: Final = 2**18


class UserSettings(Asked):
    """What a user has chosen. extra: whatever the editor and plugins keep, by names of their own."""

    theme: Literal["system", "dark", "light"] = Field("system", description="The editor's colours.")
    language: str = Field("", max_length=35, description='A language tag such as "de"; "": the browser\'s.')
    previews: bool = Field(True, description="Show pictures while they are made.")
    autosave: float = Field(
        5.0, ge=0, le=3600, description="Seconds after a change until it is saved; 0: never."
    )
    snap: int = Field(10, ge=0, le=200, description="Pixels of the grid that nodes keep to; 0: none.")
    links: Literal["curved", "straight", "stepped"] = Field("curved", description="How links are drawn.")
    shapes: bool = Field(False, description="Show sizes on every link, not only where they help.")
    minimap: bool = Field(True, description="Show a map of the workflow.")
    motion: Literal["system", "reduced"] = Field("system", description="Whether things may move.")
    check: bool = Field(True, description="Look for problems after each change.")
    keys: dict[str, list[str]] = Field(
        default_factory=dict[str, list[str]], description="Keys of commands, in place of the usual ones."
    )
    confirm_delete: bool = Field(True, description="Ask before something is deleted.")
    extra: dict[str, Any] = Field(default_factory=dict[str, Any])


class SettingsChange(Asked):
    """Settings to change; null gives one its default back. In `extra` likewise, name by name."""

    values: dict[str, Any]


class SettingsShape(BaseModel):
    """A user's settings, and which of them are not as they are at first."""

    values: UserSettings
    changed: list[str]


@route("GET", "/settings", "Your settings", reply=SettingsShape, replies={304: "You have them."})
async def get_settings(request: web.Request) -> web.StreamResponse:
    """Defaults stand where nothing is chosen."""
    kept = await asyncio.to_thread(_read, request)
    tag = _tag(kept)
    return unchanged(tag) if is_known(request, tag) else _told(kept)


@route("GET", "/settings/schema", "What settings there are")
async def get_settings_schema(request: web.Request) -> web.StreamResponse:
    """As JSON Schema, with descriptions, defaults and bounds."""
    return told(UserSettings.model_json_schema())


@route(
    "PATCH",
    "/settings",
    "Change settings",
    "editor",
    body=SettingsChange,
    reply=SettingsShape,
    replies={412: "They are not what If-Match says."},
)
async def change_settings(request: web.Request) -> web.StreamResponse:
    """All of the changes or, where one is wrong, none."""
    asked = (await body_of(request, SettingsChange)).values
    folder = own_folder(request)

    def changed() -> dict[str, Any]:
        with request.app[SAVING]:
            kept = _read(request)
            check_match(request.headers.get("If-Match"), _tag(kept))
            new = _merged(kept, asked)
            data = json.dumps(new, ensure_ascii=False, indent=1).encode()
            if len(data) > LARGEST:
                fix = "Keep less in extra."
                raise Refused(413, "too_large", "All settings together may take 256 kB.", fix)
            with writing("The settings"):
                write_atomically(folder / FILE, data)
        return new

    return _told(await asyncio.to_thread(changed))


def _read(request: web.Request) -> dict[str, Any]:
    """What was chosen; what no longer fits is left out."""
    try:
        read: object = json.loads((own_folder(request) / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    kept = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    known = {name: kept[name] for name in UserSettings.model_fields if name in kept}
    try:
        UserSettings.model_validate(known)
    except ValidationError as error:
        wrong = {item["loc"][0] for item in error.errors()}
        return {name: value for name, value in known.items() if name not in wrong}
    return known


def _merged(kept: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Kept settings with changes. Raises Refused (400)."""
    extra = asked.get("extra")
    if isinstance(extra, dict):
        asked = {**asked, "extra": _without_nulls({**kept.get("extra", {}), **extra})}
    new = _without_nulls({**kept, **asked})
    try:
        UserSettings.model_validate(new)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Refused(
            400, "bad_setting", f"{place[:200]}: {first['msg']}.", "See /settings/schema."
        ) from None
    return new


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _tag(kept: dict[str, Any]) -> str:
    return tag_of(json.dumps(kept, sort_keys=True).encode())


def _told(kept: dict[str, Any]) -> web.Response:
    values = UserSettings.model_validate(kept).model_dump()
    return told({"values": values, "changed": sorted(kept)}, headers=quoted(_tag(kept)))
