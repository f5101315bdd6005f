"""The node types there are: found by id, with plugins' names apart and clashes reported."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Final

from graph.node import spec_of
from graph.sources import Source, source_digest
from graph.spec import NodeSpec
from graph.suggestions import listed, nearest

CORE: Final = "core"


@dataclass(frozen=True, slots=True)
class Clash:
    """A name that several node types want. `sources` are the packs; `full_ids` always reach each one."""

    name: str
    sources: tuple[str, ...]
    full_ids: tuple[str, ...]

    def __str__(self) -> str:
        packs = listed("the built-in nodes" if source == CORE else f"'{source}'" for source in self.sources)
        if len(self.full_ids) < len(self.sources):
            return f"Node type '{self.name}' is defined twice by {packs}; the first is used."
        if CORE in self.sources:
            others = listed(f"'{id}'" for id in self.full_ids if id != self.name)
            kept = f"Node type '{self.name}' is in {packs}; the built-in one is used."
            return f"{kept} For the other, write {others}."
        return (
            f"Node type '{self.name}' is in {packs}. Write {listed(map(repr, self.full_ids))} to say which."
        )


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A bare name that several plugins define, with the full ids to choose from."""

    name: str
    full_ids: tuple[str, ...]


class Registry:
    """An unchanging set of node types. A plugin's has the id `pack/Name`; `Name` works while unambiguous."""

    __slots__ = ("_bare", "_clashes", "_specs")

    def __init__(self, specs: Iterable[NodeSpec] = ()) -> None:
        self._specs = dict[str, NodeSpec]()
        twice = list[Clash]()
        for spec in map(_with_full_id, specs):
            if spec.id in self._specs:
                twice.append(Clash(spec.id, (self._specs[spec.id].source, spec.source), (spec.id,)))
            else:
                self._specs[spec.id] = spec
        self._bare = _by_bare_name(self._specs.values())
        self._clashes = (*twice, *_clashes(self._specs, self._bare))

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """The names that several node types want."""
        return self._clashes

    def with_specs(self, specs: Iterable[NodeSpec]) -> "Registry":
        """A registry with more node types."""
        return Registry((*self._specs.values(), *specs))

    def resolve(self, type: str) -> NodeSpec | Ambiguous | None:
        """The node type of a full id or bare name; built-in names win over plugins'."""
        if (spec := self._specs.get(type)) is not None:
            return spec
        match self._bare.get(type, ()):
            case ():
                return None
            case (only,):
                return self._specs[only]
            case several:
                return Ambiguous(type, several)

    def get(self, type: str) -> NodeSpec | None:
        """The node type of a name, or None when it is unknown or ambiguous."""
        found = self.resolve(type)
        return found if isinstance(found, NodeSpec) else None

    def nearest(self, type: str) -> list[str]:
        """Up to three known names that `type` may have been meant to be, best first."""
        return nearest(type, (*self._specs, *self._bare), 3)

    def __iter__(self) -> Iterator[NodeSpec]:
        return iter(self._specs.values())

    def __len__(self) -> int:
        return len(self._specs)

    def __contains__(self, type: object) -> bool:
        return isinstance(type, str) and self.get(type) is not None


def bare_name(spec: NodeSpec) -> str:
    """A node type's name without its pack: what a foreign format calls it."""
    return spec.id.removeprefix(f"{spec.source}/")


def registry_from(*modules: ModuleType) -> Registry:
    """The node types of all functions marked `@node` in these modules, in the order they are written."""
    return Registry(specs_in(*modules))


def specs_in(*modules: ModuleType) -> list[NodeSpec]:
    """The node types marked in modules, each digest widened to the project files its function's file imports.

    A function that several modules import counts once.
    """
    functions = {id(value): value for module in modules for value in vars(module).values()}
    marked = [(value, spec) for value in functions.values() if (spec := spec_of(value)) is not None]
    known, wide = dict[Path, Source](), dict[str, str]()
    for name in {function.__module__ for function, _ in marked}:
        wide[name] = _module_digest(name, known)
    return [replace(spec, digest=spec.digest + wide[function.__module__]) for function, spec in marked]


def _module_digest(name: str, known: dict[Path, Source]) -> str:
    """The digest of a loaded module's file and of what it imports from its own root, or ""."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return ""
    path = Path(file)
    depth = name.count(".") + (path.name == "__init__.py")
    return source_digest(path, path.parents[min(depth, len(path.parents) - 1)], known)


def _with_full_id(spec: NodeSpec) -> NodeSpec:
    if spec.source == CORE or spec.id.startswith(f"{spec.source}/"):
        return spec
    return replace(spec, id=f"{spec.source}/{spec.id}")


def _by_bare_name(specs: Iterable[NodeSpec]) -> dict[str, tuple[str, ...]]:
    found = defaultdict[str, list[str]](list)
    for spec in specs:
        if spec.source != CORE:
            found[bare_name(spec)].append(spec.id)
    return {name: tuple(ids) for name, ids in found.items()}


def _clashes(specs: dict[str, NodeSpec], bare: dict[str, tuple[str, ...]]) -> list[Clash]:
    wanted = {name: (name, *ids) if name in specs else ids for name, ids in bare.items()}
    return [
        Clash(name, tuple(specs[id].source for id in ids), ids)
        for name, ids in wanted.items()
        if len(ids) > 1
    ]
