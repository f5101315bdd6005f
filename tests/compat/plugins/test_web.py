"""What packs add to the server: routes, handlers of prompts, checks of their own values."""

import os
import signal
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import WSMsgType

from tests.compat.plugins.whole import packs_site, wait_for_worker, write_pack
from tests.compat.server.site import Json, Site

PACK = """
import asyncio, os, time
from aiohttp import web
from server import PromptServer
routes = PromptServer.instance.routes

@routes.get("/toys/hello/{name}")
async def hello(request):
    return web.json_response({"hello": request.match_info["name"], "query": dict(request.query),
                              "headers": dict(request.headers)})

@routes.post("/toys/size")
async def size(request):
    return web.Response(text=str(len(await request.read())))

@routes.get("/toys/stream")
async def stream(request):
    response = web.StreamResponse(headers={"X-Toy": "yes"})
    await response.prepare(request)
    for number in range(3):
        await response.write(b"%d" % number * 1000)
    return response

@routes.get("/toys/socket")
async def socket(request):
    joined = web.WebSocketResponse()
    await joined.prepare(request)
    async for message in joined:
        await joined.send_str(message.data[::-1])
    return joined

@routes.get("/toys/address")
async def address(request):
    from comfy.cli_args import args
    server = PromptServer.instance
    return web.json_response([server.address, server.port, args.listen, args.port])

asked = []

@routes.get("/toys/drop")
async def drop(request):
    asked.append(request)
    request.transport.abort()
    await asyncio.sleep(60)

@routes.get("/toys/asked")
async def often(request):
    return web.json_response(len(asked))

@routes.get("/toys/die")
async def die(request):
    os._exit(9)

@routes.get("/system_stats")
async def stats(request):
    return web.Response(text="mine")

PromptServer.instance.app.router.add_static("/toys/files", os.path.dirname(__file__))

def doubled(body):
    for node in body["prompt"].values():
        if node["class_type"] == "ToyCount":
            node["inputs"]["count"] *= 2
    return body

def broken(body):
    raise ValueError("a handler that fails")

PromptServer.instance.add_on_prompt_handler(broken)
PromptServer.instance.add_on_prompt_handler(doubled)

class ToyCount:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"count": ("INT", {"default": 1}), "slow": ("FLOAT", {"default": 0.0})}}
    RETURN_TYPES = ()
    FUNCTION = "count"
    OUTPUT_NODE = True
    @classmethod
    def VALIDATE_INPUTS(cls, count):
        return "no more than ten" if count > 10 else True
    def count(self, count, slow):
        time.sleep(slow)
        return {"ui": {"text": [str(count)]}}

NODE_CLASS_MAPPINGS = {"ToyCount": ToyCount}
"""


def prompt(count: int, slow: float = 0.0) -> dict[str, object]:
    return {"1": {"class_type": "ToyCount", "inputs": {"count": count, "slow": slow}}}


def history(site: Site, id: str) -> Json:
    """What is remembered of a prompt, once it has ended."""
    while id not in (found := site.get(f"/history/{id}").json):
        site.wait(0.05)
    return found[id]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    write_pack(home, "toys", PACK)
    with packs_site(home) as site:
        wait_for_worker(site)
        yield site


@pytest.mark.parametrize("start", ["", "/api"])
def test_a_packs_route_answers_through_the_server_at_its_path_and_below_api(site: Site, start: str) -> None:
    found = site.get(f"{start}/toys/hello/Ann%20Lee?a=1").json
    assert (found["hello"], found["query"]) == ("Ann Lee", {"a": "1"})


def test_packs_learn_where_the_server_answers(site: Site) -> None:
    address, port, *of_arguments = site.get("/toys/address").json
    assert f"http://{address}:{port}" == site.url
    assert of_arguments == [address, port]


def test_tokens_and_secrets_are_not_passed_on_to_packs(site: Site) -> None:
    sent = {"Authorization": "Bearer abc", "Cookie": "darkroom_token=abc; mine=1", "X-Mine": "kept"}
    found = site.get("/toys/hello/x?token=abc", headers=sent).json
    headers = {name.lower(): value for name, value in found["headers"].items()}
    assert "authorization" not in headers and headers["cookie"] == "mine=1" and headers["x-mine"] == "kept"
    assert found["query"] == {}


