import json
import struct
from pathlib import Path

import pytest

from compat.server.live import LATE
from host.jobs.model import WorkerMessage
from tests.compat.server.site import Json, Listening, Site, name_of, picture_prompt, site_at

NODES = ("1", "2", "3")
IMAGE = {"filename": "x_00001_.png", "subfolder": "", "type": "output"}
ONE_RUN = [
    "status", "status", "execution_start", "execution_cached",
    "progress_state", "executing", "progress_state",
    "progress_state", "executing", "progress_state", "progress", "progress_state",
    "progress_state", "executing", "executed", "progress_state",
    "execution_success", "status", "executing",
]  # fmt: skip


def run(site: Site, id: str) -> None:
    """What a worker tells of the three nodes; the second has a step."""
    site.jobs.start(id, *NODES)
    site.jobs.ran(id, "1")
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    site.jobs.tell(id, "progress", node="2", done=1, total=4)
    site.jobs.tell(
        id, "node_finished", node="2", display_node="", verdict="ran", reason="", seconds=0.1, ui={}
    )
    site.jobs.ran(id, "3", images=[IMAGE])
    site.jobs.finish(id)


def first(frames: list[Json], type: str) -> Json:
    return next(frame["data"] for frame in frames if isinstance(frame, dict) and frame["type"] == type)


def all_of(frames: list[Json], type: str) -> list[Json]:
    return [frame["data"] for frame in frames if isinstance(frame, dict) and frame["type"] == type]


def opened(site: Site, id: str = "me") -> Listening:
    socket = site.socket(id)
    assert socket.hear()["type"] == "status"
    return socket


def test_the_first_frame_is_the_status_with_the_clients_id(site: Site) -> None:
    for path in ("/ws", "/api/ws"):
        assert site.socket("me", path).hear() == {
            "type": "status",
            "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "me"},
        }


def test_a_client_without_an_id_is_given_one(site: Site) -> None:
    sid = site.socket().hear()["data"]["sid"]
    assert len(sid) == 32 and int(sid, 16) >= 0


def test_a_plain_request_of_the_socket_is_refused(site: Site) -> None:
    assert site.get("/ws").status == 400


