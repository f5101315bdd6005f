"""What became of each plugin when it was loaded."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from host.plugins.frozen import frozen

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aiohttp.web import Application
    from pluggy import PluginManager

    from graph.registry import Registry
    from graph.spec import NodeSpec
    from host.folders import Folders

State = Literal["loaded", "failed", "crashed", "disabled", "waiting"]


@dataclass(frozen=True, slots=True)
class Pack:
    """A plugin. message: why it failed, in a sentence; trace: the traceback of that.

    notes: what it did to the program while loading, and other things to know. nodes: their bare names.
    crashed: the process died the last time it was loaded, so this time it was left out.
    web: the folder of its files for browsers. modules: where its ES modules for our editor are.
    kind: whose contract it keeps, ours or ComfyUI's. capabilities: what it says it does beside computing.
    """

    name: str
    path: str
    state: State
    message: str = ""
    trace: str = ""
    seconds: float = 0.0
    nodes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    web: str = ""
    modules: tuple[str, ...] = ()
    kind: Literal["native", "comfyui"] = "comfyui"
    version: str = ""
    description: str = ""
    capabilities: tuple[str, ...] = ()
    samplers: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def pack_from(data: Mapping[str, Any]) -> Pack:
    """The pack of `Pack.to_json`."""
    known = {item.name for item in fields(Pack)}
    found: dict[str, Any] = {key: frozen(value) for key, value in data.items() if key in known}
    return Pack(**found)


Send = Callable[[str, Any, str | None], None]
"""Tells clients something: event, data, and the one client or all."""


ADDRESS: Final = ("127.0.0.1", 8188)
"""Where a server answers that was told nothing else."""


def _to_nobody(event: str, data: Any, client: str | None) -> None:
    """No client hears anything."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where plugins are loaded: folders, built-in node types, and how clients are told things.

    taken: paths of plugins that are loaded elsewhere, or not at all. address: host and port of the server.
    """

    folders: "Folders"
    types: "Registry"
    send: Send = _to_nobody
    taken: frozenset[str] = frozenset()
    address: tuple[str, int] = ADDRESS


Guard = Callable[[str], AbstractContextManager[None]]
"""A context for the time that a pack loads, by its path."""


@dataclass(frozen=True, slots=True)
class Web:
    """What plugins answer over HTTP: an application that is not started yet, and loop(), what it runs in.

    change_prompt: passes the body of a prompt that a client posts through the plugins that asked to see it.
    """

    app: "Application"
    loop: "Callable[[], AbstractEventLoop]"
    change_prompt: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """A sampler or schedule of a plugin or the core. digest: changes with its code; give(): the function."""

    plugin: str
    digest: str
    give: Callable[[], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Brought:
    """What the core or plugins of ours bring beside node types, by name. folders: of models, by kind."""

    samplers: Mapping[str, Added] = field(default_factory=dict[str, Added])
    schedules: Mapping[str, Added] = field(default_factory=dict[str, Added])
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def all(self) -> tuple[Mapping[str, Any], ...]:
        """Every kind of thing."""
        return self.samplers, self.schedules, self.folders

    def digests(self) -> tuple[dict[str, str], dict[str, str]]:
        """Of samplers and of schedules, by name."""
        samplers, schedules = (
            {name: item.digest for name, item in found.items()} for found in (self.samplers, self.schedules)
        )
        return samplers, schedules


@dataclass(frozen=True, slots=True)
class Loaded:
    """All plugins and their node types; `descriptions` are the same as plain values, for other processes.

    hooks: those that plugins of ours take part in.
    """

    packs: Sequence[Pack] = ()
    specs: "Sequence[NodeSpec]" = ()
    descriptions: Sequence[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    web: Web | None = None
    brought: Brought = Brought()
    hooks: "PluginManager | None" = None
