"""A server that is killed or told to stop: its jobs are there afterwards and go on where they were."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from host.jobs.board import DATABASE
from tests.host.serving import Served, counted, run, served, shown, text_of, times

PROGRAM = str(Path(__file__).parent / "toy_server.py")


@asynccontextmanager
async def process(home: Path) -> AsyncGenerator[tuple[Process, str]]:
    """A server in a process of its own, and its address; killed at the end if it still runs."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, PROGRAM, str(home), stdout=PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert server.stdout
        line = (await asyncio.wait_for(server.stdout.readline(), 30)).decode()
        yield server, line.rpartition(" ")[2].strip()
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()
        server._transport.close()  # pyright: ignore


async def hand_in(url: str, home: Path) -> list[str]:
    """One job that takes long and fifty that wait; gives their ids."""
    async with aiohttp.ClientSession() as session:
        workflows = [counted(home / "count", value=1, seconds=0.1, count=30)]
        workflows += [shown(number) for number in range(50)]
        ids = list[str]()
        for workflow in workflows:
            async with session.post(f"{url}/api/v1/jobs", json={"workflow": workflow}) as reply:
                ids.append((await reply.json())["id"])
        while True:
            async with session.get(f"{url}/api/v1/jobs/{ids[0]}/events") as reply:
                kinds = [event["kind"] for event in (await reply.json())["events"]]
            if kinds.count("progress") > 2:
                return ids
            await asyncio.sleep(0.02)


def test_a_queue_that_was_paused_is_so_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            await server.ask("POST", "/api/v1/queue/pause", {}, 200)
            job = await server.post(counted(tmp_path / "count"))
        async with served(tmp_path) as server:
            assert server.board.queue_paused
            assert (await server.ask("GET", f"/api/v1/jobs/{job['id']}"))["state"] == "queued"
            await server.ask("POST", "/api/v1/queue/resume", {}, 200)
            assert (await server.ended(job["id"]))["state"] == "done"
        async with served(tmp_path) as server:
            assert not server.board.queue_paused

    run(story())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_with_fifty_jobs_waiting_loses_none(tmp_path: Path, number: int) -> None:
    async def story() -> None:
        async with process(tmp_path) as (killed, url):
            ids = await hand_in(url, tmp_path)
            began = time.monotonic()
            killed.send_signal(number)
            assert await killed.wait() == (-number if number == signal.SIGKILL else 0)
            assert time.monotonic() - began < 5
        async with served(tmp_path) as server:
            first = await server.ended(ids[0])
            assert (first["state"], text_of(first), times(tmp_path / "count")) == ("done", "31", 1)
            for place, id in enumerate(ids[1:]):
                assert text_of(await server.ended(id)) == str(place)
            numbers = [event.number for event in await server.board.events_from(ids[0])]
            assert numbers == sorted(set(numbers))
            page = await server.ask("GET", "/api/v1/jobs?limit=1000&state=done")
            assert [job["id"] for job in reversed(page["jobs"])] == ids, "the order was kept"

    run(story())


def test_a_second_server_is_refused_the_jobs_of_the_first(tmp_path: Path) -> None:
    async def story() -> str:
        async with process(tmp_path):
            second = await asyncio.create_subprocess_exec(
                sys.executable, PROGRAM, str(tmp_path), stdout=PIPE, stderr=PIPE
            )
            _, said = await second.communicate()
            return said.decode()

    assert "Another server uses" in run(story())


def test_a_damaged_database_is_set_aside_and_a_new_one_made(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            await server.run(shown(1))
        path = tmp_path / "user" / DATABASE
        path.write_bytes(b"\0" * 100 + path.read_bytes()[100:][::-1])
        async with served(tmp_path) as server:
            assert (await server.ask("GET", "/api/v1/jobs"))["total"] == 0
            assert text_of(await server.run(shown(2))) == "2"
        assert [item.name for item in path.parent.glob("jobs.damaged*.sqlite")] == ["jobs.damaged-1.sqlite"]

    run(story())


def test_a_client_that_goes_in_the_middle_takes_nothing_with_it(tmp_path: Path) -> None:
    async def wait_and_go(server: Served) -> None:
        async with asyncio.timeout(0.4):
            await server.run(counted(tmp_path / "count", seconds=0.05, count=20))

    async def story() -> None:
        async with served(tmp_path) as server:
            with pytest.raises(TimeoutError):
                await wait_and_go(server)
            jobs = (await server.ask("GET", "/api/v1/jobs"))["jobs"]
            assert len(jobs) == 1
            url = f"{server.url}/api/v1/jobs/{jobs[0]['id']}/events/socket"
            socket = await server.session.ws_connect(url)
            assert socket._response.connection
            socket._response.connection.close()
            assert (await server.ended(jobs[0]["id"]))["state"] == "done"

    run(story())
