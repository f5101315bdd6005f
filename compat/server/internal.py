"""/internal: the log, folders and files, for the front end's own use."""

from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, Final

from aiohttp import web

from compat.server.live import LIVE
from compat.server.models import model_folders
from compat.server.replies import empty, json_object, told
from compat.server.surroundings import surroundings
from host.folders import WORK_KINDS
from host.server.log_book import LOG_BOOK, LogLine

_MOST_LINES: Final = 300
Entry = dict[str, str]


def routes() -> list[web.RouteDef]:
    """The routes without the /api form."""
    return [
        web.get("/internal/logs", log_text),
        web.get("/internal/logs/raw", log_entries),
        web.patch("/internal/logs/subscribe", subscribe),
        web.get("/internal/folder_paths", folder_paths),
        web.get("/internal/files/{kind}", files),
    ]


async def log_text(request: web.Request) -> web.StreamResponse:
    """The last lines as one text."""
    return told("".join(f"{entry['t']} - {entry['m']}" for entry in _entries(request)))


async def log_entries(request: web.Request) -> web.StreamResponse:
    """The last lines one by one."""
    return told({"entries": _entries(request), "size": terminal_size()})


async def subscribe(request: web.Request) -> web.StreamResponse:
    """Let a client read new lines as they come, or no longer."""
    body, readers = await json_object(request), request.app[LIVE].log_readers
    client = body.get("clientId")
    if isinstance(client, str):
        (readers.add if body.get("enabled") else readers.discard)(client)
    return empty()


async def folder_paths(request: web.Request) -> web.StreamResponse:
    """Model folders' places by name."""
    folders = model_folders(surroundings(request))
    return told({name: [str(path) for path in paths] for name, paths in folders.items()})


async def files(request: web.Request) -> web.StreamResponse:
    """The names of files in the output, input or temp folder, the newest first."""
    kind = request.match_info["kind"]
    if kind not in WORK_KINDS:
        return told({"error": "Invalid directory type"}, 400)
    folder = surroundings(request).folders.folder(kind)
    found = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return told([path.name for path in sorted(found, key=_changed, reverse=True)])


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def log_entry(line: LogLine) -> Entry:
    """A line of the log as ComfyUI's clients know it."""
    return {"t": datetime.fromtimestamp(line.time, UTC).isoformat(), "m": f"{line.message}\n"}


def _entries(request: web.Request) -> list[Entry]:
    return [log_entry(line) for line in request.app[LOG_BOOK].lines[-_MOST_LINES:]]


def terminal_size() -> dict[str, Any]:
    """The columns and rows of the terminal the server runs in, as usual where it has none."""
    size = get_terminal_size()
    return {"cols": size.columns, "rows": size.lines}
