"""Sending files that users made: with types and headers that keep a browser from running them."""

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web

_RUNNABLE: Final = frozenset(
    {
        "text/html",
        "text/html-sandboxed",
        "application/xhtml+xml",
        "text/javascript",
        "application/javascript",
        "text/css",
    }
)
_PLAIN: Final = "application/octet-stream"


def content_type(name: str) -> str:
    """The type of a file by its name; what a browser would run is plain bytes."""
    guessed, encoding = mimetypes.guess_type(name)
    return _PLAIN if guessed is None or encoding or guessed in _RUNNABLE else guessed


def file_headers(name: str) -> dict[str, str]:
    """The headers that a user's file is sent with."""
    return {
        "Content-Type": content_type(name),
        "Content-Disposition": f'filename="{_quotable(name)}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }


def file_reply(path: Path) -> web.FileResponse:
    """A file as it is; ranges and conditional requests work."""
    return web.FileResponse(path, headers=file_headers(path.name))


def _quotable(name: str) -> str:
    return "".join(character for character in name if character.isprintable() and character not in '"\\')
