"""The queue and the history as ComfyUI's clients are told them."""

from tests.compat.server.site import Site, picture_prompt
from tests.compat.server.test_live import IMAGE, NODES, opened, run


def test_the_queue_lists_prompts_as_five_items_and_lets_them_go(site: Site) -> None:
    first_id, second_id = site.queued(picture_prompt(), "me"), site.queued(picture_prompt(8))
    site.jobs.start(first_id, *NODES)
    queue = site.get("/queue").json
    assert queue["queue_running"] == [[0, first_id, picture_prompt(), {"client_id": "me"}, ["3"]]]
    assert queue["queue_pending"] == [[1, second_id, picture_prompt(8), {}, ["3"]]]
    socket = opened(site, "other")
    assert site.post("/queue", {"delete": [second_id, "unknown", first_id]}).body == b""
    assert site.get("/queue").json["queue_pending"] == []
    assert socket.hear()["type"] == "status"
    third = site.queued(picture_prompt())
    assert site.post("/queue", {"clear": True, "delete": [third]}).status == 200
    assert len(site.get("/queue").json["queue_running"]) == 1


def test_the_history_holds_the_prompt_its_outputs_and_how_it_went(site: Site) -> None:
    id = site.queued(picture_prompt(), "me")
    assert site.get(f"/history/{id}").json == {}
    run(site, id)
    entry = site.get(f"/history/{id}").json[id]
    assert entry["prompt"] == [0, id, picture_prompt(), {"client_id": "me"}, ["3"]]
    assert entry["outputs"] == {"3": {"images": [IMAGE]}}
    assert entry["meta"] == {
        "3": {"node_id": "3", "display_node": "3", "parent_node": None, "real_node_id": "3"}
    }
    status = entry["status"]
    assert (status["status_str"], status["completed"]) == ("success", True)
    assert [message[0] for message in status["messages"]] == [
        "execution_start", "execution_cached", "execution_success",
    ]  # fmt: skip
    assert all(message[1]["prompt_id"] == id and message[1]["timestamp"] for message in status["messages"])
    assert site.get("/history/unknown").json == {}


def test_the_history_is_paged_from_the_oldest_or_the_newest(site: Site) -> None:
    ids = [site.queued(picture_prompt()) for _ in range(5)]
    for id in ids:
        run(site, id)
    pages = {
        "": ids,
        "?max_items=2": ids[3:],
        "?max_items=9": ids,
        "?offset=0": ids,
        "?offset=3": ids[3:],
        "?max_items=2&offset=1": ids[1:3],
        "?offset=9": [],
        "?max_items=0": [],
    }
    for query, wanted in pages.items():
        assert list(site.get(f"/history{query}").json) == wanted, query
    assert site.get("/history?max_items=x").status == 400
    site.post("/history", {"delete": [ids[0], "unknown"]})
    assert list(site.get("/history").json) == ids[1:]
    site.post("/history", {"clear": True})
    assert site.get("/history").json == {}
