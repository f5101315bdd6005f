"""Anything at all sent to /prompt, /ws and the uploads: no crash, no hang, and the worker runs on."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import FormData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compat.server.site import Site
from tests.compat.server.test_worker import drawing, fresh, only, run

few = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
names = st.sampled_from(["1", "2", "3", "4"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([2**63, -(10**30), 10**39, 10**40, 10**41, 10**45])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
links = st.tuples(names | anything, st.integers(-2, 3) | anything).map(list)
wrapped = st.fixed_dictionaries({"__value__": anything})
values = scalars | links | wrapped | anything
input_names = st.sampled_from(["value", "count", "seconds", "reason", "tag"]) | st.text(max_size=4)
kinds = st.sampled_from(["Number", "Say", "Expand", "Raise", "Block", "Numbers", "Show", "Nope"])
entries = st.fixed_dictionaries(
    {"class_type": kinds}, optional={"inputs": st.dictionaries(input_names, values, max_size=4) | anything}
)
prompts = st.dictionaries(names | st.text(max_size=3), entries | entries | entries | anything, max_size=5)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "prompt": prompts | prompts | prompts | anything,
        "client_id": anything,
        "prompt_id": anything,
        "number": anything,
        "front": anything,
        "extra_data": st.fixed_dictionaries({}, optional={"extra_pnginfo": anything, "client_id": anything})
        | anything,
        "partial_execution_targets": st.lists(names) | anything,
    },
)


def sound() -> Any:
    """A workflow of sound nodes in which one value at most is odd: most of these run."""
    return st.builds(
        lambda value, odd: {
            "1": {"class_type": "Number", "inputs": {"value": value}},
            "2": {"class_type": odd, "inputs": {"value": ["1", 0], "count": 2, "seconds": 0, "reason": ""}},
            "3": {"class_type": "Say", "inputs": {"value": ["2", 0]}},
        },
        values,
        st.sampled_from(["Draw", "Expand", "Raise", "Block", "Number"]),
    )


@pytest.fixture
def site(whole_site: Site) -> Site:
    return whole_site


def is_no_object(body: Any) -> bool:
    """Whether the protocol has 500 for a body's prompt."""
    return isinstance(body, dict) and "prompt" in body and not isinstance(body["prompt"], dict)


def check(site: Site, body: Any) -> None:
    reply = site.post("/prompt", body)
    if reply.status == 500:
        assert is_no_object(body) or not is_plain_json(body), (body, reply.text)
    else:
        assert reply.status in (200, 400), (reply.status, reply.text)
        assert isinstance(reply.json["node_errors"], dict)
        assert ("prompt_id" in reply.json) is (reply.status == 200)


def is_plain_json(body: Any) -> bool:
    """Whether the text of a body is read back: integers of thousands of digits are not."""
    try:
        json.loads(json.dumps(body))
    except ValueError:
        return False
    return True


@few
@given(bodies)
def test_no_prompt_whatever_breaks_the_server(site: Site, body: Any) -> None:
    check(site, body)


@few
@given(sound())
def test_no_value_in_a_sound_prompt_breaks_the_worker(site: Site, prompt: Any) -> None:
    check(site, {"prompt": prompt})


@few
@given(
    st.sampled_from(["/prompt", "/queue", "/history", "/free", "/interrupt", "/settings", "/users"]), anything
)
def test_no_body_breaks_a_route_that_takes_json(site: Site, path: str, body: Any) -> None:
    reply = site.post(path, body)
    assert reply.status in (200, 400, 500)
    assert reply.status != 500 or not isinstance(body, dict), (path, body)


@few
@given(st.sampled_from(["/prompt", "/queue", "/settings/a", "/userdata/a"]), st.binary(max_size=60))
def test_no_bytes_break_a_route(site: Site, path: str, body: bytes) -> None:
    assert site.post(path, body).status in (200, 400, 500)


