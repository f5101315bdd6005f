"""Workflows over HTTP: saved whole, with versions, against ETags; checked and converted in every format."""

import asyncio
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from yarl import URL

from host.server.workflow_files import MOST_VERSIONS, WorkflowFolder
from tests.host.documents import document, link, node
from tests.host.serving import Served, Shared

API = {"1": {"class_type": "Load", "inputs": {"seconds": 0.0, "value": 4}},
       "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}}  # fmt: skip


def numbered(value: int) -> dict[str, Any]:
    return document(
        {"load": node("Load", seconds=0.0, value=value), "show": node("Show", value=link("load", "INT"))}
    )


def at(name: str, more: str = "") -> str:
    return f"/api/v1/workflows/{name.replace('/', '%2F')}{more}"


async def saved(server: Served, name: str, value: int, status: int = 200, **headers: str) -> Any:
    sent = {key.replace("_", "-"): text for key, text in headers.items()}
    return await server.ask("PUT", at(name), numbered(value), status, headers=sent)


async def value_of(server: Served, name: str, more: str = "") -> int:
    return (await server.ask("GET", at(name, more), status=200))["nodes"]["load"]["inputs"]["value"]


def test_a_saved_workflow_is_listed_read_renamed_and_deleted(shared: Shared) -> None:
    async def story(server: Served) -> None:
        first = await saved(server, "tales/Fox one", 1)
        assert (first["name"], first["size"] > 50) == ("tales/Fox one", True)
        page = await server.ask("GET", "/api/v1/workflows?search=fox+TALES&limit=1", status=200)
        assert (page["total"], page["workflows"][0]["name"]) == (1, "tales/Fox one")
        file = server.home / "user" / "default" / "workflows" / "tales" / "Fox one.json"
        assert json.loads(file.read_text())["nodes"]["load"]["inputs"]["value"] == 1
        renamed = await server.ask("POST", at("tales/Fox one", "/rename"), {"to": "fox"}, 200)
        assert renamed["name"] == "fox" and await value_of(server, "fox") == 1
        await server.ask("GET", at("tales/Fox one"), status=404)
        await saved(server, "other", 2)
        await server.ask("POST", at("other", "/rename"), {"to": "fox"}, 409)
        for name in ("fox", "other"):
            await server.ask("DELETE", at(name), status=204)
            await server.ask("DELETE", at(name), status=404)
        gone = await server.ask("GET", "/api/v1/workflows?deleted=true", status=200)
        assert {"fox", "other"} <= {item["name"] for item in gone["workflows"]}

    shared.run(story)


def test_every_save_is_a_version_that_can_be_had_back(shared: Shared) -> None:
    async def story(server: Served) -> None:
        for value in (1, 2, 2, 3):
            await saved(server, "many", value)
        file = server.home / "user" / "default" / "workflows" / "many.json"
        file.write_text(json.dumps(numbered(9)))
        await saved(server, "many", 4)
        await server.ask("DELETE", at("many"), status=204)
        versions = (await server.ask("GET", at("many", "/versions"), status=200))["versions"]
        values = [await value_of(server, "many", f"?version={item['id']}") for item in versions]
        assert values == [4, 9, 3, 2, 1], "the same is not kept twice, what others wrote is"
        await server.ask("GET", at("many", "?version=1-x"), status=404)

    shared.run(story)


def test_only_what_was_seen_is_saved_over(shared: Shared) -> None:
    async def story(server: Served) -> None:
        first = await saved(server, "guarded", 1, If_None_Match="*")
        await saved(server, "guarded", 2, 412, If_None_Match="*")
        second = await saved(server, "guarded", 2, If_Match=f'"{first["etag"]}"')
        told = await saved(server, "guarded", 3, 412, If_Match=f'"{first["etag"]}"')
        assert told["problems"][0]["code"] == "changed"
        await saved(server, "not there", 3, 412, If_Match="*")
        async with server.session.get(server.url + at("guarded")) as reply:
            assert reply.headers["ETag"] == f'"{second["etag"]}"'
        headers = {"If-None-Match": f'"{second["etag"]}"'}
        async with server.session.get(server.url + at("guarded"), headers=headers) as reply:
            assert reply.status == 304
        asked = [saved_any(server, first["etag"], value) for value in range(5)]
        assert sorted(await asyncio.gather(*asked)) == [412] * 5
        asked = [saved_any(server, second["etag"], value) for value in range(5)]
        assert sorted(await asyncio.gather(*asked)) == [200, 412, 412, 412, 412], "one of them is the first"

    shared.run(story)


async def saved_any(server: Served, tag: str, value: int) -> int:
    url, headers = server.url + at("guarded"), {"If-Match": f'"{tag}"'}
    async with server.session.put(url, json=numbered(10 + value), headers=headers) as reply:
        return reply.status


def test_any_format_and_pictures_are_taken_and_given(shared: Shared) -> None:
    texts = PngInfo()
    texts.add_text("prompt", json.dumps(API))
    picture = BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "png", pnginfo=texts)

    async def story(server: Served) -> None:
        await server.ask("PUT", at("foreign"), API, 200)
        ours = await server.ask("GET", at("foreign"), status=200)
        assert ours["format"].startswith("darkroom/") and ours["nodes"]["2"]["type"] == "Show"
        editor = await server.ask("GET", at("foreign", "?format=editor"), status=200)
        assert {item["type"] for item in editor["nodes"]} == {"Load", "Show"}
        api = await server.ask("POST", "/api/v1/workflows/convert?to=api", editor, 200)
        assert api["2"]["class_type"] == "Show"
        await server.ask("PUT", at("foreign", "?format=editor"), editor, 200)
        assert "last_node_id" in await server.ask("GET", at("foreign", "?stored=true"), status=200)
        url = server.url + at("pictured")
        async with server.session.put(url, data=picture.getvalue()) as reply:
            assert reply.status == 200, await reply.text()
        assert (await server.ask("GET", at("pictured"), status=200))["nodes"]["1"]["inputs"]["value"] == 4
        for body in (b"", b"[]", b"\xff\xfe", b'{"a": 1}', b"[" * 10_000, picture.getvalue()[:60]):
            async with server.session.put(url, data=body) as reply:
                assert reply.status == 400 and (await reply.json())["problems"], body[:20]

    shared.run(story)


