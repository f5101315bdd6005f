"""ComfyUI's protocol over a whole server: a database, a worker process, toy nodes."""

import json
import os
import signal
import struct
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.compat.server.site import Json, Listening, Site, name_of

CLIENTS = count(1)
VALUES = count(1000)


@pytest.fixture
def site(whole_site: Site) -> Site:
    return whole_site


def nodes(**kinds: Json) -> Json:
    """Nodes by id: one of a type and its inputs each."""
    return {id: {"class_type": kind, "inputs": inputs} for id, (kind, inputs) in kinds.items()}


def drawing(value: int, **more: Json) -> Json:
    return nodes(
        a=("Number", {"value": value}),
        b=("Draw", {"value": ["a", 0], "count": 2, "seconds": 0.01} | more),
        c=("Say", {"value": ["b", 0]}),
    )


def run(site: Site, prompt: Json, **more: Json) -> tuple[str, list[Json]]:
    """The id of a prompt and all frames to its end."""
    client = f"client {next(CLIENTS)}"
    socket = site.socket(client)
    socket.hear()
    reply = site.prompt(prompt, client_id=client, **more)
    assert reply.status == 200, reply.text
    frames = to_the_end(socket)
    socket.close()
    return reply.json["prompt_id"], frames


def to_the_end(socket: Listening) -> list[Json]:
    frames = list[Json]()
    while True:
        frame = socket.hear(30)
        frames.append(frame)
        if name_of(frame) == "executing" and frame["data"]["node"] is None:
            return frames


def only(frames: list[Json], type: str) -> list[Json]:
    return [frame["data"] for frame in frames if isinstance(frame, dict) and frame["type"] == type]


def fresh() -> int:
    return next(VALUES)


def test_a_run_is_told_in_order_with_pictures_inside_their_steps(site: Site) -> None:
    id, frames = run(site, drawing(fresh()))
    assert [name_of(frame) for frame in frames] == [
        "status", "status", "execution_start", "execution_cached",
        "progress_state", "executing", "progress_state",
        "progress_state", "executing",
        "progress_state", "binary 1", "progress", "progress_state", "binary 1", "progress", "progress_state",
        "progress_state", "executing", "binary 3", "executed", "progress_state",
        "execution_success", "status", "executing",
    ]  # fmt: skip
    picture = next(frame for frame in frames if isinstance(frame, bytes))
    assert picture[:10] == struct.pack(">II", 1, 1) + b"\xff\xd8"
    assert site.get(f"/history/{id}").json[id]["status"]["status_str"] == "success"


def test_the_second_run_comes_from_the_cache_and_still_shows(site: Site) -> None:
    prompt = drawing(fresh())
    _, first = run(site, prompt)
    id, second = run(site, prompt)
    assert only(second, "execution_cached")[0]["nodes"] == ["a", "b", "c"]
    assert only(second, "executed")[0]["output"] == only(first, "executed")[0]["output"]
    assert [data["node"] for data in only(second, "executing")] == [None]
    assert site.get(f"/history/{id}").json[id]["outputs"] == {"c": only(first, "executed")[0]["output"]}


def test_renumbered_nodes_keep_their_results(site: Site) -> None:
    value = fresh()
    run(site, drawing(value))
    other = json.loads(json.dumps(drawing(value)).replace('"a"', '"7"').replace('"b"', '"8"'))
    _, frames = run(site, other)
    assert only(frames, "execution_cached")[0]["nodes"] == ["7", "8", "c"]


def test_a_failure_names_node_exception_and_inputs(site: Site) -> None:
    value = fresh()
    prompt = nodes(
        a=("Number", {"value": value}), b=("Raise", {"value": ["a", 0]}), c=("Say", {"value": ["b", 0]})
    )
    id, frames = run(site, prompt)
    (error,) = only(frames, "execution_error")
    assert (error["node_id"], error["node_type"], error["prompt_id"]) == ("b", "Raise", id)
    assert error["exception_type"] == "tests.compat.server.worker_toys.NotToday"
    assert error["exception_message"].endswith("\n") and f"not {value}" in error["exception_message"]
    assert any("raise NotToday" in line for line in error["traceback"])
    assert error["current_inputs"] == {"value": [str(value)]}
    assert error["executed"] == error["current_outputs"] == ["a"]
    assert only(frames, "execution_success") == []
    told = site.get(f"/history/{id}").json[id]["status"]["messages"][-1]
    assert told == ["execution_error", error]


