"""Giving a finished file its name: the one that is wanted, or the next that is free."""

import filecmp
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path


def settle(made: Path, wanted: Path, overwrite: bool) -> Path:
    """Move a finished file to its name in the same folder, and give the path it has then.

    Without `overwrite` a name that is taken becomes "name (1)" and so on; a file that already holds the same
    is used in its place. `made` is gone afterwards, whatever happens. Raises OSError.
    """
    try:
        made.chmod(0o644)
        if overwrite:
            made.replace(wanted)
            return wanted
        for path in _names(wanted):
            if _takes(made, path) or _is_same(made, path):
                return path
        raise FileExistsError(wanted)
    finally:
        made.unlink(missing_ok=True)


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    yield from (wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}") for number in count(1))


def _takes(made: Path, path: Path) -> bool:
    """Give a finished file its name, unless another has it; no reader ever sees half of one."""
    try:
        os.link(made, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        made.replace(path)
    return True


def _is_same(made: Path, path: Path) -> bool:
    return path.is_file() and filecmp.cmp(made, path, shallow=False)
