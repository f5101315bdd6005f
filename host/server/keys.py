"""What handlers find in the application."""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from graph.registry import Registry
from host.folders import Folders
from host.jobs.service import JobService
from host.server.hub import EventHub
from host.server.metrics import Metrics
from host.server.settings import Settings
from host.services import Services

JOBS: Final = web.AppKey("jobs", JobService)
SETTINGS: Final = web.AppKey("settings", Settings)
SERVICES: Final = web.AppKey("services", Services)
FOLDERS: Final = web.AppKey("folders", Folders)
HUB: Final = web.AppKey("hub", EventHub)
METRICS: Final = web.AppKey("metrics", Metrics)
TYPES: Final[web.AppKey[Callable[[], Registry]]] = web.AppKey("types")
"""All node types, plugins' included as far as a worker has told them; imports no torch."""