def test_checking_names_every_problem_and_keeps_nothing(shared: Shared) -> None:
    async def story(server: Served) -> None:
        good = await server.ask("POST", "/api/v1/workflows/validate", numbered(1), 200)
        assert good == {"valid": True, "problems": [], "facts": {}}
        wrong = document({"a": node("Shew"), "b": node("Show", value="x", tag=3)})
        told = await server.ask("POST", "/api/v1/workflows/validate", wrong, 200)
        assert not told["valid"] and {item["node"] for item in told["problems"]} == {"a", "b"}
        told = await server.ask("POST", "/api/v1/workflows/validate", {"no": "workflow"}, 200)
        assert not told["valid"] and told["problems"][0]["code"] == "not_a_workflow"

    shared.run(story)


def test_names_that_lead_elsewhere_are_refused(shared: Shared) -> None:
    names = ["..%2Fx", "%2Fetc%2Fpasswd", "a%5Cb", "C%3A%2Fx", "nul", "com1", ".hidden", "a%2F%2Fb", "%00"]
    names += ["a%2F", "%20a", "x" * 300, "a%2F..%2F..%2Fb"]

    async def story(server: Served) -> None:
        before = sorted(server.home.rglob("*"))
        for name in names:
            for method, more in (("PUT", ""), ("GET", ""), ("DELETE", ""), ("GET", "/versions")):
                url = f"{server.url}/api/v1/workflows/{name}{more}"
                async with server.session.request(method, URL(url, encoded=True), json=numbered(1)) as reply:
                    assert reply.status in (400, 404), (method, name, reply.status)
        assert sorted(server.home.rglob("*")) == before

    shared.run(story)


def test_shipped_workflows_are_listed_with_titles_and_notes_and_given_whole(shared: Shared) -> None:
    async def story(server: Served) -> None:
        found = {item["name"]: item for item in (await server.ask("GET", "/api/v1/templates"))["templates"]}
        assert "prompt" in found["txt2img"]["ports"] and found["txt2img"]["title"]
        assert re.match(r"What comes out of a round", found["loop"]["notes"][0])
        document = await server.ask("GET", "/api/v1/templates/txt2img", status=200)
        assert document["format"].startswith("darkroom/")
        for name in ("none", "..%2FREADME", "%2e%2e%2Fpyproject"):
            await server.ask("GET", f"/api/v1/templates/{name}", status=404)
        await server.ask("PUT", "/api/v1/templates/txt2img", {}, 405)

    shared.run(story)


def test_a_full_disk_leaves_the_old_workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from host.server.refusals import Refused

    folder = WorkflowFolder(tmp_path)
    folder.save("a", b"old")

    def fail(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(Refused, match="No space left") as told:
        broken.setattr("os.fsync", fail)
        folder.save("a", b"new")
    assert told.value.status == 507 and folder.read("a") == b"old"


def test_the_oldest_versions_go_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _file: None)
    folder = WorkflowFolder(tmp_path)
    for number in range(MOST_VERSIONS + 5):
        folder.save("a", str(number).encode())
    kept = [folder.version("a", version.id) for version in folder.versions("a")]
    assert kept == [str(number).encode() for number in range(MOST_VERSIONS + 4, 4, -1)]
