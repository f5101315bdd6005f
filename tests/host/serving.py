"""Servers under test, in this process; their workers are real processes with toy node types."""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import aiohttp

from compat.formats.known import FORMATS
from host.jobs.board import Board
from host.jobs.model import ENDED, NumberedEvent
from host.server import serving
from host.server.settings import Settings
from host.services import Services
from tests.host.documents import document, link, node
from tests.host.toys import toy_types

Result = TypeVar("Result")
Json = dict[str, Any]
WORKER = (sys.executable, str(Path(__file__).parent / "toy_worker.py"))
SERVICES = Services(lambda: FORMATS, toy_types)


def run(coroutine: Coroutine[Any, Any, Result], seconds: float = 60.0) -> Result:
    """The result of a coroutine, in a loop of its own."""
    return asyncio.run(asyncio.wait_for(coroutine, seconds))


def settings_for(home: Path, **changes: Any) -> Settings:
    """A server on any free port of this machine, with one worker."""
    chosen = Settings(home=home, port=0, devices=("cpu",), worker_command=WORKER, silence=20.0)
    return replace(chosen, **changes)


@dataclass(frozen=True)
class Served:
    """A server that runs, and a client of it."""

    url: str
    board: Board
    session: aiohttp.ClientSession
    home: Path

    async def ask(
        self, method: str, path: str, body: Any = None, status: int | None = None, **more: Any
    ) -> Any:
        """The JSON answer to a request; with `status`, that is checked."""
        async with self.session.request(method, self.url + path, json=body, **more) as reply:
            text = await reply.text()
            assert status is None or reply.status == status, text
            return await reply.json(content_type=None) if text else None

    async def post(self, workflow: Json, status: int = 201, **more: Any) -> Json:
        """Hand in a job."""
        query = more.pop("query", "")
        found = await self.ask("POST", f"/api/v1/jobs{query}", {"workflow": workflow, **more}, status)
        return cast("Json", found)

    async def run(self, workflow: Json, **more: Any) -> Json:
        """Hand in a job and wait for its end."""
        return await self.post(workflow, query="?wait=true&timeout=50", **more)

    async def ended(self, id: str, seconds: float = 30.0) -> Json:
        """A job when it has ended."""
        return await self.until(id, *ENDED, seconds=seconds)

    async def until(self, id: str, *states: str, seconds: float = 30.0) -> Json:
        """A job when it is in one of these states."""
        async with asyncio.timeout(seconds):
            while True:
                job = await self.ask("GET", f"/api/v1/jobs/{id}", status=200)
                if job["state"] in states:
                    return cast("Json", job)
                await asyncio.sleep(0.01)

    async def event(self, id: str, kind: str, seconds: float = 30.0, **data: Any) -> NumberedEvent:
        """The first event of a kind (and of these data) of a job, once it has come."""
        async with asyncio.timeout(seconds):
            while True:
                for event in await self.board.events_from(id):
                    if event.kind == kind and data.items() <= dict(event.data).items():
                        return event
                await asyncio.sleep(0.005)


@asynccontextmanager
async def served(home: Path, services: Services = SERVICES, **changes: Any) -> AsyncGenerator[Served]:
    """A server that runs while inside."""
    async with (
        serving.running(services, settings_for(home, **changes)) as running,
        aiohttp.ClientSession() as session,
    ):
        yield Served(f"http://127.0.0.1:{running.ports[0]}", running.board, session, home)


class Shared:
    """One server for many tests, in a thread of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._live, name="shared server", daemon=True)
        self._thread.start()
        assert self._started.wait(60)

    def _live(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with served(self.home) as server:
            self.server = server
            self._started.set()
            await self._stop.wait()

    def run(self, story: Callable[[Served], Coroutine[Any, Any, Result]], seconds: float = 60.0) -> Result:
        """The result of a story, in the server's loop; it begins with no job waiting or ended."""
        return asyncio.run_coroutine_threadsafe(self._told(story), self._loop).result(seconds)

    async def _told(self, story: Callable[[Served], Coroutine[Any, Any, Result]]) -> Result:
        board = self.server.board
        await board.clear_pending()
        await board.interrupt()
        await ready(self.server)
        await board.clear_history()
        return await story(self.server)

    def close(self) -> None:
        """End the server."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


async def ready(server: Served) -> None:
    """Wait until every worker can take a job."""
    async with asyncio.timeout(30):
        while (
            not all(worker.state == "idle" for worker in server.board.workers()) or not server.board.workers()
        ):
            await asyncio.sleep(0.01)


def counted(file: Path, value: int = 0, **more: Any) -> Json:
    """A number that is counted in a file each time it is made, shown after some steps."""
    return document(
        {
            "count": node("Count", file=str(file), value=value),
            "steps": node("Steps", value=link("count", "INT"), **more),
            "show": node("Show", value=link("steps", "INT")),
        }
    )


def shown(value: int = 1, tag: str = "") -> Json:
    """A number shown at once."""
    return document(
        {
            "load": node("Load", seconds=0.0, value=value),
            "show": node("Show", value=link("load", "INT"), tag=tag),
        }
    )


def loading(seconds: float) -> Json:
    """A number shown after a time in which nothing is heard of the node."""
    return document({"load": node("Load", seconds=seconds), "show": node("Show", value=link("load", "INT"))})


def times(file: Path) -> int:
    """How often `Count` made its number."""
    return len(file.read_text().splitlines()) if file.exists() else 0


def text_of(job: Json) -> str:
    """What the job showed."""
    return cast("str", job["outputs"][0]["ui"]["text"][0])
