"""A database that cannot be written: it is said plainly, the server lives, and nothing that ran is lost."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

import host.jobs.database as database
from host.jobs.board import DATABASE
from host.jobs.model import Submission
from host.jobs.schema import LockedDatabase, open_or_replace
from tests.host.serving import counted, ready, run, served, shown, text_of


def test_a_full_disk_refuses_new_jobs_and_keeps_what_ran(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            await ready(server)
            job = await server.post(counted(tmp_path / "count", seconds=0.006, count=300))
            connection = server.board._database._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            told = await server.post(shown(1, tag="x" * 100_000), status=507)
            assert "is full" in told["problems"][0]["message"]
            assert (await server.ask("GET", "/healthz"))["ok"]
            assert (await server.ended(job["id"]))["state"] == "done"
            assert "is full" in (await server.ask("GET", "/readyz", status=503))["why"]
            connection.execute("PRAGMA max_page_count = 1000000")
            async with asyncio.timeout(10):
                while server.board.trouble:
                    await asyncio.sleep(0.05)
            assert text_of(await server.run(shown(4))) == "4"
        async with served(tmp_path) as server:
            assert text_of(await server.ended(job["id"])) == "300", "it was written when there was room"

    run(story())


def test_a_server_with_nothing_to_write_finds_out_that_there_is_room_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            await ready(server)
            connection = server.board._database._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            await server.post(shown(1, tag="x" * 100_000), status=507)
            await asyncio.sleep(1.5)
            assert "is full" in server.board.trouble
            connection.execute("PRAGMA max_page_count = 1000000")
            async with asyncio.timeout(10):
                while server.board.trouble:
                    await asyncio.sleep(0.05)

    run(story())


def test_a_locked_database_is_told_and_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            await server.run(shown(1))
            server.board._database._connection.execute("PRAGMA busy_timeout = 50")
            other = sqlite3.connect(tmp_path / "user" / DATABASE, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            told = await server.post(shown(2), status=507)
            assert "has locked" in told["problems"][0]["message"]
            other.execute("ROLLBACK")
            other.close()
            assert text_of(await server.run(shown(3))) == "3"

    run(story())


def test_a_server_says_that_its_database_is_locked(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    open_or_replace(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE mine (a)")
    with pytest.raises(LockedDatabase, match="Another program has locked"):
        open_or_replace(path)
    other.execute("ROLLBACK")
    other.close()


def test_a_clock_that_is_set_back_changes_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            ids = [(await server.run(shown(0)))["id"]]
            real = time.time_ns
            monkeypatch.setattr(database.time, "time_ns", lambda: real() - 10**9 * 86_400)
            ids += [(await server.run(shown(n)))["id"] for n in range(1, 4)]
            page = await server.ask("GET", "/api/v1/jobs")
            assert [job["id"] for job in page["jobs"]] == ids[::-1]
            events = await server.board.events_from(ids[-1])
            assert [event.number for event in events] == sorted(event.number for event in events)
            waiting = await server.post(shown(9), paused=True)
            monkeypatch.undo()
        async with served(tmp_path) as server:
            page = await server.ask("GET", "/api/v1/jobs")
            assert [job["id"] for job in page["jobs"]] == [waiting["id"], *ids[::-1]]

    run(story())


def test_ten_thousand_jobs_wait_and_the_server_still_answers_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, worker_command=("/bin/false",)) as server:
            board = server.board
            await board.pause_queue()
            first = await server.post(shown(1), client_id="a")
            payload = (await board.payloads([first["id"]]))[first["id"]]
            submission = Submission(payload, client_id="b")
            began = time.monotonic()
            for _ in range(100):
                await asyncio.gather(*(board.submit(submission) for _ in range(100)))
            assert time.monotonic() - began < 20
            began = time.monotonic()
            page = await server.ask("GET", "/api/v1/jobs?limit=50&offset=9000")
            assert (page["remaining"], len(page["jobs"])) == (10_001, 50)
            job = board.runner.line.take()
            assert job is not None and job.id == first["id"]
            assert time.monotonic() - began < 1.0
        async with served(tmp_path, worker_command=("/bin/false",)) as server:
            assert server.board.remaining() == 10_001

    run(story())
