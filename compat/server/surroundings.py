"""What the routes are given, in one place: folders, node types, settings and jobs of the host."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from graph.registry import Registry
from host.folders import Folders
from host.jobs.service import JobService
from host.server.settings import Settings
from host.services import Services

COMFYUI: Final = "0.3.64"
"""The version of ComfyUI whose protocol this is; clients are told it."""
FRONT_END: Final = "1.27.10"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where things lie, which node types there are, and the jobs.

    users: the folder of all users' files. web_root: the official front end's files, where it is served.
    """

    folders: Folders
    users: Path
    types: Callable[[], Registry]
    settings: Settings
    jobs: JobService
    services: Services
    web_root: Path | None = None

    @property
    def plugins(self) -> tuple[Path, ...]:
        """The folders that hold plugins."""
        return self.settings.plugins


SURROUNDINGS: Final = web.AppKey("surroundings", Surroundings)


def surroundings(request: web.Request) -> Surroundings:
    """What the application of a request was given."""
    return request.app[SURROUNDINGS]
