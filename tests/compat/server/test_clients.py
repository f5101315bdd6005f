"""What clients written for ComfyUI lean on, each replayed in our own words against a whole server."""

import json
from io import BytesIO
from urllib.parse import quote, urlencode

import pytest
from aiohttp import FormData
from PIL import Image

from tests.compat.server.site import Json, Listening, Site
from tests.compat.server.test_worker import fresh, name_of, nodes


@pytest.fixture
def site(whole_site: Site) -> Site:
    return whole_site


def picture(colour: int) -> Json:
    return nodes(
        a=("Number", {"value": colour}), b=("Picture", {"colour": ["a", 0], "filename_prefix": "sub/client"})
    )


def shown(site: Site, images: list[Json]) -> tuple[int, ...]:
    """The first pixel of a picture that a node told of."""
    (image,) = images
    reply = site.get(f"/view?{urlencode(image)}")
    assert reply.status == 200
    with Image.open(BytesIO(reply.body)) as opened:
        pixel = opened.convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return tuple(map(int, pixel))


def rgb(colour: int) -> tuple[int, ...]:
    return colour >> 16, colour >> 8 & 255, colour & 255


def finished(site: Site, id: str) -> Json:
    """Poll the history as clients do that have no socket."""
    site.until(lambda: bool(site.jobs.find(id) is None or site.jobs.find(id).is_over))
    return site.get(f"/history/{id}").json[id]


def test_a_client_that_only_polls_gets_its_picture(site: Site) -> None:
    colour = fresh()
    posted = site.post("/prompt", {"prompt": picture(colour)}).json
    assert type(posted["number"]) is int and posted["node_errors"] == {}
    entry = finished(site, posted["prompt_id"])
    assert entry["prompt"][2] == picture(colour) and type(entry["prompt"][0]) is int
    assert entry["status"]["completed"] is True and entry["status"]["status_str"] == "success"
    assert shown(site, entry["outputs"]["b"]["images"]) == rgb(colour)


def test_a_client_that_connects_first_waits_for_executing_null(site: Site) -> None:
    colour, socket = fresh(), site.socket("before")
    posted = site.post("/prompt", {"prompt": picture(colour), "client_id": "before"}).json
    while True:
        frame = socket.hear(30)
        if frame["type"] == "executing" and frame["data"]["node"] is None:
            break
    assert frame["data"]["prompt_id"] == posted["prompt_id"]
    entry = site.get(f"/history/{posted['prompt_id']}").json[posted["prompt_id"]]
    assert shown(site, entry["outputs"]["b"]["images"]) == rgb(colour)


def test_a_client_that_connects_after_posting_waits_for_an_empty_queue(site: Site) -> None:
    colour = fresh()
    posted = site.post("/prompt", {"prompt": picture(colour), "client_id": "after"}).json
    socket = site.socket("after")
    while True:
        frame = socket.hear(30)
        if frame["type"] == "status" and frame["data"]["status"]["exec_info"]["queue_remaining"] == 0:
            break
    assert shown(site, finished(site, posted["prompt_id"])["outputs"]["b"]["images"]) == rgb(colour)


def test_a_client_takes_the_picture_from_the_first_executed_with_one(site: Site) -> None:
    colour, socket = fresh(), site.socket("executed")
    site.post("/prompt", {"prompt": picture(colour), "client_id": "executed"})
    while True:
        frame = socket.hear(30)
        assert isinstance(frame, dict), "such clients take text frames only"
        if frame["type"] == "executed" and "images" in frame["data"]["output"]:
            break
    assert shown(site, frame["data"]["output"]["images"]) == rgb(colour)


def test_a_client_that_attaches_its_listener_late_leans_on_the_replay(site: Site) -> None:
    for _ in range(5):
        colour = fresh()
        id = site.post("/prompt", {"prompt": picture(colour), "client_id": "late"}).json["prompt_id"]
        finished(site, id)
        socket = site.socket("late")
        kinds = list[str]()
        while "execution_success" not in kinds:
            kinds.append(name_of(socket.hear(5)))
        assert "executed" in kinds
        socket.close()


def test_a_client_uploads_a_file_and_finds_it_again(site: Site) -> None:
    form = FormData(default_to_multipart=True)
    file = BytesIO()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(file, "png")
    form.add_field("image", file.getvalue(), filename="up.png", content_type="image/png")
    form.add_field("overwrite", "true")
    told = site.post("/upload/image", form).json
    assert shown(
        site, [{"filename": told["name"], "subfolder": told["subfolder"], "type": told["type"]}]
    ) == (9, 8, 7)


