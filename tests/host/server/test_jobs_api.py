"""Our API for jobs, over HTTP, with a real worker."""

import asyncio
import time
from pathlib import Path

from aiohttp import WSMsgType

from host.server.shapes import JobDetail, JobsPage
from tests.host.documents import document, link, node
from tests.host.serving import Served, Shared, counted, loading, shown, text_of, times


def test_a_job_runs_and_tells_its_outputs_and_the_cost_of_each_node(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        job = await server.run(counted(tmp_path / "count"), title="Seven")
        detail = JobDetail.model_validate(job)
        assert (detail.state, detail.title, text_of(job)) == ("done", "Seven", "5")
        assert {timing.node: timing.verdict for timing in detail.nodes} == {
            "count": "ran",
            "steps": "ran",
            "show": "ran",
        }
        assert all(timing.memory_peak > 10**6 and timing.reason for timing in detail.nodes)
        assert next(timing.seconds for timing in detail.nodes if timing.node == "steps") >= 0.05
        again = await server.run(counted(tmp_path / "count"))
        assert [timing["verdict"] for timing in again["nodes"]].count("ran") == 0
        assert times(tmp_path / "count") == 1
        page = JobsPage.model_validate(await server.ask("GET", "/api/v1/jobs", status=200))
        assert [found.id for found in page.jobs] == [again["id"], job["id"]]
        kept = await server.ask("GET", f"/api/v1/jobs/{job['id']}/workflow", status=200)
        assert kept["nodes"]["steps"]["type"] == "Steps"

    shared.run(story)


def test_everything_wrong_with_a_workflow_is_named_at_once(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        wrong = document({"a": node("Shew"), "b": node("Show", value="x", tag=3)})
        told = await server.post(wrong, status=400)
        assert {found["node"] for found in told["problems"]} >= {"a", "b"}
        assert all(found["message"] for found in told["problems"])
        told = await server.ask("POST", "/api/v1/jobs", {"werkflow": {}}, 400)
        assert any("werkflow" in found["message"] for found in told["problems"])
        for path in ("/api/v1/jobs/none", "/api/v1/jobs/none/events", "/api/v1/nowhere"):
            assert (await server.ask("GET", path, status=404))["problems"]

    shared.run(story)


def test_the_same_idempotency_key_gives_the_same_job(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        asked = [server.post(counted(tmp_path / "count"), idempotency_key="k") for _ in range(3)]
        jobs = await asyncio.gather(*asked)
        assert len({job["id"] for job in jobs}) == 1
        await server.ended(jobs[0]["id"])
        assert (await server.post(counted(tmp_path / "count"), idempotency_key="k"))["state"] == "done"
        assert times(tmp_path / "count") == 1

    shared.run(story)


def test_a_job_cancelled_before_it_starts_never_starts(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        await server.board.pause_queue()
        jobs = [await server.post(counted(tmp_path / "count", value=n)) for n in range(3)]
        for job in jobs:
            await server.ask("POST", f"/api/v1/jobs/{job['id']}/cancel?reason=enough", status=200)
        await server.board.resume_queue()
        await server.run(shown())
        for job in jobs:
            found = await server.ended(job["id"])
            assert (found["state"], found["error"]["message"]) == ("cancelled", "enough")
        assert times(tmp_path / "count") == 0

    shared.run(story)


def test_cancelling_stops_sampling_within_a_step_and_loading_within_a_second(
    tmp_path: Path, shared: Shared
) -> None:
    async def story(server: Served) -> None:
        job = await server.post(counted(tmp_path / "count", seconds=0.05, count=1000))
        await server.event(job["id"], "progress", done=3)
        pid = server.board.workers()[0].pid
        assert await cancelled_in(server, job["id"]) < 0.5
        assert server.board.workers()[0].pid == pid, "the worker was killed for a job that would have stopped"
        job = await server.post(loading(60))
        await server.event(job["id"], "node_started")
        assert await cancelled_in(server, job["id"]) < 1.0
        assert text_of(await server.run(shown(3))) == "3", "the next job runs in a new process"

    shared.run(story)


async def cancelled_in(server: Served, id: str) -> float:
    """Seconds from asking until the job is over."""
    began = time.monotonic()
    await server.ask("POST", f"/api/v1/jobs/{id}/cancel", status=200)
    assert (await server.ended(id))["state"] == "cancelled"
    return time.monotonic() - began


def test_a_paused_job_goes_on_where_it_was(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        job = await server.post(counted(tmp_path / "count", seconds=0.03, count=20))
        await server.event(job["id"], "progress", done=2)
        await server.ask("POST", f"/api/v1/jobs/{job['id']}/pause", status=200)
        await server.until(job["id"], "paused")
        assert text_of(await server.run(shown(9))) == "9", "others run meanwhile"
        await server.ask("POST", f"/api/v1/jobs/{job['id']}/resume", status=200)
        assert text_of(await server.ended(job["id"])) == "20"
        assert times(tmp_path / "count") == 1
        await server.ask("POST", f"/api/v1/jobs/{job['id']}/resume", status=409)
        again = await server.ask("POST", f"/api/v1/jobs/{job['id']}/retry", status=201)
        assert text_of(await server.ended(again["id"])) == "20"

    shared.run(story)


def test_the_queue_can_be_paused_and_put_in_another_order(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        await server.ask("POST", "/api/v1/queue/pause", {}, 200)
        jobs = [(await server.post(shown(n)))["id"] for n in range(4)]
        await server.ask("POST", f"/api/v1/jobs/{jobs[3]}/move", {"before": jobs[1]}, 200)
        await server.ask("POST", f"/api/v1/jobs/{jobs[2]}/move", {"priority": 5}, 200)
        front = (await server.post(shown(7), front=True))["id"]
        await server.ask("DELETE", f"/api/v1/jobs/{jobs[0]}", status=200)
        assert (await server.ask("GET", "/api/v1/jobs"))["queue_paused"]
        await server.ask("POST", "/api/v1/queue/resume", status=200)
        for id in (jobs[1], jobs[2], jobs[3], front):
            await server.ended(id)
        page = await server.ask("GET", "/api/v1/jobs?state=done")
        assert [job["id"] for job in reversed(page["jobs"])] == [jobs[2], front, jobs[3], jobs[1]]

    shared.run(story)


def test_a_job_can_be_put_after_another_and_last(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        await server.ask("POST", "/api/v1/queue/pause", {}, 200)
        a, b, c, d = [(await server.post(shown(n)))["id"] for n in range(4)]
        await server.ask("POST", f"/api/v1/jobs/{a}/move", {"after": d}, 200)
        await server.ask("POST", f"/api/v1/jobs/{d}/move", {"after": b}, 200)
        waiting = await server.ask("GET", "/api/v1/jobs?state=queued")
        assert [job["id"] for job in waiting["jobs"]] == [b, d, c, a]
        await server.ask("POST", f"/api/v1/jobs/{a}/move", {"after": "none"}, 404)
        await server.ask("POST", "/api/v1/queue/clear", status=200)
        await server.ask("POST", "/api/v1/queue/resume", status=200)

    shared.run(story)


def test_a_client_that_comes_back_misses_no_event_and_sees_none_twice(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        job = await server.post(counted(tmp_path / "count", seconds=0.02, count=10))
        first = await socket_events(server, job["id"], 1, most=5)
        rest = await socket_events(server, job["id"], first[-1] + 1)
        numbers = [event.number for event in await server.board.events_from(job["id"])]
        assert first + rest == numbers
        assert numbers == sorted(set(numbers))
        late = await socket_events(server, job["id"], 1)
        assert late == numbers
        assert await stream_events(server, job["id"], after=numbers[2]) == numbers[3:]

    shared.run(story)


async def socket_events(server: Served, id: str, number: int, most: int = 10**6) -> list[int]:
    """The numbers of a job's events over a WebSocket, up to its end or so many."""
    found = list[int]()
    url = f"{server.url}/api/v1/jobs/{id}/events/socket?number={number}"
    async with server.session.ws_connect(url) as socket:
        async for message in socket:
            if message.type is WSMsgType.TEXT and "number" in message.json():
                found.append(message.json()["number"])
                if len(found) == most:
                    break
    return found


async def stream_events(server: Served, id: str, after: int) -> list[int]:
    """The numbers of a job's server-sent events for a client that has seen some."""
    url = f"{server.url}/api/v1/jobs/{id}/events/stream"
    async with server.session.get(url, headers={"Last-Event-ID": str(after)}) as reply:
        lines = (await reply.text()).splitlines()
    return [int(line[4:]) for line in lines if line.startswith("id: ")]


def test_a_second_listener_sees_the_jobs_of_the_first_live(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        async with server.session.ws_connect(f"{server.url}/api/v1/events/socket") as socket:
            job = await server.run(shown(1234))
            kinds = list[str]()
            while not kinds or kinds[-1] != "finished":
                told = await socket.receive_json(timeout=10)
                if told.get("job", job["id"]) == job["id"]:
                    kinds.append(told["kind"])
            assert [kind for kind in kinds if kind != "queue"] == [
                "queued",
                "started",
                "node_started",
                "node_finished",
                "node_started",
                "node_finished",
                "finished",
            ]

    shared.run(story)


def test_a_failing_node_fails_the_job_and_says_why(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        nodes = {"fail": node("Fail", value=3), "show": node("Show", value=link("fail", "INT"))}
        job = await server.run(document(nodes))
        assert (job["state"], job["error"]["node"]) == ("failed", "fail")
        assert "3 is not wanted." in job["error"]["message"]

    shared.run(story)


def test_clients_of_equal_priority_are_served_in_turn(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        await server.board.pause_queue()
        many = [(await server.post(shown(n), client_id="many"))["id"] for n in range(4)]
        few = [(await server.post(shown(n), client_id="few"))["id"] for n in range(2)]
        await server.board.resume_queue()
        for id in (*many, *few):
            await server.ended(id)
        page = await server.ask("GET", "/api/v1/jobs?state=done")
        order = [job["client_id"] for job in reversed(page["jobs"])]
        assert order == ["many", "few", "many", "few", "many", "many"]

    shared.run(story)


def test_a_list_of_jobs_tells_what_they_showed_where_that_is_asked(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        job = await server.run(shown(6))
        page = JobsPage.model_validate(await server.ask("GET", "/api/v1/jobs?outputs=true", status=200))
        assert [item.model_dump() for item in page.jobs[0].outputs or ()] == job["outputs"] != []
        plain = JobsPage.model_validate(await server.ask("GET", "/api/v1/jobs", status=200))
        assert plain.jobs[0].outputs is None

    shared.run(story)


def test_a_list_of_jobs_leaves_out_files_that_are_gone(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        folder = server.home / "output"
        folder.mkdir(exist_ok=True)
        (folder / "kept.png").touch()
        shows = {name: node("ShowFile", name=f"{name}.png") for name in ("kept", "gone")}
        await server.run(document(shows))
        (job,) = (await server.ask("GET", "/api/v1/jobs?outputs=true", status=200))["jobs"]
        files = {output["node"]: [file["name"] for file in output["files"]] for output in job["outputs"]}
        assert files == {"kept": ["kept.png"], "gone": []}

    shared.run(story)


def test_pausing_the_queue_is_told_to_those_who_listen(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        async with server.session.ws_connect(f"{server.url}/api/v1/events/socket") as socket:
            for path in ("pause", "resume"):
                await server.ask("POST", f"/api/v1/queue/{path}", {}, 200)
                told = await socket.receive_json(timeout=10)
                assert told == {"kind": "queue", "data": {"remaining": 0}}

    shared.run(story)


def test_history_is_paged_and_searched(tmp_path: Path, shared: Shared) -> None:
    async def story(server: Served) -> None:
        for n in range(5):
            await server.run(shown(n), title=f"Picture {n}%")
        page = await server.ask("GET", "/api/v1/jobs?limit=2&offset=1")
        assert ([job["title"] for job in page["jobs"]], page["total"]) == (
            ["Picture 3%", "Picture 2%"],
            5,
        )
        found = await server.ask("GET", "/api/v1/jobs?search=picture%204%25")
        assert [job["title"] for job in found["jobs"]] == ["Picture 4%"]
        assert (await server.ask("GET", "/api/v1/jobs?search=_"))["total"] == 0
        gone = await server.ask("POST", "/api/v1/history/clear", status=200)
        assert gone == {"count": 5}
        assert (await server.ask("GET", "/api/v1/jobs"))["total"] == 0

    shared.run(story)
