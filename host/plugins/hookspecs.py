"""Every hook there is. A plugin implements one with a function of its name and parameters, marked `@hook`.

The core's own node types, samplers, schedules, model folders and routes come through the same hooks
(`host/plugins/core.py`). docs/plugins.md has a heading for each, and tests/host/plugins/test_hooks.py a test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from aiohttp.web import RouteTableDef

    from graph.events import Event
    from host.folders import Folders

PROJECT: Final = "darkroom"
hook: Final = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as its part in the hook of the same name."""
_declared: Final = pluggy.HookspecMarker(PROJECT)

NodeSource = ModuleType | Callable[..., Any]
"""A function marked `@node`, or a module that holds some."""
Named = Mapping[str, "Callable[..., Any] | str"]
"""Functions by name; one as "module:function" ("." begins the plugin's own) is imported when first used."""


@_declared
def register_nodes() -> Iterable[NodeSource]:
    """Give node types that scanning the plugin's modules does not find, such as functions made in a loop."""
    raise NotImplementedError


@_declared
def register_samplers() -> Named:
    """Give samplers by name: `sample(model, x, sigmas, extra_args=None, callback=None, disable=None)`."""
    raise NotImplementedError


@_declared
def register_schedules() -> Named:
    """Give schedules by name: `schedule(steps, sampling)` returns falling noise levels that end in 0."""
    raise NotImplementedError


@_declared
def register_model_folders() -> Mapping[str, Sequence[str]]:
    """Give kinds of model files, each with its folders below models/; nodes take `FileChoice(kind)`."""
    raise NotImplementedError


@_declared
def register_routes(routes: "RouteTableDef") -> None:
    """Add HTTP routes of aiohttp; they are served below /plugins/NAME by the process that runs plugins."""
    raise NotImplementedError


@_declared
def web_modules() -> Sequence[str]:
    """Name ES modules in the plugin's folder `web` that the editor loads, besides those in plugin.toml."""
    raise NotImplementedError


@_declared
def on_job_event(job: str, event: "Event") -> None:
    """Hear each event of a job in the process that runs it; `job` is its id, empty without a server."""
    raise NotImplementedError


@_declared
def startup(folders: "Folders") -> None:
    """Get ready: every plugin is loaded, no job runs yet. Called once in each process that runs jobs."""
    raise NotImplementedError


@_declared
def shutdown() -> None:
    """Let go of what `startup` took: the process ends in an orderly way."""
    raise NotImplementedError
