"""Loading all packs: one after the other, each on its own, none able to hinder the next."""

import asyncio
import inspect
import sys
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import quote

from compat.names.install import install
from compat.names.session import Classes, Session
from compat.object_info import object_info
from compat.plugins.importing import entries, import_pack, pack_digest, run_prestartup
from compat.plugins.running import Described, Stage, node_type
from compat.plugins.values import CURRENT
from graph.context import NodeContext
from graph.registry import CORE, Registry, bare_name, specs_in
from graph.spec import NodeSpec
from host.folders import PLUGINS
from host.plugins.kept import program_kept
from host.plugins.packs import Guard, Loaded, Pack, Site

_LONGEST_TRACE: Final = 20_000


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


@dataclass(slots=True)
class _Loading:
    """What has been loaded so far."""

    site: Site
    classes: dict[str, Any] = field(default_factory=Classes)
    specs: list[NodeSpec] = field(default_factory=list[NodeSpec])
    descriptions: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    early: dict[Path, list[str]] = field(default_factory=dict[Path, list[str]])
    session: Session | None = None
    _types: tuple[int, Registry] | None = None

    def types(self) -> Registry:
        """All node types, as far as they are loaded."""
        if self._types is None or self._types[0] != len(self.specs):
            self._types = len(self.specs), self.site.types.with_specs(self.specs)
        return self._types[1]

    def prestart(self, path: Path) -> None:
        """Run a pack's prestartup script; what it raises is only noted."""
        notes = self.early[path] = list[str]()
        with program_kept(notes):
            try:
                run_prestartup(path)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                notes.append(f"Its prestartup_script.py failed: {_words(error)}")

    def load(self, path: Path, guard: Guard) -> Pack:
        """Load one pack."""
        began, notes = time.perf_counter(), self.early.get(path, [])
        pack = Pack(_name(path), str(path), "loaded")
        try:
            with guard(str(path)), program_kept(notes):
                module = import_pack(path)
                found = self._node_types(pack, path, module, notes)
            self._take(found)
            web = getattr(module, "WEB_DIRECTORY", None)
            pack = replace(
                pack,
                nodes=tuple(bare_name(item.spec) for item in found),
                web=str(path / web) if isinstance(web, str) else "",
                modules=_modules(pack.name, module),
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a pack may raise anything, sys.exit() included
            trace = "".join(traceback.format_exception(error))[-_LONGEST_TRACE:]
            pack = replace(pack, state="failed", message=_words(error), trace=trace)
        return replace(pack, notes=tuple(notes), seconds=time.perf_counter() - began)

    def _take(self, found: Sequence[Described]) -> None:
        self.specs.extend(item.spec for item in found)
        self.descriptions.extend(item.description for item in found)

    def _node_types(self, pack: Pack, path: Path, module: ModuleType, notes: list[str]) -> list[Described]:
        mappings = getattr(module, "NODE_CLASS_MAPPINGS", None)
        entrypoint = getattr(module, "comfy_entrypoint", None)
        native = _native(module, pack.name)
        if mappings is not None:
            titles: dict[str, str] = getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", None) or {}
            return [*self._classes(pack, path, mappings, titles, notes), *native]
        if callable(entrypoint):
            listed = {cls.GET_SCHEMA().node_id: cls for cls in _node_list(entrypoint)}
            return [*self._classes(pack, path, listed, {}, notes), *native]
        if not native:
            raise ImportError(
                "It has no NODE_CLASS_MAPPINGS, no comfy_entrypoint and no function marked @node."
            )
        return native

    def _classes(
        self, pack: Pack, path: Path, mappings: Mapping[str, Any], titles: Mapping[str, str], notes: list[str]
    ) -> list[Described]:
        digest, found = pack_digest(path), list[Described]()
        stage = Stage(self.types, self._enter)
        for id, cls in list(mappings.items()):
            if (known := self.site.types.get(id)) is not None and known.source == CORE:
                notes.append(f"Its node {id} has the name of a built-in one, which is used.")
                continue
            if id in self.classes:
                notes.append(f"Another pack has a node {id} too; write {pack.name}/{id} for this one.")
            self.classes[id] = cls
            try:
                cls.RELATIVE_PYTHON_MODULE = f"custom_nodes.{pack.name}"
                title = titles.get(id) or getattr(cls, "DISPLAY_NAME", "") or id
                found.append(node_type(cls, id, pack.name, str(title), digest, stage))
            except Exception as error:  # one broken node does not take its pack's others along
                notes.append(f"Its node {id} was left out: {_words(error)}")
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


def _words(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"It tried to end the program (exit code {error.code})."
    text = str(error).strip().partition("\n")[0]
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return words if words.endswith(".") else f"{words}."
