"""Asking plugins' hooks: in their order, each on its own, so that one that fails hinders no other."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any, Final, cast

import pluggy

from host.plugins import core, hookspecs

LOG: Final = logging.getLogger("darkroom.plugins")
CORE: Final = "core"
_MARK: Final = f"{hookspecs.PROJECT}_impl"


@dataclass(frozen=True, slots=True)
class Said:
    """What one plugin's part in a hook gave."""

    plugin: str
    value: Any


def new_hooks() -> pluggy.PluginManager:
    """The hooks with what the core itself brings."""
    hooks = pluggy.PluginManager(hookspecs.PROJECT)
    hooks.add_hookspecs(hookspecs)
    hooks.register(core, CORE)
    return hooks


def add_plugin(hooks: pluggy.PluginManager, name: str, modules: Iterable[ModuleType]) -> tuple[str, ...]:
    """Let a plugin's functions marked `@hook` take part; gives their names.

    Raises LookupError where one has no hook's name, or parameters that the hook does not have.
    """
    marked = {id(item): item for module in modules for item in vars(module).values() if is_marked(item)}
    if not marked:
        return ()
    functions = cast("Iterable[Callable[..., Any]]", marked.values())
    named = SimpleNamespace(**{function.__name__: function for function in functions})
    try:
        hooks.register(named, name)
    except pluggy.PluginValidationError as error:
        said = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise LookupError(f"A function of it does not fit its hook. {said}") from None
    unknown = [item for item in vars(named) if not hasattr(hookspecs, item)]
    if unknown:
        hooks.unregister(named)
        known = sorted(hooks.hook.__dict__.keys() & vars(hookspecs).keys())
        raise LookupError(f"There is no hook {unknown[0]}. There are {', '.join(known)}.")
    return tuple(vars(named))


def is_marked(value: object) -> bool:
    """Whether a value is a function marked `@hook`."""
    return isinstance(getattr(value, "__dict__", None), Mapping | dict) and _MARK in vars(value)


def asked(hooks: pluggy.PluginManager, name: str, only: str = "", **told: Any) -> Iterator[Said]:
    """What plugins say to a hook, the core first; only: one plugin alone. What one raises passes."""
    caller: pluggy.HookCaller = getattr(hooks.hook, name)
    for part in caller.get_hookimpls():
        if not only or part.plugin_name == only:
            yield Said(part.plugin_name, part.function(*(told[argument] for argument in part.argnames)))


def told(hooks: pluggy.PluginManager, name: str, **values: Any) -> None:
    """Tell plugins something; what one raises is logged with its name."""
    caller: pluggy.HookCaller = getattr(hooks.hook, name)
    for part in caller.get_hookimpls():
        try:
            part.function(*(values[argument] for argument in part.argnames))
        except Exception:
            LOG.exception("Plugin %s failed in its hook %s.", part.plugin_name, name)


def giver(value: Any, package: str) -> Callable[[], Callable[..., Any]]:
    """What gives a function that a hook named: itself, or "module:name" imported when it is called.

    Raises TypeError for anything else.
    """
    if isinstance(value, str) and ":" in value:
        return partial(_imported, value, package)
    if callable(value):
        return lambda: value
    raise TypeError(f"{value!r} is neither a function nor a text such as '.samplers:sample_x'.")


def _imported(place: str, package: str) -> Any:
    module, _, names = place.partition(":")
    value: Any = import_module(module, package or None)
    for name in names.split("."):
        value = cast("Mapping[str, Any]", value)[name] if isinstance(value, Mapping) else getattr(value, name)
    return value
