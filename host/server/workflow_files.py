"""A user's workflows as files, each with the versions it had.

They lie in `workflows/` of the user's folder, where ComfyUI's front end keeps its own: each sees the other's.
Versions lie in `.history/`, also those of workflows that were deleted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.atomic import write_atomically
from host.paths import inside, inside_file
from host.server.etags import tag_of
from host.server.refusals import Refused, missing, writing

WORKFLOWS: Final = "workflows"
HISTORY: Final = ".history"
MOST_VERSIONS: Final = 100
_ENDING: Final = ".json"
AUTO_SPAN: Final = 5 * 60_000
"""Milliseconds: of the saves that nobody asked for, one in such a time is kept as a version."""
_AUTO: Final = ".auto"
_MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """A workflow as it is kept. modified: ms since 1970."""

    name: str
    path: Path
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a workflow was once. id: its time and tag; saved: ms since 1970; auto: nobody asked for it."""

    id: str
    tag: str
    saved: int
    size: int
    path: Path
    auto: bool = False


@dataclass(frozen=True, slots=True)
class WorkflowFolder:
    """The workflows of one user. Changes must not overlap: callers hold a lock."""

    user: Path

    def names(self) -> Iterator[str]:
        """The names of all workflows, without their ending."""
        return _names(self.user / WORKFLOWS, _is_plain)

    def facts(self, name: str) -> Kept | None:
        """A workflow's facts; None when it is gone."""
        path = self._path(name)
        try:
            found = path.stat()
        except OSError:
            return None
        return Kept(name, path, found.st_size, int(found.st_mtime * _MILLISECONDS))

    def read(self, name: str) -> bytes:
        """What a workflow is. Raises Refused (404)."""
        path = inside_file(self.user / WORKFLOWS, _file(name))
        if path is None:
            raise missing("workflow", name)
        return path.read_bytes()

    def tag(self, name: str) -> str | None:
        """The tag of what is there, None for nothing."""
        path = self._path(name)
        return tag_of(path.read_bytes()) if path.is_file() else None

    def save(self, name: str, data: bytes, auto: bool = False) -> Version:
        """Replace a workflow, keeping what it was. auto: nobody asked for it. Raises Refused."""
        path = self._path(name)
        with writing(name):
            self._remember_current(name, path)
            write_atomically(path, data)
            return self._remember(name, data, auto)

    def rename(self, name: str, to: str) -> None:
        """Give a workflow and its versions another name. Raises Refused when that is taken."""
        path, target = self._path(name), self._path(to)
        if not path.is_file():
            raise missing("workflow", name)
        if target.exists():
            raise Refused(
                409, "name_taken", f"There is a workflow {to[:200]} already.", "Choose another name."
            )
        with writing(to):
            self._remember_current(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            past = [(found.path, self._past(to) / found.path.name) for found in self.versions(name)]
            path.rename(target)
            self._past(to).mkdir(parents=True, exist_ok=True)
            for old, new in past:
                old.rename(new)

    def delete(self, name: str) -> None:
        """Remove a workflow; its versions stay. Raises Refused."""
        path = self._path(name)
        if not path.is_file():
            raise missing("workflow", name)
        with writing(name):
            self._remember_current(name, path)
            path.unlink()

    def versions(self, name: str) -> Sequence[Version]:
        """All that a workflow was, the newest first."""
        folder = self._past(name)
        files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
        found = [version for path in files if (version := _version(path)) is not None]
        return sorted(found, key=lambda version: version.saved, reverse=True)

    def version(self, name: str, id: str) -> bytes:
        """What a workflow was at a version. Raises Refused (404)."""
        found = next((version for version in self.versions(name) if version.id == id), None)
        if found is None:
            raise missing("version", id, "List them with /versions.")
        return found.path.read_bytes()

    def deleted(self) -> list[str]:
        """The names of workflows that are gone and can be had back."""
        root = self.user / HISTORY
        folders = (path for path in root.rglob("*") if path.is_dir() and any(map(_version, path.iterdir())))
        names = {path.relative_to(root).as_posix() for path in folders}
        return sorted(names - set(self.names()))

    def _path(self, name: str) -> Path:
        root = self.user / WORKFLOWS
        path = inside(root, _file(name))
        if path is None or not _is_plain(name):
            raise bad_name(name)
        return path

    def _past(self, name: str) -> Path:
        path = inside(self.user / HISTORY, name)
        if path is None or not _is_plain(name):
            raise bad_name(name)
        return path

    def _remember_current(self, name: str, path: Path) -> None:
        """Keep what another program has put there since."""
        if path.is_file():
            self._remember(name, path.read_bytes())

    def _remember(self, name: str, data: bytes, auto: bool = False) -> Version:
        known, tag = self.versions(name), tag_of(data)
        if known and known[0].tag == tag:
            return known[0]
        saved = max(time.time_ns() // 10**6, known[0].saved + 1 if known else 0)
        path = self._past(name) / f"{saved}-{tag}{_AUTO if auto else ''}{_ENDING}"
        write_atomically(path, data)
        passed = known[: 1 if auto and _is_passing(known, saved) else 0]
        for old in (*passed, *known[MOST_VERSIONS - 1 :]):
            old.path.unlink(missing_ok=True)
        return Version(path.stem, tag, saved, len(data), path, auto)


def _is_passing(known: Sequence[Version], now: int) -> bool:
    """Whether the newest version is one that nobody asked for, soon after the one before it."""
    return len(known) > 1 and known[0].auto and now - known[1].saved < AUTO_SPAN


def bad_name(name: str) -> Refused:
    """A name that cannot be one."""
    fix = "Use plain names, with / between folders."
    return Refused(400, "bad_name", f"{name[:200]!r} is no name for a workflow.", fix)


def tidy(name: str) -> str:
    """A name in the one form it is kept under. Raises Refused."""
    name = name.removesuffix(_ENDING)
    if not _is_plain(name):
        raise bad_name(name)
    return name


def _is_plain(name: str) -> bool:
    """Whether each part is there, is not hidden, and needs no other spelling."""
    parts = name.split("/")
    return "\\" not in name and all(part and part == part.strip() and part[0] != "." for part in parts)


def _file(name: str) -> str:
    return f"{name}{_ENDING}"


def _names(root: Path, fits: Callable[[str], bool]) -> Iterator[str]:
    for path in sorted(root.rglob(f"*{_ENDING}")):
        name = path.relative_to(root).as_posix().removesuffix(_ENDING)
        if fits(name) and inside_file(root, _file(name)) is not None:
            yield name


def _version(path: Path) -> Version | None:
    saved, _, tag = path.stem.partition("-")
    if not (saved.isascii() and saved.isdigit() and len(saved) < 18 and tag and path.suffix == _ENDING):
        return None
    auto = tag.endswith(_AUTO)
    return Version(path.stem, tag.removesuffix(_AUTO), int(saved), path.stat().st_size, path, auto)
