"""Files that went in and came out: listed without asking each file anew, taken in piece by piece."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from host.covers import PICTURE_ENDINGS
from host.paths import inside
from host.pictures import size_of
from host.server.refusals import Refused, writing
from host.settling import settle

_SETTLED: Final = 10**8
"""Nanoseconds after a change until a folder's time tells it from the next one."""
_CHECKED: Final = (*PICTURE_ENDINGS, ".avif", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file. name: from its folder, with /; modified: ns since 1970."""

    name: str
    size: int
    modified: int


@dataclass(slots=True)
class AssetList:
    """The files of folders. One whose own time has not changed is not read again.

    Hidden files and links are left out.
    """

    _read: dict[Path, tuple[int, list[Asset], list[str]]] = field(
        default_factory=dict[Path, tuple[int, list[Asset], list[str]]]
    )

    def of(self, root: Path) -> Iterator[Asset]:
        """All files below a folder."""
        waiting = [(root, "")]
        while waiting:
            folder, prefix = waiting.pop()
            try:
                changed = folder.stat().st_mtime_ns
                known = self._read.get(folder)
                if known is None or known[0] != changed:
                    settled = time.time_ns() - changed > _SETTLED
                    known = self._read[folder] = (changed if settled else 0, *_entries(folder))
            except OSError:
                continue
            waiting.extend((folder / name, f"{prefix}{name}/") for name in known[2])
            yield from (Asset(prefix + item.name, item.size, item.modified) for item in known[1])


def _entries(folder: Path) -> tuple[list[Asset], list[str]]:
    files, folders = list[Asset](), list[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                files.append(Asset(entry.name, facts.st_size, facts.st_mtime_ns))
    return files, folders


def place_for(root: Path, name: str) -> Path:
    """Where a file of this name goes. Raises Refused."""
    path = inside(root, name)
    hidden = any(part.startswith(".") for part in name.replace("\\", "/").split("/"))
    if path is None or path == root.resolve() or hidden or name.endswith(("/", "\\")):
        fix = "Use plain names, with / between folders."
        raise Refused(400, "bad_name", f"{name[:200]!r} is no name for a file.", fix)
    return path


async def take_in(wanted: Path, chunks: AsyncIterator[bytes], most: int, overwrite: bool) -> Path:
    """Write what comes in, and give the path it has then. Raises Refused.

    most: in bytes. Half a file is never seen, and nothing stays of one that is refused.
    """
    with writing(wanted.name):
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=wanted.parent, prefix=".upload-", delete=False) as file:
            made, size = Path(file.name), 0
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > most:
                        message = f"{wanted.name} is larger than {most / 2**20:g} MB."
                        raise Refused(413, "too_large", message, "Start the server with --max-upload-size.")
                    file.write(chunk)
                file.flush()
                check_picture(made, wanted.name)
            except BaseException:
                made.unlink(missing_ok=True)
                raise
        if wanted.is_dir():
            made.unlink()
            raise IsADirectoryError(wanted)
        return settle(made, wanted, overwrite)


def check_picture(path: Path, name: str) -> None:
    """Refuse a picture that would fill the memory when it is opened; other files pass. Raises Refused."""
    if not name.lower().endswith(_CHECKED):
        return
    try:
        size_of(path)
    except (OSError, SyntaxError):  # no picture, whatever its name: it is kept as it is, and shown by nobody
        return
    except ValueError as error:
        raise Refused(400, "too_many_pixels", f"{name} is refused: {error}", "Make it smaller.") from None
