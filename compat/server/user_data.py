"""/userdata: a user's own files, workflows among them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from compat.server.replies import both, told
from compat.server.served_files import file_reply
from host.atomic import write_atomically
from host.paths import inside, inside_file
from host.server.users import user_folder, user_of

_MILLISECONDS: Final = 1000


def routes() -> list[web.RouteDef]:
    """The routes of users' files."""
    return [
        *both("GET", "/userdata", list_files),
        *both("GET", "/v2/userdata", list_all),
        *both("GET", "/userdata/{file}", read_file),
        *both("POST", "/userdata/{file}", write_file),
        *both("DELETE", "/userdata/{file}", delete_file),
        *both("POST", "/userdata/{file}/move/{dest}", move_file),
    ]


async def list_files(request: web.Request) -> web.StreamResponse:
    """The files of a folder: paths, paths in parts, or with their sizes and times."""
    query = request.query
    if not query.get("dir"):
        return _said(400, "Directory not provided")
    folder = inside(_root(request), query["dir"].lstrip("/"))
    if folder is None:
        return _said(403, "Invalid directory")
    if not folder.is_dir():
        return _said(404, "Directory not found")
    recurse, full, split = (_is_on(query.get(name)) for name in ("recurse", "full_info", "split"))
    files = sorted(path for path in _below(folder, deep=recurse) if path.is_file())
    if full:
        return told([_facts(path, folder) for path in files])
    names = [path.relative_to(folder).as_posix() for path in files]
    return told([[name, *name.split("/")] for name in names] if split else names)


async def list_all(request: web.Request) -> web.StreamResponse:
    """Everything below a folder, folders first, with paths from the user's root."""
    if user_of(request) is None:
        return _said(403, "Invalid user specified in request")
    root = _root(request)
    folder = inside(root, request.query.get("path", ""))
    if folder is None:
        return _said(400, "Invalid path")
    if not folder.is_dir():
        return _said(404, "Directory not found")
    found = sorted(_below(folder, deep=True), key=lambda path: (path.is_file(), path.name.casefold(), path))
    return told([_entry(path, root.resolve()) for path in found])


async def read_file(request: web.Request) -> web.StreamResponse:
    """A file as it is."""
    path = _named(request, "file")
    if not path.is_file():
        raise web.HTTPNotFound
    return file_reply(path)


async def write_file(request: web.Request) -> web.StreamResponse:
    """Write a file; says its path, or more where that is asked."""
    path = _named(request, "file")
    body = await request.read()
    if request.query.get("overwrite") == "false" and path.exists():
        return _said(409, "File already exists")
    try:
        write_atomically(path, body)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return _said(400, "A file and a folder would have the same name")
    return _written(request, path)


async def delete_file(request: web.Request) -> web.StreamResponse:
    """Remove a file."""
    path = _named(request, "file")
    if not path.is_file():
        raise web.HTTPNotFound
    path.unlink()
    return web.Response(status=204)


async def move_file(request: web.Request) -> web.StreamResponse:
    """Give a file another name; says the new one."""
    path, target = _named(request, "file"), _named(request, "dest")
    if not path.is_file():
        raise web.HTTPNotFound
    if request.query.get("overwrite") == "false" and target.exists():
        return _said(409, "File already exists")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(target)
        path.replace(target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return _said(400, "A file and a folder would have the same name")
    return _written(request, target)


def _said(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)


def _is_on(text: str | None) -> bool:
    return (text or "").lower() == "true"


def _root(request: web.Request) -> Path:
    folder = user_folder(request)
    if folder is None:
        raise web.HTTPUnauthorized
    return folder


def _named(request: web.Request, part: str) -> Path:
    """The place that a part of the path names, in the user's folder and not that folder itself."""
    root = _root(request)
    name = request.match_info[part]
    if not name:
        raise web.HTTPBadRequest
    path = inside(root, name)
    if path is None or path == root.resolve():
        raise web.HTTPForbidden
    return path


def _below(folder: Path, deep: bool) -> Iterator[Path]:
    """What lies in a folder, without hidden files; a link that leads out of it is no file of the user."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for path in current.iterdir():
            if path.name.startswith("."):
                continue
            if inside_file(folder, path.relative_to(folder).as_posix()) is not None:
                yield path
            elif path.is_dir() and not path.is_symlink():
                yield path
                if deep:
                    waiting.append(path)


def _facts(path: Path, base: Path) -> dict[str, Any]:
    facts = path.stat()
    return {
        "path": path.relative_to(base.resolve()).as_posix(),
        "size": facts.st_size,
        "modified": int(facts.st_mtime * _MILLISECONDS),
        "created": int(facts.st_ctime * _MILLISECONDS),
    }


def _entry(path: Path, root: Path) -> dict[str, Any]:
    name = {"name": path.name, "path": path.relative_to(root).as_posix()}
    if not path.is_file():
        return {**name, "type": "directory"}
    facts = path.stat()
    return {**name, "type": "file", "size": facts.st_size, "modified": facts.st_mtime}


def _written(request: web.Request, path: Path) -> web.Response:
    root = _root(request).resolve()
    full = _is_on(request.query.get("full_info"))
    return told(_facts(path, root) if full else path.relative_to(root).as_posix())
