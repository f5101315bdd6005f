"""What the import names stand on: the site, all node types, and the node that runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from compat.names.placeholders import placeholder
from compat.names.probing import is_probed
from compat.plugins.values import CURRENT, InterruptProcessing
from graph.context import Cancelled, NeverCancelled, NodeContext
from graph.events import Event
from graph.registry import Registry
from host.plugins.packs import Site


class Classes(dict[str, Any]):
    """All node classes by name. One that this host lacks says so when it is used, unless a pack only asks."""

    def __missing__(self, name: str) -> Any:
        if is_probed():
            raise KeyError(name)
        return placeholder(f"nodes.{name}")


@dataclass(slots=True)
class Session:
    """One loading of packs. classes: every node class by name, live, as `nodes.NODE_CLASS_MAPPINGS`."""

    site: Site
    types: Callable[[], Registry]
    classes: dict[str, Any]
    modules: dict[str, ModuleType] = field(default_factory=dict[str, ModuleType])
    last: NodeContext | None = None

    @property
    def home(self) -> Path:
        """The folder that packs take for the host's: that of its models and outputs, never our sources."""
        return self.site.folders.folders("output")[0].parent

    def runs(self, context: NodeContext) -> None:
        """A node runs: threads that it starts find it too."""
        self.last = context

    def context(self) -> NodeContext:
        """The node that runs here, else the one that ran last, else none in particular."""
        return CURRENT.get() or self.last or NodeContext("", _Nowhere(self.site), _unheard, NeverCancelled())

    def check_interrupted(self) -> None:
        """Raise InterruptProcessing when the job was cancelled."""
        try:
            self.context().check_cancelled()
        except Cancelled as stop:
            raise InterruptProcessing from stop


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """The job of nodes that packs call while no job runs."""

    site: Site

    @property
    def files(self) -> Any:
        """The site's folders."""
        return self.site.folders

    @property
    def metadata(self) -> dict[str, str]:
        """Nothing."""
        return {}

    def note(self, message: str) -> None:
        """Nothing: no picture is made."""


def _unheard(event: Event) -> None:
    """Nobody listens."""
