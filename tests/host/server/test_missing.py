"""What a workflow needs that is not here, over HTTP; templates with what they need; who one is."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Annotated

from PIL import Image

from compat.formats.known import FORMATS
from graph.node import node as node_type
from graph.node import spec_of
from graph.registry import Registry
from graph.spec import FileChoice
from host.services import Services
from tests.host.documents import document, node
from tests.host.serving import Served, Shared, run, served
from tests.host.toys import toy_types

NO_WORKER = ("/bin/false",)
MISSING = "/api/v1/workflows/missing"


def test_missing_node_types_are_told_with_the_plugin_they_come_from(shared: Shared) -> None:
    noted = {"properties": {"cnr_id": "great-pack", "aux_id": "someone/great-pack"}}
    workflow = document({"a": {**node("Nowhere"), **noted}, "b": node("Nowhere"), "c": node("Load", value=1)})

    async def story(server: Served) -> None:
        told = await server.ask("POST", MISSING, workflow, 200)
        assert told["types"] == [
            {
                "type": "Nowhere",
                "nodes": ["a", "b"],
                "pack": "great-pack",
                "url": "https://github.com/someone/great-pack",
            }
        ]
        assert told["files"] == []

    shared.run(story)


def with_models() -> Registry:
    """Toy node types and one that takes a checkpoint."""

    def model(ckpt: Annotated[str, FileChoice("checkpoints")]) -> int:
        """A number made of a file."""
        return len(ckpt)

    found = spec_of(node_type("Model")(model))
    return toy_types().with_specs([found] if found else [])


def test_a_missing_file_is_told_with_the_one_of_the_same_content(tmp_path: Path) -> None:
    async def told(server: Served) -> None:
        folder = server.home / "models" / "checkpoints" / "own"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "renamed.safetensors").write_bytes(b"content")
        digest = f"sha256:{hashlib.sha256(b'content').hexdigest()}"
        lock = {"models": {"checkpoints/lost.safetensors": digest}}
        workflow = {**document({"n": node("Model", ckpt="lost.safetensors")}), "lock": lock}
        await server.ask("GET", "/api/v1/models/files?kind=checkpoints&hash=true&wait=20", status=200)
        (missing,) = (await server.ask("POST", MISSING, workflow, 200))["files"]
        assert (missing["node"], missing["input"], missing["kind"]) == ("n", "ckpt", "checkpoints")
        assert (missing["hash"], missing["pending"]) == (digest, False)
        assert [(item["name"], item["why"]) for item in missing["matches"]] == [
            ("own/renamed.safetensors", "hash")
        ]
        there = document({"n": node("Model", ckpt="own/renamed.safetensors")})
        assert (await server.ask("POST", MISSING, there, 200))["files"] == []
        await server.ask("POST", MISSING, {"neither": "this"}, 400)

    async def story() -> None:
        async with served(
            tmp_path, Services(lambda: FORMATS, with_models), worker_command=NO_WORKER
        ) as server:
            await told(server)

    run(story())


def test_templates_tell_their_category_models_and_picture(shared: Shared) -> None:
    async def story(server: Served) -> None:
        found = (await server.ask("GET", "/api/v1/templates", status=200))["templates"]
        first = next(item for item in found if item["name"] == "txt2img")
        assert (first["title"], first["category"], first["pack"]) == ("Text to image", "Basics", "")
        assert "CheckpointLoaderSimple" in first["unknown"], "the toy server has no real node types"
        async with server.session.get(f"{server.url}{first['picture']}?size=64") as reply:
            with Image.open(BytesIO(await reply.read())) as picture:
                assert (reply.status, max(picture.size)) == (200, 64)
            again = {"If-None-Match": reply.headers["ETag"]}
        async with server.session.get(f"{server.url}{first['picture']}?size=64", headers=again) as reply:
            assert reply.status == 304
        await server.ask("GET", "/api/v1/templates/nothing/picture", status=404)

    shared.run(story)


def test_examples_of_plugins_are_templates_in_any_format(tmp_path: Path) -> None:
    pack = tmp_path / "custom_nodes" / "Pack"
    (pack / "example_workflows").mkdir(parents=True)
    (pack / "__init__.py").touch()
    api = '{"1": {"class_type": "Load", "inputs": {"seconds": 0.0, "value": 4}}}'
    (pack / "example_workflows" / "First one.json").write_text(api)
    (pack / "example_workflows" / "broken.json").write_text("{")
    Image.new("RGB", (400, 200)).save(pack / "example_workflows" / "First one.jpg")

    async def story() -> None:
        async with served(tmp_path) as server:
            found = (await server.ask("GET", "/api/v1/templates", status=200))["templates"]
            (example,) = [item for item in found if item["pack"]]
            assert (example["name"], example["pack"], example["title"]) == (
                "Pack/First one",
                "Pack",
                "First one",
            )
            workflow = await server.ask("GET", "/api/v1/templates/Pack%2FFirst%20one", status=200)
            assert workflow["nodes"]["1"]["inputs"]["value"] == 4
            async with server.session.get(server.url + example["picture"]) as reply:
                assert (reply.status, reply.content_type) == (200, "image/webp")

    run(story())


def test_a_client_learns_what_it_may_do(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, tokens={"t-view": "viewer", "t-edit": "editor"}) as server:
            for token, role, may in (("t-view", "viewer", 1), ("t-edit", "editor", 3)):
                me = await server.ask("GET", f"/api/v1/me?token={token}", status=200)
                assert (me["role"], len(me["may"]), me["user"], me["token"]) == (role, may, "default", True)

    run(story())


def test_saves_that_nobody_asked_for_do_not_push_the_others_out(shared: Shared) -> None:
    async def story(server: Served) -> None:
        at = "/api/v1/workflows/quiet"
        for value, query in ((1, ""), (2, "?auto=true"), (3, "?auto=true"), (4, "?auto=true"), (5, "")):
            await server.ask("PUT", at + query, document({"a": node("Load", value=value)}), 200)
        versions = (await server.ask("GET", f"{at}/versions", status=200))["versions"]
        assert [item["auto"] for item in versions] == [False, True, False]

    shared.run(story)
