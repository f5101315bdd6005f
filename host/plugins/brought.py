"""What the core and plugins bring beside node types: samplers, schedules, kinds of model files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pluggy

from host.plugins.hooks import CORE, Said, asked, giver, new_hooks
from host.plugins.packs import Added, Brought

Value = TypeVar("Value")
Ask = Callable[[str], Iterable[Said]]
"""What one plugin says to a hook."""


def brought_by(ask: Ask, plugin: str, digest: str = "", package: str = "") -> Brought:
    """What one brings. package: where modules that it names with "." begin. Raises what its hooks raise."""
    return Brought(
        _named(ask("register_samplers"), plugin, digest, package),
        _named(ask("register_schedules"), plugin, digest, package),
        {
            kind: tuple(places)
            for said in ask("register_model_folders")
            for kind, places in said.value.items()
        },
    )


def brought_by_core(hooks: pluggy.PluginManager | None = None) -> Brought:
    """What the core brings, by the same hooks. Its digest is empty: keys of the cache know its version."""
    return brought_by(partial(asked, hooks or new_hooks(), only=CORE), CORE)


def joined(brought: Sequence[Brought]) -> Brought:
    """All together: of two with one name the first is used; folders of one kind are put together."""
    samplers, schedules, folders = dict[str, Added](), dict[str, Added](), dict[str, tuple[str, ...]]()
    for item in brought:
        samplers = first_of(samplers, item.samplers)
        schedules = first_of(schedules, item.schedules)
        folders |= {
            kind: tuple(dict.fromkeys((*folders.get(kind, ()), *more))) for kind, more in item.folders.items()
        }
    return Brought(samplers, schedules, folders)


def taken_names(brought: Sequence[Brought]) -> dict[str, list[str]]:
    """Sentences for plugins whose samplers or schedules bear a name that another before them has."""
    notes = dict[str, list[str]]()
    for what, tables in (
        ("sampler", [item.samplers for item in brought]),
        ("schedule", [item.schedules for item in brought]),
    ):
        first = dict[str, Added]()
        for table in tables:
            for name, item in table.items():
                if (known := first.setdefault(name, item)).plugin != item.plugin:
                    notes.setdefault(item.plugin, []).append(_taken(what, name, known.plugin))
    return notes


def _taken(what: str, name: str, by: str) -> str:
    whose = "of a built-in one, which" if by == CORE else f"of one of {by}, which comes first and"
    return f"Its {what} {name} has the name {whose} is used."


def first_of(known: Mapping[str, Value], more: Mapping[str, Value]) -> dict[str, Value]:
    """The values of both by name; where both have one, the first's."""
    return {**known, **{name: item for name, item in more.items() if name not in known}}


def _named(said: Iterable[Said], plugin: str, digest: str, package: str) -> Mapping[str, Added]:
    given: dict[str, Any] = {str(name): value for item in said for name, value in item.value.items()}
    return {name: Added(plugin, digest, giver(value, package)) for name, value in given.items()}
