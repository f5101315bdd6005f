"""What the host is handed from above: formats it may not import, and the node types."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.web import Application

    from graph.formats import Format
    from graph.registry import Registry


def _no_routes(app: "Application") -> None:
    """A server with our own routes only."""


@dataclass(frozen=True, slots=True)
class Services:
    """formats(): the workflow formats that can be read and written; node_types(): all node types.

    extra_routes(app): adds another protocol's routes and middlewares to the server (keys: host.server.app).
    """

    formats: "Callable[[], Sequence[Format]]"
    node_types: "Callable[[], Registry]"
    extra_routes: "Callable[[Application], None]" = _no_routes

    def format_named(self, name: str) -> "Format":
        """The format of this name: darkroom, api or editor."""
        return next(form for form in self.formats() if form.name == name)
