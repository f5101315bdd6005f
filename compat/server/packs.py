"""What plugins bring for the front end: scripts, translations, examples. No code of theirs is run."""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from aiohttp import web

from compat.server.replies import both, told
from compat.server.served_files import file_reply
from compat.server.surroundings import Surroundings, surroundings
from host.paths import inside, inside_file
from host.plugins.examples import EXAMPLE_FOLDERS, examples_of
from host.plugins.remembered import read_packs

_LOCALES: Final = {"main": None, "nodeDefs": "nodeDefs", "commands": "commands", "settings": "settings"}
_DISABLED: Final = ".disabled"
_WEB: Final = "WEB_DIRECTORY"


@dataclass(frozen=True, slots=True)
class Pack:
    """A plugin's folder; web: where its scripts for the browser lie."""

    name: str
    folder: Path
    web: Path | None


def routes() -> list[web.RouteDef]:
    """The routes of what plugins bring."""
    return [
        *both("GET", "/extensions", list_scripts),
        *both("GET", "/i18n", translations),
        *both("GET", "/workflow_templates", list_examples),
        web.get("/api/workflow_templates/{pack}/{file:.*}", example),
        web.get("/extensions/{pack}/{file:.*}", script),
    ]


async def list_scripts(request: web.Request) -> web.StreamResponse:
    """The paths of all scripts that the front end is to load."""
    around = surroundings(request)
    core = _scripts(around.web_root / "extensions", "/extensions") if around.web_root else ()
    packs = [path for pack in packs_of(around) if pack.web for path in _scripts(pack.web, _url(pack.name))]
    return told([*core, *packs])


async def script(request: web.Request) -> web.StreamResponse:
    """A file of a plugin's web folder, or of the front end's own extensions."""
    around, name, file = surroundings(request), request.match_info["pack"], request.match_info["file"]
    found = next((pack for pack in packs_of(around) if pack.name == name and pack.web), None)
    path = inside_file(found.web, file) if found and found.web else None
    if path is None and around.web_root is not None:
        path = inside_file(around.web_root / "extensions", name, file)
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def translations(request: web.Request) -> web.StreamResponse:
    """Plugins' texts by language, merged."""
    merged = dict[str, Any]()
    for pack in packs_of(surroundings(request)):
        for language in sorted((pack.folder / "locales").glob("*/")):
            _merge(merged.setdefault(language.name, {}), _locale(language))
    return told(merged)


async def list_examples(request: web.Request) -> web.StreamResponse:
    """The names of plugins' example workflows."""
    packs = packs_of(surroundings(request))
    found = {pack.name: sorted({path.stem for path in examples_of(pack.folder)}) for pack in packs}
    return told({name: names for name, names in found.items() if names})


async def example(request: web.Request) -> web.StreamResponse:
    """An example workflow, or its picture."""
    name, file = request.match_info["pack"], request.match_info["file"]
    for pack in packs_of(surroundings(request)):
        for folder in EXAMPLE_FOLDERS if pack.name == name else ():
            root = inside(pack.folder, folder)
            if root is not None and (path := inside_file(root, file)) is not None:
                return file_reply(path)
    raise web.HTTPNotFound


def packs_of(around: Surroundings) -> list[Pack]:
    """The plugins there are: folders with an `__init__.py`."""
    folders = [path for root in around.plugins if root.is_dir() for path in sorted(root.iterdir())]
    told = {pack.path: Path(pack.web) for pack in read_packs(around.settings.home / "cache") if pack.web}
    return [
        Pack(path.name, path, _web_folder(path) or _own(path, told.get(str(path))))
        for path in folders
        if (path / "__init__.py").is_file() and not path.name.endswith(_DISABLED)
    ]


def _own(folder: Path, web: Path | None) -> Path | None:
    """The folder for scripts that a plugin worked out when a worker loaded it, where it is one of its own."""
    if web is None or not web.is_dir() or not web.resolve().is_relative_to(folder.resolve()):
        return None
    return web


def _web_folder(folder: Path) -> Path | None:
    """The folder that a plugin says its scripts lie in; its code is read, not run."""
    try:
        tree = ast.parse((folder / "__init__.py").read_text("utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    for item in tree.body:
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(place))) if (
                name == _WEB
            ):
                found = inside(folder, place)
                return found if found is not None and found.is_dir() else None
            case _:
                pass
    return None


def _scripts(folder: Path, url: str) -> list[str]:
    paths = sorted(path for path in folder.rglob("*.js") if path.is_file())
    return [f"{url}/{quote(path.relative_to(folder).as_posix())}" for path in paths]


def _url(pack: str) -> str:
    return f"/extensions/{quote(pack)}"


def _locale(folder: Path) -> dict[str, Any]:
    texts = dict[str, Any]()
    for file, key in _LOCALES.items():
        read = _json_object(folder / f"{file}.json")
        _merge(texts, read if key is None else ({key: read} if read else {}))
    return texts


def _json_object(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", read) if isinstance(read, dict) else {}


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Add one tree of texts to another; in both, the later wins."""
    waiting = [(into, more)]
    while waiting:
        target, source = waiting.pop()
        for key, value in source.items():
            if isinstance(value, dict) and isinstance(target.get(key), dict):
                waiting.append((target[key], cast("dict[str, Any]", value)))
            else:
                target[key] = value


def installed_folder(package: str, folder: str) -> Sequence[Path]:
    """A folder of an installed package that only brings files, at most one."""
    from importlib.util import find_spec

    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [Path(place) / folder for place in places]
    return [path for path in found if path.is_dir()][:1]
