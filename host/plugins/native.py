"""Loading plugins of ours: one after the other, each on its own, none able to hinder the next."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import quote

import pluggy
from aiohttp.web import AbstractRouteDef, RouteDef, RouteTableDef

from graph.node import spec_of
from graph.registry import bare_name
from graph.spec import NodeSpec
from host.folders import PLUGINS
from host.plugins.brought import brought_by
from host.plugins.described import description_of
from host.plugins.failures import trace_of, words
from host.plugins.found import Found, pack_of
from host.plugins.hooks import add_plugin, asked
from host.plugins.importing import code_digest, forget_plugin, import_plugin, package_of
from host.plugins.kept import program_kept
from host.plugins.manifest import unfit_for
from host.plugins.packs import Brought, Guard, Pack, Site

_CRASHED: Final = "Loading it ended the whole process, so it was left out. Update it, or remove it."


@dataclass(slots=True)
class Loading:
    """The plugins of ours that are loaded so far, with all that they brought."""

    site: Site
    hooks: pluggy.PluginManager
    packs: list[Pack] = field(default_factory=list[Pack])
    specs: list[NodeSpec] = field(default_factory=list[NodeSpec])
    brought: list[Brought] = field(default_factory=list[Brought])
    routes: list[AbstractRouteDef] = field(default_factory=list[AbstractRouteDef])

    def load(self, found: Found, crashed: frozenset[str], guard: Guard) -> None:
        """Load one plugin, or say why it is not loaded."""
        pack = pack_of(found)
        if not found.enabled:
            pack = replace(pack, state="disabled")
        elif str(found.path) in crashed:
            pack = replace(pack, state="crashed", message=_CRASHED)
        elif wrong := found.trouble or unfit_for(found.manifest):
            pack = replace(pack, state="failed", message=wrong)
        else:
            pack = self._tried(pack, found, guard)
        self.packs.append(pack)

    def _tried(self, pack: Pack, found: Found, guard: Guard) -> Pack:
        began, notes = time.perf_counter(), list[str]()
        try:
            with guard(str(found.path)), program_kept(notes):
                pack = self._loaded(pack, found)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, sys.exit() included
            self._let_go(found)
            trace = trace_of(error, found.path)
            pack = replace(pack, state="failed", message=words(error), trace=trace)
        return replace(pack, notes=tuple(notes), seconds=time.perf_counter() - began)

    def _loaded(self, pack: Pack, found: Found) -> Pack:
        modules, digest = import_plugin(found), code_digest(found)
        add_plugin(self.hooks, found.name, modules)
        ask = partial(asked, self.hooks, only=found.name)
        more = [item for said in ask("register_nodes") for item in cast("Iterable[Any]", said.value)]
        specs = _specs(found, digest, modules, more)
        brought = brought_by(ask, found.name, digest, package_of(found))
        files = [*found.manifest.web_modules, *(file for said in ask("web_modules") for file in said.value)]
        routes = _routes(found, ask)
        if not specs and not any((*brought.all(), files, routes)) and not self.hooks.get_plugin(found.name):
            raise ImportError("It has no function marked @node and none marked @hook.")
        self.specs += specs
        self.brought.append(brought)
        self.routes += routes
        return replace(
            pack,
            nodes=tuple(map(bare_name, specs)),
            samplers=tuple(brought.samplers),
            schedules=tuple(brought.schedules),
            modules=tuple(dict.fromkeys(_address(found, file) for file in files)),
        )

    def descriptions(self) -> list[Mapping[str, Any]]:
        """The node types as plain values."""
        return [description_of(spec) for spec in self.specs]

    def _let_go(self, found: Found) -> None:
        if self.hooks.get_plugin(found.name) is not None:
            self.hooks.unregister(name=found.name)
        forget_plugin(found)


def load_native(
    site: Site, hooks: pluggy.PluginManager, found: Sequence[Found], crashed: frozenset[str], guard: Guard
) -> Loading:
    """Load plugins of ours; nothing that one does while loading is raised, its report says it."""
    loading = Loading(site, hooks)
    for root in site.folders.folders(PLUGINS):
        if str(root.parent) not in sys.path:
            sys.path.append(str(root.parent))
    for item in found:
        loading.load(item, crashed, guard)
    return loading


def _specs(found: Found, digest: str, modules: Iterable[ModuleType], more: Iterable[Any]) -> list[NodeSpec]:
    """The node types written in a plugin's modules, and those that a hook gave; each once."""
    package = package_of(found)
    written = [item for module in modules for item in vars(module).values() if _is_in(item, package)]
    given = [item for source in more for item in _functions(source)]
    functions = {id(item): item for item in (*written, *given)}
    specs = [spec for item in functions.values() if (spec := spec_of(item)) is not None]
    return [replace(spec, source=found.name, digest=f"{spec.digest}{digest}") for spec in specs]


def _functions(source: Any) -> Iterable[Any]:
    return vars(source).values() if isinstance(source, ModuleType) else (source,)


def _is_in(item: Any, package: str) -> bool:
    """Whether a marked function is a plugin's own, and not one that it imported."""
    module = str(getattr(item, "__module__", ""))
    return spec_of(item) is not None and (module == package or module.startswith(f"{package}."))


def _routes(found: Found, ask: Callable[..., Any]) -> list[AbstractRouteDef]:
    """The routes of a plugin, at their place below /plugins/NAME."""
    table = RouteTableDef()
    for _ in ask("register_routes", routes=table):
        pass
    start = f"/plugins/{quote(found.name)}"
    return [
        _moved(route, f"{start}/{route.path.lstrip('/')}") for route in table if isinstance(route, RouteDef)
    ]


def _moved(route: RouteDef, path: str) -> RouteDef:
    """The same route at another place."""
    return RouteDef(route.method, path, route.handler, route.kwargs)


def _address(found: Found, file: object) -> str:
    return f"/plugins/{quote(found.name)}/{quote(str(file))}"
