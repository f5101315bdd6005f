"""The example's part in the hooks. Functions are named by text, so that torch is loaded on first use."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from graph.events import Event, JobFinished
from host.folders import Folders
from host.plugins.hookspecs import hook

_FINISHED: dict[str, int] = {}
"""How many jobs ended in each state, in this process."""


@hook
def register_samplers() -> Mapping[str, str]:
    """A sampler: it appears wherever one is chosen."""
    return {"example_midpoint": "._sampling:sample_midpoint"}


@hook
def register_schedules() -> Mapping[str, str]:
    """A schedule."""
    return {"example_cosine": "._sampling:cosine"}


@hook
def register_model_folders() -> Mapping[str, Sequence[str]]:
    """A kind of model files: those in models/example_tables."""
    return {"example_tables": ["example_tables"]}


@hook
def register_routes(routes: web.RouteTableDef) -> None:
    """GET /plugins/example/finished tells how many jobs ended, by state."""

    @routes.get("/finished")
    async def finished(request: web.Request) -> web.StreamResponse:
        return web.json_response(_FINISHED)


@hook
def on_job_event(job: str, event: Event) -> None:
    """Count what ended."""
    if isinstance(event, JobFinished):
        _FINISHED[event.state] = _FINISHED.get(event.state, 0) + 1


@hook
def startup(folders: Folders) -> None:
    """Begin to count."""
    _FINISHED.clear()
