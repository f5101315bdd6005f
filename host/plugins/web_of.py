"""The HTTP routes of our own plugins, beside those of other contracts: one application for all."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.plugins.packs import Web

if TYPE_CHECKING:
    from aiohttp.web import AbstractRouteDef

LOG: Final = logging.getLogger("darkroom.plugins")
_LARGEST_BODY: Final = 1 << 40
"""The server itself refuses bodies that are too large."""


@dataclass(slots=True)
class OwnLoop:
    """An event loop in a thread of its own, started when it is first asked for."""

    _loop: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="plugin routes", daemon=True).start()
        return self._loop


def with_routes(web: Web | None, routes: "Sequence[AbstractRouteDef]", asked: bool = False) -> Web | None:
    """What plugins answer, with these routes; of two at one place the first stays.

    asked: the server will ask for checks that their code makes, even where they answer nothing else.
    """
    if not routes and not asked:
        return web
    from aiohttp.web import Application

    joined = web or Web(Application(client_max_size=_LARGEST_BODY), OwnLoop())
    for route in routes:
        try:
            joined.app.add_routes([route])
        except (ValueError, RuntimeError) as error:
            LOG.warning("A plugin's route was left out: %s", error)
    return joined
