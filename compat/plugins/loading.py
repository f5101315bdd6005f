"""Loading all packs: one after the other, each on its own, none able to hinder the next."""

import asyncio
import inspect
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import quote

from compat.clashes import OURS_ALONE
from compat.names.install import install
from compat.names.session import Classes, Session
from compat.object_info import object_info
from compat.plugins.importing import entries, import_pack, pack_digest, program_of, run_prestartup
from compat.plugins.running import Described, Stage, node_type
from compat.plugins.values import CURRENT, IMPORTING
from graph.context import NodeContext
from graph.registry import CORE, Registry, bare_name, specs_in
from graph.spec import NodeSpec
from host.folders import PLUGINS
from host.plugins.failures import trace_of, words
from host.plugins.kept import program_kept
from host.plugins.packs import Guard, Loaded, Pack, Site


def _unguarded(path: str) -> AbstractContextManager[None]:
    return nullcontext()


def load_plugins(site: Site, crashed: frozenset[str] = frozenset(), guard: Guard = _unguarded) -> Loaded:
    """Load every pack of the site's plugin folders and make ComfyUI's import names work in this process.

    crashed: paths of packs to leave out. guard: a context for the time that a pack loads, by its path.
    Nothing that a pack does while loading is raised; its report says it. With no pack there nothing happens.
    """
    found = [path for root in site.folders.folders(PLUGINS) for path in entries(root)]
    paths = [path for path in found if str(path) not in site.taken]
    if not paths:
        return Loaded()
    loading = _Loading(site)
    session = install(Session(site, loading.types, loading.classes))
    _make_importable(site.folders.folders(PLUGINS))
    loading.session = session
    for path in paths:
        if str(path) not in crashed:
            loading.prestart(path)
    packs = [_left_out(path) if str(path) in crashed else loading.load(path, guard) for path in paths]
    packs = [loading.described(pack, guard) for pack in packs]
    return Loaded(
        packs, loading.specs, loading.descriptions, session.modules["server"].PromptServer.instance.web()
    )


def _left_out(path: Path) -> Pack:
    return Pack(
        _name(path), str(path), "crashed",
        "Loading it ended the whole process, so it was left out. Update it, or remove it.",
    )  # fmt: skip


