"""A pack's modules as text: what each defines, imports and refers to. Nothing is run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TRIED: Final = (ast.Try, ast.TryStar)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Piece:
    """A function or class. outside: dotted names elsewhere; inside: (module, name) of the pack's own."""

    name: str
    outside: frozenset[str] = frozenset()
    inside: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class Source:
    """A module. needs: what it imports when it is loaded, for certain; aliases: names for other things."""

    module: str
    path: Path
    tree: ast.Module
    needs: set[str] = field(default_factory=set[str])
    own: set[str] = field(default_factory=set[str])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    pieces: dict[str, Piece] = field(default_factory=dict[str, Piece])


def read_sources(pack: Path) -> tuple[dict[str, Source], list[str]]:
    """The modules of a pack by dotted name ("" is the pack itself), and the files that cannot be read."""
    root = pack if pack.is_dir() else pack.parent
    files = sorted(pack.rglob("*.py")) if pack.is_dir() else [pack]
    found, unread = dict[str, Source](), list[str]()
    for path in files:
        if any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(root).parts):
            continue
        name = "" if path == pack else ".".join(path.relative_to(root).with_suffix("").parts)
        name = "" if name == "__init__" else name.removesuffix(".__init__")
        try:
            tree = ast.parse(path.read_text("utf-8", "replace"))
        except (SyntaxError, ValueError, RecursionError, OSError):
            unread.append(str(path.relative_to(root)))
            continue
        found[name] = Source(name, path, tree)
    for source in found.values():
        _read(source, found)
    return found, unread


def _read(source: Source, known: Mapping[str, Source]) -> None:
    for item, certain in _statements(source.tree, True):
        for alias, target in _imports(item, source, known):
            source.aliases[alias] = target
            if certain:
                (source.own if target.startswith(".") else source.needs).add(target)
    for item, _ in _statements(source.tree, True):
        if isinstance(item, Definition):
            source.pieces[item.name] = _piece(item, source, known)


def _statements(tree: ast.Module, certain: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """What runs when a module is loaded, with whether a failure there is one of the module."""
    waiting: list[tuple[ast.stmt, bool]] = [(item, certain) for item in tree.body]
    while waiting:
        item, sure = waiting.pop(0)
        yield item, sure
        if isinstance(item, Definition):
            continue
        caught = sure and not isinstance(item, (*_TRIED, ast.If))
        inner = [part for part in ast.iter_child_nodes(item) if isinstance(part, ast.stmt)]
        handlers = [part for part in ast.iter_child_nodes(item) if isinstance(part, ast.ExceptHandler)]
        waiting += [(part, caught) for part in (*inner, *(line for one in handlers for line in one.body))]


def _imports(item: ast.AST, source: Source, known: Mapping[str, Source]) -> Iterator[tuple[str, str]]:
    """The names that a statement binds, each with what it stands for; of the pack's own with a dot before."""
    if isinstance(item, ast.Import):
        for name in item.names:
            yield (
                name.asname or name.name.partition(".")[0],
                name.name if name.asname else name.name.partition(".")[0],
            )
            if not name.asname and "." in name.name:
                yield f" {name.name}", name.name
    elif isinstance(item, ast.ImportFrom):
        start = item.module or ""
        if item.level:
            start = f".{_relative(source, item.level, start, known)}"
        for name in item.names:
            yield (
                name.asname or name.name,
                start
                if name.name == "*"
                else f"{start}.{name.name}"
                if start.strip(".")
                else f".{name.name}"
                if item.level
                else name.name,
            )


def _relative(source: Source, level: int, module: str, known: Mapping[str, Source]) -> str:
    parts = source.module.split(".") if source.module else []
    if source.path.name != "__init__.py" and parts:
        parts = parts[:-1]
    parts = parts[: len(parts) - (level - 1)] if level > 1 else parts
    return ".".join([*parts, *([module] if module else [])])


def _piece(item: Definition, source: Source, known: Mapping[str, Source]) -> Piece:
    local = dict(source.aliases)
    for part in ast.walk(item):
        local.update(_imports(part, source, known))
    outside, inside = set[str](), set[tuple[str, str]]()
    tried = {
        id(inner)
        for part in ast.walk(item)
        if isinstance(part, _TRIED)
        for line in part.body
        for inner in ast.walk(line)
    }
    within = {id(part.value) for part in ast.walk(item) if isinstance(part, ast.Attribute)}
    for part in ast.walk(item):
        if id(part) in tried or id(part) in within or not isinstance(part, ast.Name | ast.Attribute):
            continue
        dotted = _dotted(part)
        first, _, rest = dotted.partition(".")
        if first in local:
            target = f"{local[first]}.{rest}" if rest else local[first]
            if target.startswith("."):
                inside.add(_split(target[1:], known))
            else:
                outside.add(target)
        elif first:
            inside.add((source.module, first))
    return Piece(item.name, frozenset(outside), frozenset(inside))


def _dotted(item: ast.AST) -> str:
    names = list[str]()
    while isinstance(item, ast.Attribute):
        names.append(item.attr)
        item = item.value
    return ".".join([item.id, *reversed(names)]) if isinstance(item, ast.Name) else ""


def _split(target: str, known: Mapping[str, Source]) -> tuple[str, str]:
    """A dotted name of a pack's own as module and name in it."""
    parts = target.split(".")
    for count in range(len(parts), -1, -1):
        if (module := ".".join(parts[:count])) in known:
            return module, parts[count] if count < len(parts) else ""
    return parts[0], parts[1] if len(parts) > 1 else ""