def test_flags_are_answered_when_they_come_first_only(site: Site) -> None:
    socket, flags = opened(site), {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
    socket.send(flags)
    assert socket.hear() == {"type": "feature_flags", "data": site.get("/features").json}
    socket.send(flags)
    assert socket.heard() == []
    late = opened(site, "late")
    late.send("hello")
    late.send(flags)
    assert late.heard() == []


@pytest.mark.parametrize(
    "message", ["", "{", "[]", "3", '{"type": []}', '{"type": "feature_flags", "data": 3}', "[" * 9999]
)
def test_messages_that_make_no_sense_are_ignored(site: Site, message: str) -> None:
    socket = opened(site)
    socket.send(message)
    socket.send_bytes(b"\0\1\2")
    assert [frame["type"] for frame in socket.heard()] in ([], ["feature_flags"])
    site.jobs.hear(WorkerMessage("alive", {}))
    assert socket.hear()["type"] == "alive"


def test_one_run_is_told_in_the_order_clients_lean_on(site: Site) -> None:
    socket = opened(site)
    run(site, site.queued(picture_prompt(), "me"))
    assert socket.types() == ONE_RUN


def test_every_message_holds_what_it_should(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    run(site, id)
    frames = socket.heard()
    start, cached = first(frames, "execution_start"), first(frames, "execution_cached")
    assert start["prompt_id"] == id and start["timestamp"] > 10**12
    assert (cached["nodes"], cached["prompt_id"]) == ([], id)
    assert all_of(frames, "executing") == [
        *({"node": node, "display_node": node, "prompt_id": id} for node in NODES),
        {"node": None, "prompt_id": id},
    ]
    assert all_of(frames, "progress") == [{"value": 1, "max": 4, "prompt_id": id, "node": "2"}]
    assert all_of(frames, "executed") == [
        {"node": "3", "display_node": "3", "output": {"images": [IMAGE]}, "prompt_id": id}
    ]
    states = all_of(frames, "progress_state")
    assert states[0]["nodes"] == {
        "1": {
            "value": 0.0,
            "max": 1.0,
            "state": "running",
            "node_id": "1",
            "prompt_id": id,
            "display_node_id": "1",
            "parent_node_id": None,
            "real_node_id": "1",
        }
    }
    assert [(node["value"], node["max"], node["state"]) for node in states[3]["nodes"].values()] == [
        (1.0, 1.0, "finished"),
        (1, 4, "running"),
    ]
    assert [node["state"] for node in states[-1]["nodes"].values()] == ["finished"] * 3
    assert states[-1]["nodes"]["2"]["value"] == states[-1]["nodes"]["2"]["max"] == 4
    assert set(first(frames, "execution_success")) == {"prompt_id", "timestamp"}
    assert [data["status"]["exec_info"]["queue_remaining"] for data in all_of(frames, "status")] == [1, 1, 0]


def test_the_history_is_certain_when_executing_is_null(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    run(site, id)
    while (frame := socket.hear())["type"] != "executing" or frame["data"]["node"] is not None:
        pass
    assert site.get(f"/history/{id}").json[id]["status"]["completed"] is True


def test_a_cached_run_tells_all_nodes_and_what_outputs_showed(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES, cached=["3"])
    site.jobs.ran(id, "3", "cached", images=[IMAGE])
    site.jobs.finish(id)
    frames = socket.heard()
    assert [name_of(frame) for frame in frames][2:] == [
        "execution_start", "execution_cached", "executed", "progress_state", "execution_success",
        "status", "executing",
    ]  # fmt: skip
    assert first(frames, "execution_cached")["nodes"] == list(NODES)


def test_a_failure_ends_the_prompt_with_one_error(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.ran(id, "1")
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    failure = {"message": "Node 2: it is broken.", "exception": "pack.errors.Broken", "trace": "A\nB\n"}
    site.jobs.tell(id, "node_failed", node="2", display_node="", **failure, inputs={"image": "Tensor 1×2"})
    site.jobs.finish(id, "failed", "Node 2: it is broken.")
    frames = socket.heard()
    assert [name_of(frame) for frame in frames][-5:] == [
        "executing", "progress_state", "execution_error", "status", "executing",
    ]  # fmt: skip
    error = first(frames, "execution_error")
    assert error.pop("timestamp") > 10**12
    assert error == {
        "prompt_id": id,
        "node_id": "2",
        "node_type": "Invert",
        "executed": ["1"],
        "exception_message": "Node 2: it is broken.\n",
        "exception_type": "pack.errors.Broken",
        "traceback": ["A\n", "B\n"],
        "current_inputs": {"image": ["Tensor 1×2"]},
        "current_outputs": ["1"],
    }
    assert all_of(frames, "progress_state")[-1]["nodes"]["2"]["state"] == "error"
    entry = site.get(f"/history/{id}").json[id]
    assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("error", False)
    assert [message[0] for message in entry["status"]["messages"]] == [
        "execution_start", "execution_cached", "execution_error",
    ]  # fmt: skip
    assert entry["status"]["messages"][-1][1]["exception_type"] == "pack.errors.Broken"


def test_a_lost_worker_is_an_error_of_no_node(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.finish(id, "failed", "The worker was killed twice (signal 9).")
    error = first(socket.heard(), "execution_error")
    assert (error["node_id"], error["exception_type"]) == ("", "WorkerDied")
    assert error["exception_message"] == "The worker was killed twice (signal 9).\n"


def test_an_interrupted_prompt_names_the_node_that_ran(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.ran(id, "1")
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    assert site.post("/interrupt", {"prompt_id": "other"}).status == 200
    assert site.jobs.jobs[id].state == "running"
    assert site.post("/interrupt", {"prompt_id": id}).status == 200
    frames = socket.heard()
    told = first(frames, "execution_interrupted")
    assert told.pop("timestamp") > 10**12
    assert told == {"prompt_id": id, "node_id": "2", "node_type": "Invert", "executed": ["1"]}
    status = site.get(f"/history/{id}").json[id]["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)


def test_a_blocked_node_is_an_error_and_the_run_goes_on(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    done = {
        "node": "2",
        "display_node": "",
        "verdict": "blocked",
        "reason": "Not today.",
        "seconds": 0,
        "ui": {},
    }
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    site.jobs.tell(id, "node_finished", **done)
    site.jobs.tell(id, "node_finished", **(done | {"node": "3", "reason": ""}))
    site.jobs.finish(id)
    frames = socket.heard()
    error = first(frames, "execution_error")
    assert error["exception_type"] == "ExecutionBlocked" and "Not today." in error["exception_message"]
    assert "timestamp" not in error
    assert len(all_of(frames, "execution_error")) == len(all_of(frames, "execution_success")) == 1


def test_a_circle_made_while_running_has_the_known_name(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    message = "Node 2: made nodes that feed each other in a circle: a, b."
    facts = {"message": message, "exception": "graph.mapping.WrongResult", "trace": "", "inputs": {}}
    site.jobs.tell(id, "node_failed", node="2", display_node="", **facts)
    site.jobs.finish(id, "failed", message)
    assert first(socket.heard(), "execution_error")["exception_type"] == "graph.DependencyCycleError"


def test_nodes_made_while_running_carry_parent_and_real_node(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    for made in ("2.0.a", "2.0.a.0.b"):
        site.jobs.tell(id, "node_started", node=made, display_node="2", reason="")
    facts = {"message": "It broke.", "exception": "ValueError", "trace": "", "inputs": {}}
    site.jobs.tell(id, "node_failed", node="2.0.a.0.b", display_node="2", **facts)
    site.jobs.finish(id, "failed")
    frames = socket.heard()
    states = all_of(frames, "progress_state")[-1]["nodes"]
    assert (states["2.0.a"]["parent_node_id"], states["2.0.a"]["real_node_id"]) == ("2", "2")
    inner = states["2.0.a.0.b"]
    assert (inner["display_node_id"], inner["parent_node_id"], inner["real_node_id"]) == ("2", "2.0.a", "2")
    error = first(frames, "execution_error")
    assert (error["node_id"], error["node_type"]) == ("2", "Invert")


def test_a_graph_of_thousands_of_nodes_is_not_told_whole_at_every_step(site: Site) -> None:
    socket, many = opened(site), [str(number) for number in range(1000)]
    id = site.queued(picture_prompt(), "me")

    async def burst() -> None:
        site.jobs.start(id, *many)
        for node in many:
            site.jobs.ran(id, node)
        site.jobs.finish(id)

    site.do(burst())
    frames = socket.heard()
    states = all_of(frames, "progress_state")
    assert 400 <= len(states) < 500
    assert {node["state"] for node in states[-1]["nodes"].values()} == {"finished"}
    assert len(states[-1]["nodes"]) == len(all_of(frames, "executing")) - 1 == 1000


# Pictures and texts


def test_a_preview_comes_between_the_state_and_the_progress_of_its_step(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    site.jobs.tell(id, "progress", node="2", done=1, total=2, preview=True)
    site.jobs.preview(id, "2")
    site.jobs.tell(id, "progress", node="2", done=2, total=2, preview=False)
    frames = socket.heard()
    assert [name_of(frame) for frame in frames][-5:] == [
        "progress_state", "binary 1", "progress", "progress_state", "progress",
    ]  # fmt: skip
    picture = next(frame for frame in frames if isinstance(frame, bytes))
    assert picture == struct.pack(">II", 1, 1) + b"jpeg"


def test_clients_with_the_flag_get_previews_with_their_node(site: Site) -> None:
    socket = opened(site)
    socket.send({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.preview(id, "2", b"the picture")
    frame = next(frame for frame in socket.heard() if isinstance(frame, bytes))
    kind, length = struct.unpack(">II", frame[:8])
    assert kind == 4 and frame[8 + length :] == b"the picture"
    assert json.loads(frame[8 : 8 + length]) == {
        "node_id": "2",
        "prompt_id": id,
        "display_node_id": "2",
        "parent_node_id": None,
        "real_node_id": "2",
        "image_type": "image/jpeg",
    }


def test_what_a_node_says_is_a_text_frame(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.tell(id, "log", node="2", message="half way, größer")
    frame = next(frame for frame in socket.heard() if isinstance(frame, bytes))
    assert frame == struct.pack(">II", 3, 1) + b"2" + "half way, größer".encode()


# Who is told


def test_events_go_to_their_client_and_status_to_everybody(site: Site) -> None:
    mine, other = opened(site), opened(site, "other")
    run(site, site.queued(picture_prompt(), "me"))
    assert set(other.types()) == {"status"}
    assert "executed" in mine.types()


def test_a_prompt_without_a_client_tells_everybody_how_far_it_is(site: Site) -> None:
    socket = opened(site)
    id = site.queued(picture_prompt())
    site.jobs.start(id, *NODES)
    site.jobs.tell(id, "node_started", node="2", display_node="", reason="")
    site.jobs.tell(id, "progress", node="2", done=1, total=2)
    site.jobs.preview(id, "2")
    site.jobs.finish(id, "cancelled")
    kinds = set(socket.types())
    assert kinds == {"status", "progress_state", "progress", "binary 1", "execution_interrupted"}


def test_two_sockets_of_one_client_both_hear_and_either_may_go(site: Site) -> None:
    older, newer = opened(site), opened(site)
    older.close()
    run(site, site.queued(picture_prompt(), "me"))
    assert "executed" in newer.types()
    third = opened(site)
    run(site, site.queued(picture_prompt(), "me"))
    assert "executed" in third.types() and "executed" in newer.types()


def test_a_client_that_returns_is_told_what_runs(site: Site) -> None:
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.node = "2"
    socket = opened(site)
    assert socket.heard()[-1] == {"type": "executing", "data": {"node": "2"}}
    other = opened(site, "other")
    assert other.heard() == []


def test_a_socket_that_opens_late_gets_its_prompts_last_events_once(site: Site) -> None:
    id = site.queued(picture_prompt(), "me")
    run(site, id)
    other = opened(site, "other")
    assert other.heard() == []
    socket = opened(site)
    assert socket.types() == [
        "execution_start", "execution_cached", "executing", "executing", "executing", "executed",
        "execution_success", "executing",
    ]  # fmt: skip
    assert opened(site).heard() == []


def test_a_socket_that_opens_too_late_gets_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compat.server.live.LATE", 0.01)
    run(site, site.queued(picture_prompt(), "me"))
    site.wait(0.05)
    assert opened(site).heard() == []
    assert LATE == 2.0


def test_a_socket_that_opens_in_the_middle_gets_what_it_has_just_missed(site: Site) -> None:
    id = site.queued(picture_prompt(), "me")
    site.jobs.start(id, *NODES)
    site.jobs.ran(id, "1")
    first = opened(site)
    site.jobs.ran(id, "3", images=[IMAGE])
    site.jobs.finish(id)
    kinds = [kind for kind in first.types() if kind not in ("status", "progress_state")]
    assert kinds == [
        "execution_start", "execution_cached", "executing", "executing", "executed", "execution_success",
        "executing",
    ]  # fmt: skip
    assert opened(site).heard() == []


def test_what_a_client_has_seen_is_not_told_again(site: Site) -> None:
    socket = opened(site)
    run(site, site.queued(picture_prompt(), "me"))
    assert "executed" in socket.types()
    assert opened(site).heard() == []


def test_messages_of_plugins_reach_one_client_or_all(site: Site) -> None:
    mine, other = opened(site), opened(site, "other")
    site.jobs.hear(WorkerMessage("pack.said", {"a": 1}, "me"))
    site.jobs.hear(WorkerMessage("pack.all", None))
    assert mine.types() == ["pack.said", "pack.all"] and other.types() == ["pack.all"]


def test_jobs_of_our_own_api_are_seen_too(site: Site) -> None:
    """A job that was never posted here: its documents are read when it starts, and no event is lost."""
    from graph.document import Node, Workflow
    from host.jobs.model import Payload, Submission

    socket = opened(site)
    workflow = Workflow({"3": Node("Save", {"filename_prefix": "x"})})
    site.do(site.jobs.submit(Submission(Payload(workflow), "ours", "me")))
    site.jobs.start("ours", "3")
    site.jobs.ran("ours", "3", images=[IMAGE])
    site.jobs.finish("ours")
    assert socket.types()[-4:] == ["progress_state", "execution_success", "status", "executing"]
    assert site.get("/history").json["ours"]["prompt"][2] == {
        "3": {"class_type": "Save", "inputs": {"filename_prefix": "x"}, "_meta": {"title": "Save"}}
    }


def test_a_client_that_reads_nothing_does_not_hold_up_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compat.server.sockets.MOST_WAITING", 50)
    slow, quick = opened(site, "slow"), opened(site, "quick")

    async def burst() -> None:
        for number in range(200):
            site.jobs.hear(WorkerMessage("n", {"number": number}, "slow"))

    site.do(burst())
    site.jobs.hear(WorkerMessage("n", 1, "quick"))
    assert quick.hear()["data"] == 1
    with pytest.raises(AssertionError):
        for _ in range(201):
            slow.hear(1.0)


def test_freeing_asks_the_workers(site: Site) -> None:
    for body in ({"unload_models": True}, {"free_memory": True}, {}):
        assert site.post("/free", body).body == b""
    assert site.jobs.asked == [("free", (True, False)), ("free", (True, True))]


def test_a_stopping_server_says_goodbye(tmp_path: Path) -> None:
    with site_at(tmp_path) as site:
        socket = opened(site)
    assert socket.connection.closed or socket.connection.close_code is None
