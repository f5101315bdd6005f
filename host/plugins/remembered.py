"""What is remembered of plugins between processes: their node types, and those that killed a process."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from host.plugins.choices import with_choices
from host.plugins.described import NATIVE, spec_from
from host.plugins.packs import Loaded, Pack, pack_from

if TYPE_CHECKING:
    from graph.registry import Registry
    from graph.spec import NodeSpec
    from host.folders import Folders

FILE: Final = "plugins.json"
PACKS: Final = "plugins-loaded.json"
CRASHES: Final = "plugins-crashed.json"
Read = Callable[[Sequence[Mapping[str, Any]]], "list[NodeSpec]"]


def write_loaded(cache: Path, loaded: Loaded) -> None:
    """Remember all plugins and their node types for processes that run no plugin's code."""
    _write(cache / PACKS, {"packs": [pack.to_json() for pack in loaded.packs]})
    samplers, schedules = loaded.brought.digests()
    told = {
        "nodes": list(loaded.descriptions),
        "samplers": samplers,
        "schedules": schedules,
        "folders": loaded.brought.folders,
    }
    if _read(cache / FILE) != json.loads(json.dumps(told)):
        _write(cache / FILE, told)


def read_packs(cache: Path) -> list[Pack]:
    """The plugins as they were when a process last loaded them."""
    return [pack_from(item) for item in _read(cache / PACKS).get("packs", ())]


@dataclass(slots=True)
class RememberedTypes:
    """All node types: the built-in ones and those that a worker told of; the same object while none changed.

    read: makes node types of another contract's descriptions, without their code. folders: get to know the
    kinds of models that plugins add.
    """

    built_in: "Callable[[], Registry]"
    cache: Path
    read: Read
    folders: "Folders | None" = None
    _mark: tuple[int, int] | None = None
    _types: "Registry | None" = field(default=None)

    def __call__(self) -> "Registry":
        """The node types."""
        mark = _mark(self.cache / FILE)
        if self._types is None or mark != self._mark:
            self._types = self._read(_read(self.cache / FILE) if mark else {})
            self._mark = mark
        return self._types

    def _read(self, told: Mapping[str, Any]) -> "Registry":
        nodes: Sequence[Mapping[str, Any]] = told.get("nodes", ())
        ours = [spec_from(item) for item in nodes if NATIVE in item]
        foreign = self.read([item for item in nodes if NATIVE not in item])
        from host.plugins.brought import brought_by_core, first_of

        core = brought_by_core()
        if self.folders is not None:
            self.folders.add_kinds(first_of(core.folders, told.get("folders", {})))
        base = self.built_in()
        types = base.with_specs([*ours, *foreign]) if nodes else base
        samplers, schedules = core.digests()
        return with_choices(
            types,
            first_of(samplers, told.get("samplers", {})),
            first_of(schedules, told.get("schedules", {})),
        )


@dataclass(frozen=True, slots=True)
class Crashes:
    """Packs whose loading killed the process: each is tried again only when its files have changed."""

    cache: Path

    def known(self) -> frozenset[str]:
        """The paths of packs that are not to be loaded."""
        marks = _read(self.cache / CRASHES)
        return frozenset(path for path, mark in marks.items() if mark == _changed(Path(path)))

    @contextmanager
    def guarded(self, path: str) -> Generator[None]:
        """While a pack loads it counts as crashed; that is taken back when the process lives on."""
        marks = _read(self.cache / CRASHES)
        _write(self.cache / CRASHES, {**marks, path: _changed(Path(path))})
        try:
            yield
        finally:
            marks.pop(path, None)
            _write(self.cache / CRASHES, marks)


def _changed(path: Path) -> int:
    files = path.rglob("*.py") if path.is_dir() else [path]
    return max((file.stat().st_mtime_ns for file in files if file.is_file()), default=0)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Whole or not at all: other processes read these files at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(data), "utf-8")
    draft.replace(path)