def test_bodies_go_through_whole(site: Site) -> None:
    assert site.ask("POST", "/toys/size", data=BytesIO(b"x" * 3_000_000)).text == "3000000"


def test_streams_and_files_of_packs_come_through(site: Site) -> None:
    streamed = site.get("/toys/stream")
    assert (len(streamed.body), streamed.headers["X-Toy"]) == (3000, "yes")
    assert site.get("/toys/files/__init__.py").text == PACK


def test_sockets_of_packs_are_joined(site: Site) -> None:
    socket = site.socket(path="/toys/socket")
    socket.send("abc")
    answer = site.do(socket.connection.receive(10))
    assert (answer.type, answer.data) == (WSMsgType.TEXT, "cba")
    socket.close()


def test_a_pack_cannot_take_a_route_of_the_servers(site: Site) -> None:
    assert "system" in site.get("/system_stats").json


def test_what_no_pack_has_is_still_not_found(site: Site) -> None:
    assert site.get("/toys/nothing").status == 404
    assert site.post("/toys/hello/x").status == 405 or site.post("/toys/hello/x").status == 404


def test_pages_of_other_sites_may_not_change_anything_at_a_packs_route(site: Site) -> None:
    assert site.post("/toys/size", b"x", headers={"Origin": "https://elsewhere.example"}).status == 403


def test_only_the_server_itself_is_answered_by_the_worker(site: Site) -> None:
    address = site.do(site.jobs.plugin_address())
    reply = site.do(_status(f"http://127.0.0.1:{address.port}/toys/hello/x"))
    assert reply == 403


async def _status(url: str) -> int:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return reply.status


def test_handlers_of_prompts_change_them_and_one_that_fails_is_left_out(site: Site) -> None:
    id = site.queued(prompt(4))
    assert history(site, id)["outputs"]["1"] == {"text": ["8"]}


def test_a_packs_own_check_refuses_values_when_they_are_posted(site: Site) -> None:
    reply = site.prompt(prompt(6))
    assert reply.status == 400
    assert reply.json["error"]["type"] == "prompt_outputs_failed_validation"
    told = reply.json["node_errors"]["1"]["errors"]
    assert [(item["type"], item["details"]) for item in told] == [
        ("custom_validation_failed", "count - no more than ten")
    ]


def test_routes_and_checks_answer_while_a_node_runs(site: Site) -> None:
    id = site.queued(prompt(1, slow=1.5))
    site.until(lambda: site.jobs.running_job() is not None)
    assert site.get("/toys/hello/x").status == 200
    assert site.prompt(prompt(9)).status == 400
    assert site.jobs.running_job() is not None
    assert history(site, id)["outputs"]["1"] == {"text": ["2"]}


def test_a_request_whose_connection_broke_is_not_asked_again(site: Site) -> None:
    assert site.get("/toys/drop").status == 502
    assert site.get("/toys/asked").json == 1


def test_after_the_worker_died_a_route_waits_for_the_next_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.server.plugin_routes._PATIENCE", 100.0)
    assert site.get("/toys/die").status == 502
    site.until(lambda: site.jobs.workers()[0].state != "idle")
    assert site.get("/toys/hello/again").json["hello"] == "again"
    wait_for_worker(site)


def test_a_worker_that_does_not_come_is_told_in_a_sentence(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.server.plugin_routes._PATIENCE", 0.2)
    os.kill(site.jobs.workers()[0].pid, signal.SIGKILL)
    site.until(lambda: site.jobs.workers()[0].state == "restarting")
    reply = site.get("/toys/hello/x")
    assert (reply.status, "Try again" in reply.text) == (503, True)
    wait_for_worker(site)


def test_roles_hold_for_routes_of_packs(tmp_path: Path) -> None:
    write_pack(tmp_path, "toys", PACK)
    with packs_site(tmp_path, tokens={"see": "viewer", "work": "runner"}) as site:
        wait_for_worker(site)
        assert site.get("/toys/hello/x").status == 401
        assert site.get("/toys/hello/x", headers={"Authorization": "Bearer see"}).status == 200
        assert site.post("/toys/size", b"x", headers={"Authorization": "Bearer see"}).status == 403
        assert site.post("/toys/size", b"x", headers={"Authorization": "Bearer work"}).text == "1"
