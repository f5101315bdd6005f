"""Loading the plugins of an installation into this process, and remembering what they brought."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffusion import registered
from host.folders import PLUGINS, Folders
from host.plugins.brought import brought_by_core, joined, taken_names
from host.plugins.choices import with_choices
from host.plugins.described import own_code
from host.plugins.found import DISABLED, entries, find_plugins, folder_name, is_ours
from host.plugins.lock import disabled_in
from host.plugins.packs import ADDRESS, Brought, Loaded, Pack, Send, Site
from host.plugins.remembered import FILE, Crashes, write_loaded
from host.plugins.web_of import with_routes

if TYPE_CHECKING:
    from graph.registry import Clash, Registry
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
        put_in_place(brought_by_core(), folders)
        if (cache / FILE).exists():
            write_loaded(cache, Loaded())
        return Loaded()
    from host.plugins.hooks import new_hooks, told
    from host.plugins.native import load_native

    crashes = Crashes(cache)
    site = Site(folders, types, address=address)
    site = site if send is None else replace(site, send=send)
    native = load_native(site, new_hooks(), found, crashes.known(), crashes.guarded)
    brought = [brought_by_core(native.hooks), *native.brought]
    put_in_place(joined(brought), folders)
    loaded = _with_foreign(services, site, native, crashes)
    loaded = replace(loaded, packs=_with_notes(loaded.packs, taken_names(brought)))
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
        brought=joined(native.brought),
        web=with_routes(foreign.web, native.routes, any(map(own_code, native.specs))),
        hooks=native.hooks,
    )
    return replace(loaded, packs=_with_clashes(site.types, loaded))


def _with_notes(packs: Sequence[Pack], notes: Mapping[str, Sequence[str]]) -> list[Pack]:
    """The packs with more notes, which are given by the names of plugins of ours."""
    more = {name: said for name, said in notes.items() if said}
    return [
        replace(pack, notes=(*pack.notes, *more[pack.name]))
        if pack.kind == "native" and pack.state == "loaded" and pack.name in more
        else pack
        for pack in packs
    ]


def _with_clashes(types: "Registry", loaded: Loaded) -> list[Pack]:
    """The packs, each with a note for every node name, and for its own name, that another wants too."""
    clashes = types.with_specs(loaded.specs).clashes
    ours = {pack.name for pack in loaded.packs if pack.kind == "native"}
    return [
        replace(
            pack,
            notes=(
                *pack.notes,
                *(str(clash) for clash in clashes if _concerns(clash, pack, ours)),
                *_namesakes(pack, loaded.packs),
            ),
        )
        for pack in loaded.packs
    ]


def _concerns(clash: "Clash", pack: Pack, ours: set[str]) -> bool:
    """Whether a pack is to be told of a clash; ComfyUI's were told of those among themselves when loaded."""
    return pack.name in clash.sources and (pack.kind == "native" or not ours.isdisjoint(clash.sources))


def _namesakes(pack: Pack, packs: Sequence[Pack]) -> Iterator[str]:
    """A sentence for every other plugin of a pack's name: both begin the ids of their nodes with it."""
    for other in packs:
        same = other.name.casefold() == pack.name.casefold() and other.path != pack.path
        if same and pack.state == other.state == "loaded":
            yield f"Another plugin is called {other.name} too ({other.path}). Rename one of them."


def put_in_place(brought: Brought, folders: Folders) -> None:
    """Let the rest of the program find what the core and plugins brought, and nothing else."""
    for table, found in (
        (registered.SAMPLERS, brought.samplers),
        (registered.SCHEDULES, brought.schedules),
    ):
        table.clear()
        table.update({name: item.give for name, item in found.items()})
    folders.add_kinds(brought.folders)


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
    brought = joined([brought_by_core(loaded.hooks), loaded.brought])
    return with_choices(types, *brought.digests()), loaded


def complaints(loaded: Loaded) -> list[str]:
    """A sentence for each plugin that does not work."""
    broken = (pack for pack in loaded.packs if pack.state in ("failed", "crashed"))
    return [f"Plugin {pack.name} was not loaded: {pack.message}" for pack in broken]