def _make_importable(roots: Sequence[Path]) -> None:
    """Let `custom_nodes` be imported as a package, as some packs import others."""
    for root in roots:
        if str(root.parent) not in sys.path:
            sys.path.append(str(root.parent))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a pack brings: its classes by name, their titles, and functions of ours."""

    classes: Mapping[str, Any]
    titles: Mapping[str, str]
    native: Sequence[Described]


@dataclass(slots=True)
class _Loading:
    """What has been loaded so far."""

    site: Site
    classes: dict[str, Any] = field(default_factory=Classes)
    specs: list[NodeSpec] = field(default_factory=list[NodeSpec])
    descriptions: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    early: dict[Path, list[str]] = field(default_factory=dict[Path, list[str]])
    found: dict[str, _Found] = field(default_factory=dict[str, _Found])
    session: Session | None = None
    _types: tuple[int, Registry] | None = None

    def types(self) -> Registry:
        """All node types, as far as they are loaded."""
        if self._types is None or self._types[0] != len(self.specs):
            self._types = len(self.specs), self.site.types.with_specs(self.specs)
        return self._types[1]

    @property
    def home(self) -> Path:
        """The folder that packs take for the host's."""
        assert self.session is not None
        return self.session.home

    def prestart(self, path: Path) -> None:
        """Run a pack's prestartup script; what it raises is only noted."""
        notes = self.early[path] = list[str]()
        with program_kept(notes), program_of(self.home):
            try:
                run_prestartup(path)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                notes.append(f"Its prestartup_script.py failed: {words(error)}")

    def load(self, path: Path, guard: Guard) -> Pack:
        """Load one pack."""
        began, notes = time.perf_counter(), self.early.get(path, [])
        pack = Pack(_name(path), str(path), "loaded")
        try:
            with guard(str(path)), program_kept(notes):
                module = _imported(path, self.home)
                self.found[str(path)] = self._registered(pack, module, notes)
            pack = replace(
                pack,
                web=self._web(path, module),
                modules=_modules(pack.name, module),
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a pack may raise anything, sys.exit() included
            pack = replace(pack, state="failed", message=words(error), trace=trace_of(error, path))
        return replace(pack, notes=tuple(notes), seconds=time.perf_counter() - began)

    def _web(self, path: Path, module: ModuleType) -> str:
        """Where a pack's scripts lie: as it says, or the folder of its own that it put among the host's."""
        web = getattr(module, "WEB_DIRECTORY", None)
        if isinstance(web, str):
            return str(path / web)
        assert self.session is not None
        folders: dict[str, Any] = self.session.modules["nodes"].EXTENSION_WEB_DIRS
        own = (Path(str(folder)) for folder in folders.values())
        return next((str(folder) for folder in own if folder.resolve().is_relative_to(path.resolve())), "")

    def described(self, pack: Pack, guard: Guard) -> Pack:
        """Ask the classes of a pack what they are, once all packs are there: some look at each other's."""
        found, notes = self.found.get(pack.path), list(pack.notes)
        if found is None or pack.state != "loaded":
            return pack
        try:
            with guard(pack.path), program_kept(notes):
                made = [*self._classes(pack, found, notes), *found.native]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in INPUT_TYPES
            trace = trace_of(error, Path(pack.path))
            return replace(pack, state="failed", message=words(error), trace=trace, notes=tuple(notes))
        self.specs.extend(item.spec for item in made)
        self.descriptions.extend(item.description for item in made)
        return replace(pack, nodes=tuple(bare_name(item.spec) for item in made), notes=tuple(notes))

    def _registered(self, pack: Pack, module: ModuleType, notes: list[str]) -> _Found:
        """The classes of a pack, put where all packs find them."""
        mappings = getattr(module, "NODE_CLASS_MAPPINGS", None)
        entrypoint = getattr(module, "comfy_entrypoint", None)
        titles: dict[str, str] = getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", None) or {}
        native = _native(module, pack.name)
        if mappings is not None:
            listed = dict(mappings)
        elif callable(entrypoint):
            listed, titles = {cls.GET_SCHEMA().node_id: cls for cls in _node_list(entrypoint)}, {}
        elif native:
            listed = dict[str, Any]()
        else:
            raise ImportError(
                "It has no NODE_CLASS_MAPPINGS, no comfy_entrypoint and no function marked @node."
            )
        own = {id: cls for id, cls in listed.items() if self._register(pack, id, cls, notes)}
        return _Found(own, titles, native)

    def _register(self, pack: Pack, id: str, cls: Any, notes: list[str]) -> bool:
        """Put a class where all packs find it; whether it is a node type here."""
        known = self.site.types.get(id)
        is_built_in = known is not None and known.source == CORE
        if is_built_in and id not in OURS_ALONE:
            notes.append(f"Its node {id} has the name of a built-in one, which is used.")
            return False
        if is_built_in or id in self.classes:
            whose = "Darkroom" if is_built_in else "Another pack"
            notes.append(f"{whose} has a node {id} too; write {pack.name}/{id} for this one.")
        self.classes[id] = cls
        return True

    def _classes(self, pack: Pack, listed: _Found, notes: list[str]) -> list[Described]:
        digest, found = pack_digest(Path(pack.path)), list[Described]()
        stage = Stage(self.types, self._enter)
        for id, cls in listed.classes.items():
            try:
                cls.RELATIVE_PYTHON_MODULE = f"custom_nodes.{pack.name}"
                title = listed.titles.get(id) or getattr(cls, "DISPLAY_NAME", "") or id
                found.append(node_type(cls, id, pack.name, str(title), digest, stage))
            except Exception as error:  # one broken node does not take its pack's others along
                notes.append(f"Its node {id} was left out: {words(error)}")
        return found

    @contextmanager
    def _enter(self, context: NodeContext) -> Generator[None]:
        """What a pack's node runs in: no gradients, and progress bars that belong to it."""
        import torch

        assert self.session is not None
        self.session.runs(context)
        token = CURRENT.set(context)
        try:
            with torch.no_grad():
                yield
        finally:
            CURRENT.reset(token)


def _imported(path: Path, home: Path) -> ModuleType:
    token = IMPORTING.set(True)
    try:
        with program_of(home):
            return import_pack(path)
    finally:
        IMPORTING.reset(token)


def _modules(name: str, module: ModuleType) -> tuple[str, ...]:
    """The addresses of the files in a pack's WEB_DIRECTORY that its WEB_MODULES names."""
    files: object = getattr(module, "WEB_MODULES", ())
    listed = cast("Sequence[object]", files) if isinstance(files, list | tuple) else ()
    return tuple(f"/extensions/{quote(name)}/{quote(str(file))}" for file in listed)


def _native(module: ModuleType, pack: str) -> list[Described]:
    """The node types of functions marked `@node` in a pack."""
    marked = [replace(spec, source=pack) for spec in specs_in(module)]
    return [Described(spec, _described(spec)) for spec in marked if spec.source != CORE]


def _described(spec: NodeSpec) -> dict[str, Any]:
    info = object_info(spec, Registry([spec]), lambda kind: ())
    return {
        "id": spec.id, "pack": spec.source, "digest": spec.digest, "info": info, "lists": spec.takes_lists,
        "async": spec.is_async, "idempotent": spec.idempotent, "any_input": spec.takes_any_input,
        "any_inputs": [], "any_outputs": [], "unchecked": [], "unchecked_links": False,
    }  # fmt: skip


def _node_list(entrypoint: Callable[[], Any]) -> list[Any]:
    async def found() -> list[Any]:
        extension = entrypoint()
        extension = await extension if inspect.isawaitable(extension) else extension
        if callable(on_load := getattr(extension, "on_load", None)):
            waiting = on_load()
            if inspect.isawaitable(waiting):
                await waiting
        listed = extension.get_node_list()
        return cast("list[Any]", await listed if inspect.isawaitable(listed) else listed)

    return asyncio.run(found())


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem
