"""custom_nodes/plugins.lock: which plugins were installed from where, and which are not to be loaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from host.atomic import write_atomically

FILE: Final = "plugins.lock"


class Entry(BaseModel):
    """An installed plugin.

    source: the path or git URL it came from, "" for one that was put there by hand. commit: of git, else "".
    content: a digest of its files. requirements: the Python packages it asked for. previous: the entry of the
    version before, which `plugin rollback` brings back.
    """

    model_config = ConfigDict(frozen=True)

    version: str = ""
    source: str = ""
    commit: str = ""
    content: str = ""
    requirements: tuple[str, ...] = ()
    enabled: bool = True
    previous: "Entry | None" = None


class LockError(Exception):
    """A lock file that cannot be used; the message is a sentence."""


def read_lock(root: Path) -> dict[str, Entry]:
    """The entries of a folder of plugins by their folders' names. Raises LockError."""
    try:
        text = (root / FILE).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LockError(f"{root / FILE} cannot be read: {error.strerror or error}.") from None
    try:
        told = json.loads(text)
        return {str(name): Entry.model_validate(entry) for name, entry in told["plugins"].items()}
    except (ValueError, ValidationError, KeyError, TypeError, AttributeError):
        raise LockError(
            f"{root / FILE} is damaged. Mend it, or remove it: plugins stay as they are."
        ) from None


def write_lock(root: Path, entries: Mapping[str, Entry]) -> None:
    """Write the entries, whole or not at all."""
    told = {name: entries[name].model_dump(mode="json", exclude_defaults=True) for name in sorted(entries)}
    write_atomically(root / FILE, (json.dumps({"format": 1, "plugins": told}, indent=2) + "\n").encode())


def disabled_in(root: Path) -> frozenset[str]:
    """The names of plugins that the lock says not to load; none where it cannot be read."""
    try:
        return frozenset(name for name, entry in read_lock(root).items() if not entry.enabled)
    except LockError:
        return frozenset()
