# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""The module `server`: PromptServer as packs know it, without the server itself, which is another process."""

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Final

from aiohttp import web

from compat.names.session import Session
from compat.plugins.values import plain
from host.plugins.packs import Web

LOG: Final = logging.getLogger("darkroom.plugins")
_LARGEST_BODY: Final = 1 << 40
"""The server itself refuses bodies that are too large."""


class BinaryEventTypes:
    """The numbers of binary messages to browsers."""

    PREVIEW_IMAGE: Final = 1
    UNENCODED_PREVIEW_IMAGE: Final = 2
    TEXT: Final = 3
    PREVIEW_IMAGE_WITH_METADATA: Final = 4


class PromptServer:
    """What packs ask of the server: routes of their own, messages to browsers, who sent the job."""

    instance: "PromptServer"

    def __init__(self, session: Session) -> None:
        self._session = session
        self.routes = web.RouteTableDef()
        self.app = web.Application(client_max_size=_LARGEST_BODY)
        self.supports = ["custom_nodes_from_web"]
        self.address, self.port = session.site.address
        self.client_id: str | None = None
        self.number = 0
        self.sockets = dict[str, Any]()
        self.sockets_metadata = dict[str, Any]()
        self.on_prompt_handlers = list[Callable[[Any], Any]]()
        self.prompt_queue = PromptQueue()
        self.user_manager = SimpleNamespace(settings=SimpleNamespace(get_settings=lambda request: {}))
        self.messages: asyncio.Queue[Any] | None = None
        self.web_root = ""

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that runs in a thread of its own, from the first time that a pack asks for it."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="plugins", daemon=True).start()
        return loop

    @property
    def last_node_id(self) -> str | None:
        """The node that runs."""
        return self._session.context().node_id or None

    @last_node_id.setter
    def last_node_id(self, value: str | None) -> None:
        """Nothing: the engine says which node runs."""

    @property
    def last_prompt_id(self) -> str:
        """The id of the job that runs, where it is known."""
        return str(getattr(self._session.context().job, "id", "") or "")

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Tell browsers something: an event's name and JSON data; previews go with the node's progress."""
        if isinstance(event, int) or isinstance(data, bytes | bytearray):
            self._send_preview(data)
            return
        self._session.site.send(str(event), plain(data), sid)

    def _send_preview(self, data: Any) -> None:
        picture = data[1] if isinstance(data, tuple) and len(data) > 1 else None
        if hasattr(picture, "save"):
            self._session.context().progress(0, 0, picture)

    async def send(self, event: Any, data: Any, sid: str | None = None) -> None:
        """The same."""
        self.send_sync(event, data, sid)

    async def send_json(self, event: str, data: Any, sid: str | None = None) -> None:
        """The same."""
        self.send_sync(event, data, sid)

    def send_progress_text(self, text: Any, node_id: str, sid: str | None = None) -> None:
        """Show a text at a node."""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        self._session.site.send("progress_text", {"node": node_id, "text": words}, sid)

    def add_on_prompt_handler(self, handler: Callable[[Any], Any]) -> None:
        """Have a function see every job before it is checked."""
        self.on_prompt_handlers.append(handler)

    def trigger_on_prompt(self, json_data: Any) -> Any:
        """What a posted job is after all such functions; one that raises changes nothing."""
        for handler in self.on_prompt_handlers:
            try:
                json_data = handler(json_data)
            except Exception:
                LOG.exception("A plugin's handler of prompts failed and was left out.")
        return json_data

    def queue_updated(self) -> None:
        """Nothing: the server tells browsers itself."""

    def add_routes(self) -> None:
        """Nothing: the routes are served as they are."""

    def web(self) -> Web:
        """What packs answer: the routes of `routes` at their paths and below /api, and those of `app`."""
        for route in self.routes:
            _add(self.app, route)
            if isinstance(route, web.RouteDef):
                _add(self.app, web.RouteDef(route.method, f"/api{route.path}", route.handler, route.kwargs))
        return Web(self.app, lambda: self.loop, self.trigger_on_prompt if self.on_prompt_handlers else None)

    def get_queue_info(self) -> Mapping[str, Any]:
        """How many jobs wait, as far as a worker knows."""
        return {"exec_info": {"queue_remaining": 0}}


def _add(app: web.Application, route: Any) -> None:
    """Add a route; of two with one path the first stays, and one that cannot be is left out."""
    try:
        app.add_routes([route])
    except (ValueError, RuntimeError) as error:
        LOG.warning("A plugin's route was left out: %s", error)


class PromptQueue:
    """The queue as a worker sees it: jobs come one by one, so nothing else waits here."""

    def __init__(self) -> None:
        self.currently_running = dict[int, Any]()
        self.history = dict[str, Any]()
        self.flags = dict[str, Any]()
        self.queue = list[Any]()

    def get_tasks_remaining(self) -> int:
        """Nothing waits here."""
        return 0

    def get_current_queue(self) -> tuple[list[Any], list[Any]]:
        """Nothing runs or waits here."""
        return [], []

    def get_current_queue_volatile(self) -> tuple[list[Any], list[Any]]:
        """The same."""
        return [], []

    def get_history(self, **wanted: Any) -> dict[str, Any]:
        """The server keeps the history."""
        return {}

    def set_flag(self, name: str, data: Any) -> None:
        """Remember a wish of a pack."""
        self.flags[name] = data

    def put(self, item: Any) -> None:
        """Refuse: jobs are handed in over HTTP."""
        raise RuntimeError("Not supported by this host: prompt_queue.put. Post the job to /prompt instead.")


def server(session: Session) -> dict[str, Any]:
    """The names of `server`."""
    instance = PromptServer(session)
    PromptServer.instance = instance
    PromptServer.__module__ = "server"
    return {
        "PromptServer": PromptServer,
        "BinaryEventTypes": BinaryEventTypes,
        "web": web,
        "uuid": uuid,
        "asyncio": asyncio,
    }