def test_one_branch_fails_and_the_other_still_shows(site: Site) -> None:
    value = fresh()
    prompt = nodes(
        a=("Number", {"value": value}), b=("Raise", {"value": ["a", 0]}), c=("Say", {"value": ["b", 0]}),
        d=("Say", {"value": ["a", 0]}),
    )  # fmt: skip
    id, frames = run(site, prompt)
    assert [data["node"] for data in only(frames, "executed")] == ["d"]
    assert list(site.get(f"/history/{id}").json[id]["outputs"]) == ["d"]


def test_nodes_made_while_running_stand_for_the_one_that_made_them(site: Site) -> None:
    value = fresh()
    _, frames = run(site, nodes(a=("Expand", {"value": value}), c=("Say", {"value": ["a", 0]})))
    made = [data for data in only(frames, "executing") if data["node"] not in ("a", "c", None)]
    assert made and all(data["display_node"] == "a" for data in made)
    last = only(frames, "progress_state")[-1]["nodes"]
    assert all(last[data["node"]]["real_node_id"] == "a" for data in made)
    assert all(last[data["node"]]["parent_node_id"] == "a" for data in made)
    assert only(frames, "executed")[-1]["output"] == {"text": [str(value)]}


def test_a_failure_of_a_node_made_while_running_names_the_workflows_own(site: Site) -> None:
    _, frames = run(site, nodes(a=("Expand", {"value": 13}), c=("Say", {"value": ["a", 0]})))
    (error,) = only(frames, "execution_error")
    assert (error["node_id"], error["node_type"]) == ("a", "Expand")


def test_a_blocker_with_words_is_an_error_and_one_without_is_silent(site: Site) -> None:
    for reason, errors in (("It rains.", 1), ("", 0)):
        value = fresh()
        prompt = nodes(
            a=("Block", {"value": value, "reason": reason}),
            c=("Say", {"value": ["a", 0]}),
            d=("Say", {"value": value}),
        )
        _, frames = run(site, prompt)
        found = only(frames, "execution_error")
        assert len(found) == errors
        assert all(error["exception_type"] == "ExecutionBlocked" for error in found)
        assert [data["node"] for data in only(frames, "executed")] == ["d"]
        assert len(only(frames, "execution_success")) == 1


def test_a_node_runs_once_for_each_item_of_a_list(site: Site) -> None:
    _, frames = run(site, nodes(a=("Numbers", {"count": 3}), c=("Say", {"value": ["a", 0]})))
    (data,) = only(frames, "executed")
    assert (data["node"], data["output"]) == ("c", {"text": ["0", "1", "2"]})


def test_an_interrupted_prompt_stops_and_the_next_one_runs(site: Site) -> None:
    socket = site.socket("interrupting")
    socket.hear()
    slow = drawing(fresh(), count=1000, seconds=0.02)
    ids = [site.prompt(one, client_id="interrupting").json["prompt_id"] for one in (slow, drawing(fresh()))]
    while name_of(socket.hear()) != "progress":
        pass
    assert len(site.get("/queue").json["queue_running"]) == 1
    assert site.post("/interrupt", {"prompt_id": ids[0]}).status == 200
    frames = to_the_end(socket)
    (told,) = only(frames, "execution_interrupted")
    assert (told["node_id"], told["node_type"], told["executed"]) == ("b", "Draw", ["a"])
    assert site.get(f"/history/{ids[0]}").json[ids[0]]["status"]["completed"] is False
    assert only(to_the_end(socket), "execution_success")[0]["prompt_id"] == ids[1]


