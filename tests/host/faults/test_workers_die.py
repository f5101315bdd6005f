"""Workers that are killed, crash or hang: no job is lost, nothing finished is done again."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from tests.host.documents import document, link, node
from tests.host.serving import Json, Served, counted, loading, ready, run, served, shown, text_of, times


def dying(file: Path, times: int, how: str = "KILL") -> Json:
    """A number whose node kills its process the first so many times; what it needs is counted beside."""
    return document(
        {
            "count": node("Count", file=f"{file}.count", value=4),
            "die": node("Die", value=link("count", "INT"), file=str(file), times=times, how=how),
            "show": node("Show", value=link("die", "INT")),
        }
    )


@pytest.mark.timeout(300)
def test_jobs_whose_worker_is_killed_at_any_moment_end_as_if_undisturbed(tmp_path: Path) -> None:
    async def story() -> None:
        dice = random.Random(7)
        async with served(tmp_path) as server:
            await ready(server)
            for number in range(20):
                file = tmp_path / f"count{number}"
                job = await server.post(counted(file, value=number, seconds=0.02, count=20))
                await server.event(job["id"], "progress", done=1)
                await asyncio.sleep(dice.uniform(0.0, 0.3))
                pid = server.board.workers()[0].pid
                assert pid
                os.kill(pid, signal.SIGKILL)
                ended = await server.ended(job["id"])
                assert (ended["state"], text_of(ended)) == ("done", str(number + 20))
                assert times(file) == 1, "a finished node ran again"
                assert ended["crashes"] == 1

    run(story(), 250)


def test_a_job_that_kills_its_worker_once_goes_on_and_twice_fails_with_the_cause(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            once = await server.run(dying(tmp_path / "once", 1))
            assert (once["state"], once["attempts"], text_of(once)) == ("done", 2, "4")
            assert times(tmp_path / "once.count") == 1
            twice = await server.run(dying(tmp_path / "twice", 2, "SEGV"))
            assert (twice["state"], twice["error"]["node"]) == ("failed", "die")
            assert "died twice" in twice["error"]["message"]
            assert "SIGSEGV" in twice["error"]["message"]
            assert text_of(await server.run(shown(2))) == "2", "the server goes on"

    run(story())


def test_a_worker_that_hangs_is_ended_and_its_job_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, silence=1.5) as server:
            job = await server.run(dying(tmp_path / "hang", 1, "STOP"))
            assert (job["state"], job["crashes"]) == ("done", 1)
            events = await server.board.events_from(job["id"])
            reasons = [event.data["reason"] for event in events if event.kind == "interrupted"]
            assert reasons == ["The worker died: it gave no sign of life for 1.5 seconds."]

    run(story())


def test_outputs_that_were_saved_before_the_worker_died_are_not_made_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as server:
            both = dying(tmp_path / "die", 1)
            both["nodes"]["first"] = node("Show", value=link("count", "INT"), tag="first ")
            job = await server.run(both)
            assert job["state"] == "done"
            events = await server.board.events_from(job["id"])
            started = [event.data["node"] for event in events if event.kind == "node_started"]
            assert started.count("first") == 1
            assert {output["node"] for output in job["outputs"]} == {"first", "show"}

    run(story())


def test_no_worker_outlives_its_server(tmp_path: Path) -> None:
    async def story() -> int:
        async with served(tmp_path) as server:
            await ready(server)
            job = await server.post(loading(60))
            await server.event(job["id"], "node_started")
            pid = server.board.workers()[0].pid
            assert pid
        return pid

    pid = run(story())
    assert not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def test_two_workers_share_the_jobs_and_the_results(tmp_path: Path) -> None:
    async def both_busy(server: Served) -> None:
        while sum(worker.state == "busy" for worker in server.board.workers()) < 2:
            await asyncio.sleep(0.01)

    async def story() -> None:
        async with served(tmp_path, devices=("cpu", "cpu")) as server:
            await ready(server)
            workflow = counted(tmp_path / "count", seconds=0.1, count=5)
            await server.run(workflow)
            jobs = [await server.post(loading(0.5)) for _ in range(2)]
            await asyncio.wait_for(both_busy(server), 10)
            for job in jobs:
                assert (await server.ended(job["id"]))["state"] == "done"
            for _ in range(4):
                await server.run(workflow)
            assert times(tmp_path / "count") == 1, "a result of one worker serves the other from disk"

    run(story())