def test_a_client_sees_the_queue_grow_and_empties_it(site: Site) -> None:
    slow = nodes(
        a=("Draw", {"value": fresh(), "count": 500, "seconds": 0.02}), b=("Say", {"value": ["a", 0]})
    )
    running = site.post("/prompt", {"prompt": slow}).json["prompt_id"]
    waiting = site.post("/prompt", {"prompt": picture(fresh())}).json["prompt_id"]
    site.until(lambda: len(site.jobs.queue().running) == 1)
    queue = site.get("/queue").json
    assert [item[1] for item in queue["queue_running"]] == [running]
    assert [item[1] for item in queue["queue_pending"]] == [waiting]
    assert site.get("/prompt").json["exec_info"]["queue_remaining"] == 2
    assert site.post("/queue", {"clear": True}).body == b""
    assert site.post("/interrupt", b"").body == b""
    site.until(lambda: site.jobs.remaining() == 0)
    assert site.get("/queue").json == {"queue_running": [], "queue_pending": []}
    assert site.get(f"/history/{waiting}").json == {}


def test_a_client_that_builds_prompts_from_object_info_can(site: Site) -> None:
    infos = site.get("/object_info").json
    order = infos["Picture"]["input_order"]["required"] + infos["Picture"]["input_order"].get("optional", [])
    given = dict(zip(order, (fresh(), "built"), strict=True))
    id = site.post("/prompt", {"prompt": nodes(a=("Picture", given))}).json["prompt_id"]
    (image,) = finished(site, id)["outputs"]["a"]["images"]
    assert image["filename"].startswith("built_") and image["type"] == "output"


# The official front end, request by request


def get(site: Site, path: str, status: int = 200) -> Json:
    reply = site.get(path)
    assert reply.status == status, (path, reply.status)
    return reply.json if status == 200 else None


def greeted(site: Site) -> tuple[Listening, str]:
    socket = site.socket(path="/ws")
    sid = socket.hear()["data"]["sid"]
    flags = {"supports_preview_metadata": True, "supports_manager_v4_ui": True}
    socket.send({"type": "feature_flags", "data": flags})
    assert socket.hear()["type"] == "feature_flags"
    return socket, sid


def test_the_front_end_gets_all_it_asks_for_while_it_loads(site: Site) -> None:
    for path in ("/user.css", "/api/userdata/user.css", "/api/userdata/comfy.templates.json"):
        get(site, path, 404)
    asked = (
        "system_stats users i18n settings extensions object_info workflow_templates experiment/models queue"
    )
    for path in (*asked.split(), "history?max_items=64"):
        get(site, f"/api/{path}")
    for folder in ("workflows", "subgraphs%2F"):
        get(site, f"/api/userdata?dir={folder}&recurse=true&split=false&full_info=true", 404)
    for id, value in (("Comfy.InstalledVersion", "1.27.10"), ("Comfy.TutorialCompleted", True)):
        reply = site.post(f"/api/settings/{id}", value, headers={"Content-Type": "text/plain"})
        assert (reply.status, reply.body) == (200, b"")
    assert get(site, "/api/settings")["Comfy.InstalledVersion"] == "1.27.10"


def test_the_front_end_runs_a_graph_and_reads_it_back_from_the_history(site: Site) -> None:
    socket, sid = greeted(site)
    workflow = {"nodes": [{"id": 1}], "links": [], "version": 0.4}
    prompt = nodes(a=("Draw", {"value": fresh(), "count": 2, "seconds": 0}), b=("Say", {"value": ["a", 0]}))
    extra = {"extra_pnginfo": {"workflow": workflow}}
    id = site.post("/api/prompt", {"client_id": sid, "prompt": prompt, "extra_data": extra}).json["prompt_id"]
    kinds = list[str]()
    while "execution_success" not in kinds:
        kinds.append(name_of(socket.hear(30)))
    assert kinds.count("binary 4") == 2 and "binary 1" not in kinds
    entry = get(site, "/api/history?max_items=64")[id]
    assert entry["prompt"][3]["extra_pnginfo"]["workflow"] == workflow
    assert entry["status"]["status_str"] == "success"


def test_the_front_end_shows_which_node_is_wrong(site: Site) -> None:
    reply = site.post("/api/prompt", {"prompt": nodes(b=("Say", {}))})
    assert reply.status == 400
    assert reply.json["error"]["message"] == "Prompt outputs failed validation"
    assert reply.json["node_errors"]["b"]["errors"][0]["details"] == "value"


def test_the_front_end_saves_a_workflow_lists_it_and_comes_back_after_a_reload(site: Site) -> None:
    name, text = quote("workflows/a workflow.json", safe=""), json.dumps({"nodes": []})
    saved = site.post(f"/api/userdata/{name}?overwrite=false&full_info=true", text.encode())
    assert saved.json["path"] == "workflows/a workflow.json"
    assert site.post(f"/api/userdata/{name}?overwrite=false&full_info=true", text.encode()).status == 409
    listed = get(site, "/api/userdata?dir=workflows&recurse=true&split=false&full_info=true")
    assert [entry["path"] for entry in listed] == ["a workflow.json"]
    socket, sid = greeted(site)
    socket.close()
    again = site.socket(sid)
    assert again.hear()["data"]["sid"] == sid
