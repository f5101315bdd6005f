"""Loading the plugins of an installation into this process, and remembering what they brought."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffusion import added
from host.folders import PLUGINS, Folders
from host.plugins.choices import with_choices
from host.plugins.found import DISABLED, entries, find_plugins, folder_name, is_ours
from host.plugins.lock import disabled_in
from host.plugins.packs import ADDRESS, Added, Brought, Loaded, Pack, Send, Site
from host.plugins.remembered import FILE, Crashes, write_loaded
from host.plugins.web_of import with_routes

if TYPE_CHECKING:
    from graph.registry import Registry
    from host.plugins.native import Loading
    from host.services import Services


def load_all(
    services: "Services",
    types: "Registry",
    folders: Folders,
    cache: Path,
    send: Send | None = None,
    address: tuple[str, int] = ADDRESS,
) -> Loaded:
    """All plugins of these folders. One that ended the process the last time is left out until it changes."""
    found = find_plugins(folders.folders(PLUGINS))
    if not found and not any(entries(root) for root in folders.folders(PLUGINS)):
        if (cache / FILE).exists():
            write_loaded(cache, Loaded())
        return Loaded()
    from host.plugins.hooks import new_hooks, told
    from host.plugins.native import load_native

    crashes = Crashes(cache)
    site = Site(folders, types, address=address)
    site = site if send is None else replace(site, send=send)
    native = load_native(site, new_hooks(), found, crashes.known(), crashes.guarded)
    put_in_place(native.brought, folders)
    loaded = _with_foreign(services, site, native, crashes)
    write_loaded(cache, loaded)
    told(native.hooks, "startup", folders=folders)
    return loaded


def _with_foreign(services: "Services", site: Site, native: "Loading", crashes: Crashes) -> Loaded:
    """The plugins of ours together with those of another contract, which may use what ours brought."""
    places = [(root, path) for root in site.folders.folders(PLUGINS) for path in entries(root)]
    off = {root: disabled_in(root) for root in {root for root, _ in places}}
    left = [path for root, path in places if not is_ours(path) and folder_name(path) in off[root]]
    taken = {str(path) for _, path in places if is_ours(path)} | {str(path) for path in left}
    known = replace(site, types=site.types.with_specs(native.specs), taken=frozenset(taken))
    theirs = any(str(path) not in taken for _, path in places if not path.name.endswith(DISABLED))
    foreign = services.plugins(known, crashes.known(), crashes.guarded) if theirs else Loaded()
    disabled = [Pack(folder_name(path), str(path), "disabled") for path in left]
    loaded = replace(
        foreign,
        packs=[*native.packs, *foreign.packs, *disabled],
        specs=[*native.specs, *foreign.specs],
        descriptions=[*native.descriptions(), *foreign.descriptions],
        brought=_joined(native.brought),
        web=with_routes(foreign.web, native.routes),
        hooks=native.hooks,
    )
    return replace(loaded, packs=_with_clashes(site.types, loaded))


def _joined(brought: Sequence[Brought]) -> Brought:
    samplers, schedules, folders = dict[str, Added](), dict[str, Added](), dict[str, tuple[str, ...]]()
    for item in brought:
        samplers |= {name: one for name, one in item.samplers.items() if name not in samplers}
        schedules |= {name: one for name, one in item.schedules.items() if name not in schedules}
        folders |= {
            kind: tuple(dict.fromkeys((*folders.get(kind, ()), *more))) for kind, more in item.folders.items()
        }
    return Brought(samplers, schedules, folders)


def _with_clashes(types: "Registry", loaded: Loaded) -> list[Pack]:
    """The packs, each with a note for every node name that another wants too."""
    clashes = types.with_specs(loaded.specs).clashes
    noted = Counter(source for clash in clashes for source in clash.sources)
    return [
        pack
        if pack.name not in noted or pack.kind != "native"
        else replace(
            pack, notes=(*pack.notes, *(str(clash) for clash in clashes if pack.name in clash.sources))
        )
        for pack in loaded.packs
    ]


def put_in_place(brought: Iterable[Brought], folders: Folders) -> None:
    """Let the rest of the program find what plugins brought."""
    joined = _joined(list(brought))
    added.SAMPLERS.clear()
    added.SCHEDULES.clear()
    added.SAMPLERS.update({name: item.give for name, item in joined.samplers.items()})
    added.SCHEDULES.update({name: item.give for name, item in joined.schedules.items()})
    folders.add_kinds(joined.folders)


def all_types(
    services: "Services",
    folders: Folders,
    cache: Path,
    send: Send | None = None,
    address: tuple[str, int] = ADDRESS,
) -> "tuple[Registry, Loaded]":
    """The built-in node types with those of all plugins, and what became of these."""
    types = services.node_types()
    loaded = load_all(services, types, folders, cache, send, address)
    if loaded.specs:
        types = types.with_specs(loaded.specs)
    return with_choices(types, _digests(loaded.brought.samplers), _digests(loaded.brought.schedules)), loaded


def _digests(added: Mapping[str, Added]) -> dict[str, str]:
    return {name: item.digest for name, item in added.items()}


def complaints(loaded: Loaded) -> list[str]:
    """A sentence for each plugin that does not work."""
    broken = (pack for pack in loaded.packs if pack.state in ("failed", "crashed"))
    return [f"Plugin {pack.name} was not loaded: {pack.message}" for pack in broken]