def test_a_prompt_taken_out_of_the_queue_never_runs(site: Site, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    slow = site.prompt(drawing(fresh(), count=1000, seconds=0.02)).json["prompt_id"]
    gone = site.prompt(nodes(t=("Touch", {"value": 1, "file": str(mark)}))).json["prompt_id"]
    assert site.post("/queue", {"delete": [gone]}).status == 200
    site.until(lambda: site.jobs.queue().running != ())
    site.post("/interrupt", b"")
    site.until(lambda: site.jobs.remaining() == 0)
    assert not mark.exists()
    assert site.get(f"/history/{gone}").json == {}
    assert slow in site.get("/history").json


def test_a_client_that_returns_while_it_runs_is_told_the_node(site: Site) -> None:
    id = site.prompt(drawing(fresh(), count=60, seconds=0.02), client_id="returning").json["prompt_id"]
    site.until(lambda: (found := site.jobs.running_job("returning")) is not None and found[1] == "b")
    socket = site.socket("returning")
    assert socket.hear()["type"] == "status"
    while "prompt_id" in (frame := socket.hear())["data"]:
        pass
    assert frame == {"type": "executing", "data": {"node": "b"}}
    assert only(to_the_end(socket), "execution_success")[0]["prompt_id"] == id


def test_a_socket_opened_after_a_quick_run_still_learns_of_its_end(site: Site) -> None:
    for _ in range(3):
        id = site.prompt(drawing(fresh()), client_id="late").json["prompt_id"]
        site.until(lambda: site.jobs.remaining() == 0)
        socket = site.socket("late")
        frames = to_the_end(socket)
        assert only(frames, "executed")[0]["prompt_id"] == id
        socket.close()


def test_a_second_tab_sees_how_far_a_job_of_our_own_api_is(site: Site) -> None:
    """Handed in without a client; a page of ComfyUI's sees it live, and then in the history."""
    from tests.host.documents import document, link, node

    socket = site.socket("a second tab")
    socket.hear()
    own = {"a": node("Number", value=fresh()), "b": node("Draw", value=link("a", "INT"), seconds=0.02)}
    workflow = document({**own, "c": node("Say", value=link("b", "INT"))})
    job = site.post("/api/v1/jobs", {"workflow": workflow}, headers={"Content-Type": "application/json"}).json
    site.until(lambda: site.jobs.remaining() == 0)
    kinds = set(socket.types())
    assert {"status", "progress_state", "progress", "binary 1"} <= kinds
    entry = site.get("/history").json[job["id"]]
    assert entry["prompt"][2]["b"]["class_type"] == "Draw" and list(entry["outputs"]) == ["c"]


def test_hidden_documents_reach_the_history_as_they_were_sent(site: Site) -> None:
    info = {"workflow": {"nodes": []}, "more": [1]}
    extra = {"extra_pnginfo": info, "note": "x"}
    id, _ = run(site, drawing(fresh()), extra_data=extra)
    kept = site.get(f"/history/{id}").json[id]["prompt"][3]
    assert kept.pop("client_id").startswith("client ") and kept == extra


def test_a_killed_worker_costs_no_prompt_and_no_socket(site: Site) -> None:
    socket = site.socket("killing")
    socket.hear()
    id = site.prompt(drawing(fresh(), count=20, seconds=0.02), client_id="killing").json["prompt_id"]
    while name_of(socket.hear()) != "progress":
        pass
    (worker,) = site.jobs.workers()
    os.kill(worker.pid, signal.SIGKILL)
    frames = to_the_end(socket)
    assert only(frames, "execution_success")[0]["prompt_id"] == id
    assert only(frames, "execution_error") == []
    assert site.get(f"/history/{id}").json[id]["outputs"] != {}


def test_many_prompts_at_once_all_come_to_their_end(site: Site) -> None:
    values = [fresh() for _ in range(50)]
    ids = [site.prompt(nodes(c=("Say", {"value": value}))).json["prompt_id"] for value in values]
    site.until(lambda: site.jobs.remaining() == 0)
    assert all(site.get(f"/history/{id}").json for id in ids)
    history: Any = site.get("/history").json
    assert [id for id in history if id in set(ids)] == ids
    assert [history[id]["outputs"]["c"]["text"] for id in ids] == [[str(value)] for value in values]


def test_a_failing_prompt_holds_up_no_other(site: Site) -> None:
    """field.md M9: one node without inputs, POSTed once, stops the reference for good."""
    odd = {
        **drawing(fresh()),
        "x": {"class_type": "Number"},
        "y": {"class_type": "Say", "inputs": {"value": ["x", 0]}},
    }
    reply = site.prompt(odd)
    assert reply.status == 200 and list(reply.json["node_errors"]) == ["x"]
    _, frames = run(site, drawing(fresh()))
    assert only(frames, "execution_success")
