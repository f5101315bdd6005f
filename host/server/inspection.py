"""Routes that look inside a server: its log, the room on its disks."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from host.folders import WORK_KINDS
from host.server.keys import FOLDERS, SETTINGS
from host.server.log_book import LOG_BOOK, MOST_LINES, LogLine
from host.server.routing import query_of, route, told
from host.server.users import users_root

_LEVELS = ("debug", "info", "warning", "error", "critical")


class LogsQuery(BaseModel):
    """Which lines of the log to give."""

    after: int = Field(0, ge=0, le=2**53, description="Give lines with a higher number only.")
    level: Literal["info", "warning", "error"] = Field("info", description="The least level.")
    job: str = Field("", max_length=200, description="Lines about this job only.")
    limit: int = Field(200, ge=1, le=MOST_LINES)


class LineShape(BaseModel):
    """A line of the log. time: seconds since 1970; job, node: what it is about, or ""."""

    number: int
    time: float
    level: str
    logger: str
    message: str
    job: str
    node: str


class Lines(BaseModel):
    """The last lines that fit, the oldest first."""

    lines: list[LineShape]


class PlaceShape(BaseModel):
    """A folder. used: bytes in its files; total, free: bytes of the disk it is on."""

    name: str
    used: int
    files: int
    total: int
    free: int


class Storage(BaseModel):
    """Where the server's files lie, and how much room there is."""

    places: list[PlaceShape]


@route("GET", "/logs", "The last lines of the log", "admin", query=LogsQuery, reply=Lines)
async def get_logs(request: web.Request) -> web.StreamResponse:
    """A thousand are kept, without secrets."""
    query = query_of(request, LogsQuery)
    least = _LEVELS.index(query.level)
    fitting = [line for line in request.app[LOG_BOOK].lines if _fits(line, query, least)]
    return told({"lines": [_line(line) for line in fitting[-query.limit :]]})


def _fits(line: LogLine, query: LogsQuery, least: int) -> bool:
    rank = _LEVELS.index(line.level) if line.level in _LEVELS else least
    return line.number > query.after and rank >= least and query.job in ("", line.job)


def _line(line: LogLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "time": line.time,
        "level": line.level,
        "logger": line.logger,
        "message": line.message,
        "job": line.job,
        "node": line.node,
    }


@route("GET", "/system/storage", "The room that files take", "admin", reply=Storage)
async def get_storage(request: web.Request) -> web.StreamResponse:
    """Bytes of results, pictures and what users saved."""
    settings, folders = request.app[SETTINGS], request.app[FOLDERS]
    places = {kind: folders.places[kind][0] for kind in WORK_KINDS}
    places |= {"cache": settings.home / "cache", "user": users_root(settings)}
    found = await asyncio.to_thread(lambda: [_place(name, path) for name, path in places.items()])
    return told({"places": found})


def _place(name: str, folder: Path) -> dict[str, Any]:
    sizes = [_size(Path(root) / file) for root, _, files in os.walk(folder) for file in files]
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    disk = shutil.disk_usage(there)
    return {"name": name, "used": sum(sizes), "files": len(sizes), "total": disk.total, "free": disk.free}


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
