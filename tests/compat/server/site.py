"""A server without a worker, asked from plain test functions."""

import asyncio
import json
import struct
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientWebSocketResponse, FormData, WSMsgType, web
from aiohttp.test_utils import TestServer
from yarl import URL

from compat.formats.known import FORMATS
from compat.server.routes import add_comfyui
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Hint, Input, NodeSpec
from host.folders import folders_of
from host.jobs.service import JobService
from host.server.keys import FOLDERS, JOBS, SERVICES, SETTINGS, TYPES
from host.server.settings import Settings
from host.services import Services
from nodes import registry
from tests.compat.server.fake_jobs import FakeJobs
from tests.compat.toys import BLANK, INVERT, SAVE, nothing, whole
from tests.host.serving import served

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
    check=lambda values, types, node: "must not be 13." if values["number"] == 13 else "",
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
        """All frames that have come, up to a pause; two looks, for a busy machine may miss one."""
        found, misses = list[Json](), 0
        while misses < 2:
            try:
                found.append(self.hear(0.03))
                misses = 0
            except TimeoutError:
                misses += 1
        return found

    def types(self) -> list[str]:
        return [name_of(frame) for frame in self.heard()]

    def close(self) -> None:
        self._site.do(self.connection.close())


def name_of(frame: Json) -> str:
    """What a frame is: its type, or "binary N"."""
    return frame["type"] if isinstance(frame, dict) else f"binary {struct.unpack('>I', frame[:4])[0]}"


class Site:
    """A running server and a client of it. jobs: the fake ones, or the board of a real server."""

    def __init__(self, home: Path, loop: asyncio.AbstractEventLoop, url: str, jobs: Any) -> None:
        self.home, self.jobs, self.url = home, jobs, url
        self._loop = loop
        self._session = self.do(_session())
        self._open = list[ClientWebSocketResponse]()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def ask(self, method: str, path: str, **more: Any) -> Reply:
        """A request, its path sent as it stands."""

        async def asked() -> Reply:
            url = URL(self.url + path, encoded=True)
            async with self._session.request(method, url, allow_redirects=False, **more) as reply:
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
        return Listening(self, self.do(self._connected(f"{self.url}{path}{query}")))

    def wait(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    def until(self, is_so: Callable[[], bool], seconds: float = 20.0) -> None:
        """Let the server work until something is so."""

        async def waited() -> None:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await asyncio.sleep(0.005)

        self.do(waited())

    def close(self) -> None:
        for connection in self._open:
            self.do(connection.close())
        self.do(self._session.close())

    async def _connected(self, url: str) -> ClientWebSocketResponse:
        self._open.append(await self._session.ws_connect(url))
        return self._open[-1]


async def _session() -> ClientSession:
    return ClientSession()


@contextmanager
def site_at(home: Path, types: Registry = TOYS, **settings: Any) -> Iterator[Site]:
    """A server without a worker; its jobs are fake."""
    jobs, loop = FakeJobs(), asyncio.new_event_loop()
    jobs.loop = loop
    server = TestServer(_app(home, Settings(home, **settings), types, jobs))
    loop.run_until_complete(server.start_server())
    site = Site(home, loop, f"http://127.0.0.1:{server.port}", jobs)
    try:
        yield site
    finally:
        site.close()
        loop.run_until_complete(server.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _app(home: Path, settings: Settings, types: Registry, jobs: JobService) -> web.Application:
    app = web.Application(client_max_size=settings.largest_upload)
    app[SERVICES] = Services(lambda: FORMATS, lambda: types)
    app[SETTINGS], app[FOLDERS] = settings, folders_of(home)
    app[JOBS], app[TYPES] = jobs, lambda: types
    add_comfyui(app)
    return app


@contextmanager
def working_site(home: Path, types: Callable[[], Registry], worker: Path, **changes: Any) -> Iterator[Site]:
    """A whole server with one worker process, which runs a program that knows the same node types."""
    loop = asyncio.new_event_loop()
    services = Services(lambda: FORMATS, types, add_comfyui)
    command = (sys.executable, str(worker))
    running = served(home, services, worker_command=command, **changes)
    server = loop.run_until_complete(running.__aenter__())
    site = Site(home, loop, server.url, server.board)
    try:
        yield site
    finally:
        site.close()
        loop.run_until_complete(running.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def picture_prompt(width: Json = 64, prefix: str = "x") -> dict[str, Any]:
    """Three toy nodes: a blank picture, inverted, saved."""
    return {
        "1": {"class_type": "Blank", "inputs": {"width": width, "height": 48}},
        "2": {"class_type": "Invert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"images": ["2", 0], "filename_prefix": prefix}},
    }
