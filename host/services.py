"""What the host is handed from above: formats it may not import, and the node types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp.web import Application

    from graph.formats import Format
    from graph.registry import Registry
    from graph.spec import NodeSpec
    from host.plugins.packs import Guard, Loaded, Site
    from host.plugins.scans import Scan


def _no_plugins(site: "Site", crashed: frozenset[str], guard: "Guard") -> "Loaded":
    """Plugins are left alone."""
    from host.plugins.packs import Loaded

    return Loaded()


def _no_types(descriptions: "Sequence[Mapping[str, Any]]") -> "list[NodeSpec]":
    """No node types."""
    return []


def _nothing_scanned(pack: "Path") -> "Scan":
    """Nobody knows another contract's nodes."""
    from host.plugins.scans import Scan

    return Scan(())


def _no_routes(app: "Application") -> None:
    """A server with our own routes only."""


@dataclass(frozen=True, slots=True)
class Services:
    """formats(): the workflow formats that can be read and written; node_types(): all node types.

    extra_routes(app): adds another protocol's routes and middlewares to the server (keys: host.server.app).
    plugins(site, crashed, guard): loads all plugins into this process, but for those at the paths `crashed`.
    described_types(descriptions): a plugin's node types for a process that does not run its code.
    scan(pack): which of a pack's nodes would work, told from its text.
    """

    formats: "Callable[[], Sequence[Format]]"
    node_types: "Callable[[], Registry]"
    extra_routes: "Callable[[Application], None]" = _no_routes
    plugins: "Callable[[Site, frozenset[str], Guard], Loaded]" = _no_plugins
    described_types: "Callable[[Sequence[Mapping[str, Any]]], list[NodeSpec]]" = _no_types
    scan: "Callable[[Path], Scan]" = _nothing_scanned

    def format_named(self, name: str) -> "Format":
        """The format of this name: darkroom, api or editor."""
        return next(form for form in self.formats() if form.name == name)
