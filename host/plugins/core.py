"""What the core itself brings, by the hooks that plugins have. Nothing here imports torch."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from host.folders import MODEL_KINDS
from host.plugins.hookspecs import Named, hook

if TYPE_CHECKING:
    from aiohttp.web import RouteTableDef


@hook
def register_nodes() -> Sequence[ModuleType]:
    """The built-in node types, one module a family."""
    from nodes import FAMILIES

    return FAMILIES


@hook
def register_samplers() -> Named:
    """The built-in samplers, in the field's order."""
    return {name: f"diffusion.samplers:SAMPLERS.{name}" for name in SAMPLER_NAMES}


@hook
def register_schedules() -> Named:
    """The built-in schedules, in the field's order."""
    return {name: f"diffusion.schedules:SCHEDULES.{name}" for name in SCHEDULE_NAMES}


@hook
def register_model_folders() -> Mapping[str, Sequence[str]]:
    """The kinds of model files that built-in nodes choose among."""
    return MODEL_KINDS


@hook
def register_routes(routes: "RouteTableDef") -> None:
    """The routes of our API, which the server itself answers."""
    from host.server.app import OUR_ROUTES

    for item in OUR_ROUTES:
        routes.route(item.method, item.full_path)(item.handler)
