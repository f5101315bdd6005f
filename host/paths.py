"""The one rule for paths from outside: what a client names lies in the folder it is asked of, or nowhere."""

import os
import re
from pathlib import Path
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_LONGEST_PART: Final = 255


def inside(root: Path, *names: str) -> Path | None:
    """The path of `names`, one after the other, below `root`; None when they do not name a place in it.

    Refused are absolute paths, `..`, NUL and other control characters, drive letters and device names of
    Windows, parts too long for a file system, and places that a link moves out of the folder. Separators of
    both kinds count; empty names name the folder itself. The file need not exist.
    """
    parts = [part for name in names for part in _parts(name)]
    if any(map(_is_absolute, names)) or any(map(_is_forbidden, parts)):
        return None
    try:
        real = root.resolve()
        path = real.joinpath(*parts).resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, or what this system cannot name
        return None
    return path if path.is_relative_to(real) else None


def inside_file(root: Path, *names: str) -> Path | None:
    """The path of a plain file that exists below `root`, or None."""
    path = inside(root, *names)
    try:
        return path if path is not None and path.is_file() else None
    except OSError:
        return None


def _parts(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def _is_absolute(name: str) -> bool:
    return name.startswith(("/", "\\")) or _DRIVE.match(name) is not None


def _is_forbidden(part: str) -> bool:
    if part == ".." or any(ord(character) < 32 or ord(character) == 127 for character in part):
        return True
    try:
        if len(os.fsencode(part)) > _LONGEST_PART:
            return True
    except UnicodeEncodeError:
        return True
    stem = part.partition(".")[0].partition(":")[0].rstrip(" ")
    return _DEVICE.fullmatch(stem) is not None
