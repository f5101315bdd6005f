"""Loading the plugins of an installation into this process, and remembering what they brought."""

from pathlib import Path
from typing import TYPE_CHECKING

from host.folders import PLUGINS, Folders
from host.plugins.packs import Loaded, Send, Site
from host.plugins.remembered import FILE, Crashes, write_loaded

if TYPE_CHECKING:
    from graph.registry import Registry
    from host.services import Services


def load_all(
    services: "Services", types: "Registry", folders: Folders, cache: Path, send: Send | None = None
) -> Loaded:
    """All plugins of these folders. One that ended the process the last time is left out until it changes."""
    if not any(root.is_dir() and any(root.iterdir()) for root in folders.folders(PLUGINS)):
        if (cache / FILE).exists():
            write_loaded(cache, Loaded())
        return Loaded()
    crashes = Crashes(cache)
    site = Site(folders, types) if send is None else Site(folders, types, send)
    loaded = services.plugins(site, crashes.known(), crashes.guarded)
    write_loaded(cache, loaded)
    return loaded


def all_types(
    services: "Services", folders: Folders, cache: Path, send: Send | None = None
) -> "tuple[Registry, Loaded]":
    """The built-in node types with those of all plugins, and what became of these."""
    types = services.node_types()
    loaded = load_all(services, types, folders, cache, send)
    return types.with_specs(loaded.specs) if loaded.specs else types, loaded


def complaints(loaded: Loaded) -> list[str]:
    """A sentence for each plugin that does not work."""
    broken = (pack for pack in loaded.packs if pack.state != "loaded")
    return [f"Plugin {pack.name} was not loaded: {pack.message}" for pack in broken]
