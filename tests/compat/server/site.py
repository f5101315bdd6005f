"""A server without a worker, asked from plain test functions."""

import asyncio
import json
import struct
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientWebSocketResponse, FormData, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from compat.formats.known import FORMATS
from compat.server.routes import add_comfyui
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Hint, Input, NodeSpec
from host.folders import folders_of
from host.server.app import FOLDERS, JOBS, SERVICES, SETTINGS, TYPES
from host.server.settings import Settings
from host.services import Services
from nodes import registry
from tests.compat.server.fake_jobs import FakeJobs
from tests.compat.toys import BLANK, INVERT, SAVE, nothing, whole

ANYTHING = NodeSpec(
    "Anything",
    nothing,
    (Input("value", socket_type("*"), required=False, hint=Hint(lazy=True)),),
    output=True,
)
CHECKED = NodeSpec(
    "Checked",
    nothing,
    (whole("number", 1),),
    output=True,
    check=lambda values, types: "must not be 13." if values["number"] == 13 else "",
)
TOYS = Registry((BLANK, INVERT, SAVE, ANYTHING, CHECKED))
CORE = registry()

Json = Any
T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Listening:
    """An open WebSocket and what it has heard."""

    def __init__(self, site: "Site", connection: ClientWebSocketResponse) -> None:
        self._site, self.connection = site, connection

    def send(self, message: Json) -> None:
        self._site.do(self.connection.send_str(message if isinstance(message, str) else json.dumps(message)))

    def send_bytes(self, data: bytes) -> None:
        self._site.do(self.connection.send_bytes(data))

    def hear(self, seconds: float = 5.0) -> Json:
        """The next frame: a message's object, or the bytes of a binary one."""
        message = self._site.do(self.connection.receive(seconds))
        assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY), message
        return json.loads(message.data) if message.type is WSMsgType.TEXT else message.data

    def heard(self) -> list[Json]:
        """All frames that have come, up to a pause."""
        found = list[Json]()
        while True:
            try:
                found.append(self.hear(0.04))
            except TimeoutError:
                return found

    def types(self) -> list[str]:
        return [name_of(frame) for frame in self.heard()]

    def close(self) -> None:
        self._site.do(self.connection.close())


def name_of(frame: Json) -> str:
    """What a frame is: its type, or "binary N"."""
    return frame["type"] if isinstance(frame, dict) else f"binary {struct.unpack('>I', frame[:4])[0]}"


class Site:
    """A running application and a client of it."""

    def __init__(self, home: Path, settings: Settings, types: Registry) -> None:
        self.home, self.jobs = home, FakeJobs()
        self._loop = self.jobs.loop = asyncio.new_event_loop()
        self._app = self._made(settings, types)
        self._client = self.do(self._started())

    def _made(self, settings: Settings, types: Registry) -> web.Application:
        app = web.Application(client_max_size=settings.largest_upload)
        app[SERVICES] = Services(lambda: FORMATS, lambda: types)
        app[SETTINGS], app[FOLDERS] = settings, folders_of(self.home)
        app[JOBS], app[TYPES] = self.jobs, lambda: types
        add_comfyui(app)
        return app

    async def _started(self) -> TestClient[web.Request, web.Application]:
        client = TestClient(TestServer(self._app))
        await client.start_server()
        return client

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def ask(self, method: str, path: str, **more: Any) -> Reply:
        """A request, its path sent as it stands."""

        async def asked() -> Reply:
            url = URL(path, encoded=True)
            async with self._client.request(method, url, allow_redirects=False, **more) as reply:
                return Reply(reply.status, await reply.read(), reply.headers)

        return self.do(asked())

    def get(self, path: str, **more: Any) -> Reply:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Json = None, **more: Any) -> Reply:
        """POST an object as JSON, or bytes and forms as they are."""
        data = body if isinstance(body, bytes | FormData) else json.dumps(body).encode()
        return self.ask("POST", path, data=data, **more)

    def prompt(self, nodes: Json, **more: Any) -> Reply:
        return self.post("/prompt", {"prompt": nodes, **more})

    def queued(self, nodes: Json, client: str = "") -> str:
        """The id of a new prompt."""
        reply = self.prompt(nodes, **({"client_id": client} if client else {}))
        assert reply.status == 200, reply.text
        return reply.json["prompt_id"]

    def socket(self, id: str = "", path: str = "/ws") -> Listening:
        query = f"?clientId={id}" if id else ""
        return Listening(self, self.do(self._client.ws_connect(f"{path}{query}")))

    def wait(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    def close(self) -> None:
        self.do(self._client.close())
        self.do(self._loop.shutdown_default_executor())
        self._loop.close()


@contextmanager
def site_at(home: Path, types: Registry = TOYS, **settings: Any) -> Iterator[Site]:
    site = Site(home, Settings(home, **settings), types)
    try:
        yield site
    finally:
        site.close()


def picture_prompt(width: Json = 64, prefix: str = "x") -> dict[str, Any]:
    """Three toy nodes: a blank picture, inverted, saved."""
    return {
        "1": {"class_type": "Blank", "inputs": {"width": width, "height": 48}},
        "2": {"class_type": "Invert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }
