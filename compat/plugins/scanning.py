"""Telling which nodes of a pack will work here from its text alone. Its code is not run."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from compat.names.install import install, names_kept
from compat.names.placeholders import Placeholder, is_offered
from compat.names.session import Session
from compat.plugins.source_text import Source, read_sources
from compat.plugins.static_reading import Reading
from compat.plugins.static_values import ClassValue
from host.folders import folders_of, installation
from host.plugins.packs import Site
from host.plugins.scans import Scan, Verdict
from nodes import registry

MAPPINGS: Final = "NODE_CLASS_MAPPINGS"
_HOST: Final = (
    "comfy", "comfy_extras", "comfy_execution", "comfy_api", "comfy_api_nodes", "folder_paths", "nodes",
    "server", "execution", "node_helpers", "latent_preview",
)  # fmt: skip
_OURS: Final = ("graph", "host", "diffusion")
_DEEPEST: Final = 12


def scan_pack(pack: Path) -> Scan:
    """What becomes of each node of a pack's folder or file here."""
    sources, unread = read_sources(pack)
    with names_kept():
        types = registry()
        install(Session(Site(folders_of(installation()), types), lambda: types, {}))
        offered = Offered({part for source in sources for part in source.split(".")})
        looking = _Looking(sources, offered)
        found = [
            Verdict(name, str(source.path.name), tuple(looking.reasons(source.module, cls)))
            for source, name, cls in node_classes(sources)
        ]
        whole = tuple(dict.fromkeys(looking.loading("")))
    return Scan(tuple(found), whole, tuple(unread))


@dataclass(slots=True)
class Offered:
    """What can be imported here. local: top-level names that are the pack's own modules."""

    local: set[str]
    _known: dict[str, str] = field(default_factory=dict[str, str])

    def lack(self, target: str) -> str:
        """Why a dotted name cannot be had or used, or ""."""
        if target not in self._known:
            top = target.partition(".")[0]
            if top in _HOST:
                self._known[target] = _host_lack(target)
            elif top in _OURS or top in self.local or top in sys.stdlib_module_names:
                self._known[target] = ""
            else:
                self._known[target] = (
                    "" if _is_installed(top) else f"the Python package {top} is not installed"
                )
        return self._known[target]

    def breaks(self, target: str) -> str:
        """Why importing a name fails; what only fails when it is used does not count."""
        why = self.lack(target)
        return "" if why.endswith("is not supported") else why


def _is_installed(top: str) -> bool:
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _host_lack(target: str) -> str:
    """What is missing of one of ComfyUI's names: nothing, the name itself, or what is behind it."""
    value: Any = None
    parts = target.split(".")
    for place, part in enumerate(parts):
        name = ".".join(parts[: place + 1])
        try:
            value = (
                importlib.import_module(name)
                if place == 0
                else _inner(value, name, part, place == len(parts) - 1)
            )
        except Exception:  # whatever a name raises, it cannot be had
            return f"{name} is not there"
        if type(value) is Placeholder:
            return f"{name} is not supported"
        if not isinstance(value, type(sys)):
            return ""
    return ""


def _inner(value: Any, name: str, part: str, is_last: bool) -> Any:
    """A part of a module: another module, where more of the name follows; else whatever it is."""
    if name in sys.modules:
        return sys.modules[name]
    if not is_last and is_offered(name):
        return importlib.import_module(name)
    try:
        return getattr(value, part)
    except AttributeError:
        return importlib.import_module(name)


@dataclass(slots=True)
class _Looking:
    """Follows what a node's class reaches through the pack."""

    sources: Mapping[str, Source]
    offered: Offered

    def reasons(self, module: str, cls: str) -> Iterator[str]:
        """What keeps a class from working."""
        told, seen = set[str](), set[tuple[str, str]]()
        for why in self.loading(module):
            told.add(why)
        waiting = [(module, cls)]
        while waiting:
            place = waiting.pop()
            if place in seen or place[0] not in self.sources:
                continue
            seen.add(place)
            piece = self.sources[place[0]].pieces.get(place[1])
            if piece is None:
                waiting += self._elsewhere(*place)
                continue
            told |= {why for target in piece.outside if (why := self.offered.lack(target))}
            waiting += piece.inside
        yield from sorted(told)

    def _elsewhere(self, module: str, name: str) -> list[tuple[str, str]]:
        """Where a name comes from that a module only hands on."""
        target = self.sources[module].aliases.get(name, "")
        if not target.startswith("."):
            return []
        parts = target[1:].split(".")
        return [(".".join(parts[:-1]), parts[-1])] if parts else []

    def loading(self, module: str) -> Iterator[str]:
        """What keeps a module from loading, and those that it imports for certain."""
        seen, waiting = set[str](), [module]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.sources:
                continue
            seen.add(name)
            source = self.sources[name]
            yield from sorted({why for target in source.needs if (why := self.offered.breaks(target))})
            waiting += [inner for target in source.own for inner in _prefixes(target[1:])]


