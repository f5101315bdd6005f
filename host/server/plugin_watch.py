"""Loading plugins again when their files change, while somebody writes them."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from host.folders import PLUGINS, Folders
from host.jobs.board import Board

LOG: Final = logging.getLogger("darkroom.plugins")
ENDINGS: Final = (".py", ".toml", ".lock", ".js", ".mjs", ".css", ".json")
LOOK_EVERY: Final = 1.0
_ASIDE: Final = ("__pycache__", "node_modules")
_CHANGED: Final = "plugins changed, and are loaded again"


async def watch_plugins(board: Board, folders: Folders) -> None:
    """Start workers anew, each after its job, whenever a file of a plugin changed."""
    roots = folders.folders(PLUGINS)
    known = await asyncio.to_thread(marks, roots)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        found = await asyncio.to_thread(marks, roots)
        if found != known:
            changed = sorted({path.name for path, _ in found ^ known})
            LOG.info("%s changed: plugins are loaded again.", ", ".join(changed[:5]))
            known = found
            board.renew_workers(_CHANGED)


def marks(roots: Sequence[Path]) -> frozenset[tuple[Path, int]]:
    """The files of plugins that matter, and when each changed."""
    found = (path for root in roots for path in _files(root))
    return frozenset((path, mark) for path in found if (mark := _mark(path)))


def _mark(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _files(root: Path) -> Iterator[Path]:
    waiting = [root]
    while waiting:
        try:
            inner = list(waiting.pop().iterdir())
        except OSError:
            continue
        yield from (path for path in inner if path.suffix in ENDINGS)
        waiting += [
            path for path in inner if path.name not in _ASIDE and path.is_dir() and path.name[0] != "."
        ]