@few
@given(st.lists(st.text(max_size=40) | anything.map(json.dumps) | st.binary(max_size=40), max_size=4))
def test_no_message_breaks_the_socket(site: Site, messages: list[str | bytes]) -> None:
    socket = site.socket("fuzz")
    assert socket.hear()["type"] == "status"
    for message in messages:
        try:
            socket.send_bytes(message) if isinstance(message, bytes) else socket.send(
                message.encode("utf-8", "replace").decode()
            )
        except ConnectionError:
            break
    socket.close()


file_names = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["../x", "/x", "C:x", "nul", "a/b.png", "..", "x" * 400]
)


@few
@given(
    file_names,
    st.binary(max_size=50),
    st.dictionaries(
        st.sampled_from(["type", "subfolder", "overwrite", "original_ref"]),
        file_names | st.sampled_from(["input", "temp", "true", '{"filename": "a.png"}']),
    ),
    st.sampled_from(["/upload/image", "/upload/mask"]),
)
def test_no_upload_breaks_the_server(
    site: Site, name: str, data: bytes, fields: dict[str, str], path: str
) -> None:
    before = set(site.home.rglob("*"))
    form = FormData(default_to_multipart=True)
    form.add_field("image", data, filename=plain(name), content_type="image/png")
    for key, value in fields.items():
        form.add_field(key, plain(value))
    status = site.post(path, form).status
    is_wrong = fields.get("type", "input") not in ("input", "temp", "output") or path.endswith("mask")
    assert status in ((200, 400, 500) if is_wrong else (200, 400))
    places = [(site.home / kind).resolve() for kind in ("input", "temp", "output")]
    made = set(site.home.rglob("*")) - before
    assert all(
        path in places or any(path.resolve().is_relative_to(place) for place in places) for path in made
    )


def plain(text: str) -> str:
    """Text as a header of a form can carry it."""
    return "".join(character for character in text if character.isprintable()) or "x"


@few
@given(
    st.binary(max_size=80),
    st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]),
)
def test_no_broken_form_breaks_the_server(site: Site, body: bytes, type: str) -> None:
    for path in ("/upload/image", "/upload/mask"):
        reply = site.post(path, b"--x\r\n" + body, headers={"Content-Type": type})
        assert reply.status in (400, 500)
    assert site.get("/prompt").status == 200


PLACES = [
    "/view?filename={}", "/view?filename=a.png&subfolder={}", "/view?filename=a&preview={}",
    "/view_metadata/{}", "/userdata/{}", "/userdata?dir={}", "/v2/userdata?path={}", "/models/{}",
    "/history/{}", "/history?max_items={}", "/object_info/{}", "/settings/{}", "/extensions/{}/x",
    "/experiment/models/preview/{}/0/x", "/internal/files/{}", "/view?filename=a&type={}",
]  # fmt: skip


@few
@given(
    st.sampled_from(PLACES),
    st.text(max_size=20) | st.binary(max_size=12).map(lambda data: data.decode("latin-1")),
)
def test_no_path_or_query_breaks_a_route(site: Site, place: str, text: str) -> None:
    part = quote(text.encode("utf-8", "replace"), safe="")
    assert site.get(place.format(part)).status < 500


@pytest.fixture(scope="module", autouse=True)
def running(whole_site: Site) -> int:
    """The worker's process before anything was sent."""
    whole_site.until(lambda: [worker.state for worker in whole_site.jobs.workers()] == ["idle"])
    (worker,) = whole_site.jobs.workers()
    return worker.pid


def test_after_all_that_prompts_still_run(site: Site, running: int) -> None:
    site.post("/queue", {"clear": True})
    site.post("/interrupt", b"")
    site.until(lambda: site.jobs.remaining() == 0, 60)
    _, frames = run(site, drawing(fresh()))
    assert only(frames, "execution_success")
    assert site.get("/history").status == site.get("/queue").status == 200
    (worker,) = site.jobs.workers()
    assert worker.pid == running