def _prefixes(target: str) -> list[str]:
    parts = target.split(".")
    return [".".join(parts[:count]) for count in range(1, min(len(parts), _DEEPEST) + 1)]


# Which classes are nodes


def node_classes(sources: Mapping[str, Source]) -> Iterator[tuple[Source, str, str]]:
    """The module, the node's name and the class of each node, as far as the text says."""
    told, is_all = _told(sources)
    yield from told
    if is_all:
        return
    seen = {name for _, name, _ in told}
    for source in sources.values():
        for name, place, cls in (*_mapped(source, sources), *_newer(source), *_own(source)):
            if name not in seen:
                seen.add(name)
                yield sources.get(place, source), name, cls


def _told(sources: Mapping[str, Source]) -> tuple[list[tuple[Source, str, str]], bool]:
    """Those that the pack hands over when it is loaded, as far as its text tells, and whether that is all."""
    if "" not in sources:
        return [], False
    reading = Reading(sources)
    table = reading.names("").get(MAPPINGS)
    known = cast("dict[str, Any]", table) if isinstance(table, dict) else reading.listed()
    found = [(name, *_written(value, sources)) for name, value in known.items()]
    return [(source, name, cls) for name, source, cls in found], bool(found) and not reading.is_partial


def _written(value: Any, sources: Mapping[str, Source]) -> tuple[Source, str]:
    """Where a class is written, and its name there."""
    if isinstance(value, ClassValue) and value.module in sources:
        return sources[value.module], value.name
    return sources[""], ""


def _mapped(source: Source, sources: Mapping[str, Source]) -> Iterator[tuple[str, str, str]]:
    """Entries of dictionaries whose name ends in NODE_CLASS_MAPPINGS: literals, items, updates."""
    for item in ast.walk(source.tree):
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as told) if MAPPINGS in name:
                pairs = zip(told.keys, told.values, strict=True)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict() as told) if MAPPINGS in name:
                pairs = zip(told.keys, told.values, strict=True)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=key)], value=value) if (
                MAPPINGS in name
            ):
                pairs = iter([(key, value)])
            case _:
                continue
        for key, value in pairs:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, *_place_of(source, value, sources)


def _place_of(source: Source, value: ast.expr, sources: Mapping[str, Source]) -> tuple[str, str]:
    """The module and name of a class that an expression names."""
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        target = source.aliases.get(value.value.id, "")
        return (target[1:], value.attr) if target.startswith(".") else (source.module, value.attr)
    if not isinstance(value, ast.Name):
        return source.module, ""
    if value.id in source.pieces:
        return source.module, value.id
    target = source.aliases.get(value.id, "")
    if target.startswith("."):
        module, _, name = target[1:].rpartition(".")
        return (module, name) if module in sources else (source.module, value.id)
    stars = (item[1:] for item in source.own if item[1:] in sources and value.id in sources[item[1:]].pieces)
    return next(stars, source.module), value.id


def _newer(source: Source) -> Iterator[tuple[str, str, str]]:
    """Classes with define_schema, by the node_id that they give."""
    for cls in (item for item in ast.walk(source.tree) if isinstance(item, ast.ClassDef)):
        for item in ast.walk(cls):
            if isinstance(item, ast.Call):
                ids = [word.value for word in item.keywords if word.arg == "node_id"]
                if ids and isinstance(ids[0], ast.Constant):
                    yield str(ids[0].value), source.module, cls.name


def _own(source: Source) -> Iterator[tuple[str, str, str]]:
    """Functions marked @node, which are ours."""
    for item in ast.walk(source.tree):
        for mark in item.decorator_list if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) else ():
            match mark:
                case ast.Call(func=ast.Name(id="node"), args=[ast.Constant(value=str(name)), *_]):
                    yield name, source.module, item.name  # type: ignore[union-attr]
                case _:
                    pass


Scanner = Callable[[Path], Scan]
