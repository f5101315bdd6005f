"""Node schemas and model files over HTTP: apart from each other, tagged, paged, found out by and by."""

import hashlib
import json
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from host.folders import Folders
from host.lock import Hashes
from host.server.model_facts import FactFinder, mark_of
from host.server.node_schemas import NodeSchema, NodeSchemas, node_schema
from nodes import registry
from tests.host.serving import Served, Shared

MANY = 5_000


def model(path: Path, size: int = 4, **texts: str) -> Path:
    """A file of one tensor as a header describes it."""
    tensor = {"dtype": "F16", "shape": [size // 2], "data_offsets": [0, size]}
    header = json.dumps({"__metadata__": texts, "weight": tensor}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    return path


async def files(server: Served, query: str = "") -> dict[str, Any]:
    return await server.ask("GET", f"/api/v1/models/files?{query}", status=200)


def test_schemas_keep_their_tag_when_files_come_and_go(shared: Shared) -> None:
    async def story(server: Served) -> None:
        async def asked(**headers: str) -> tuple[int, str, bytes]:
            async with server.session.get(f"{server.url}/api/v1/nodes", headers=headers) as reply:
                return reply.status, reply.headers["ETag"], await reply.read()

        status, tag, body = await asked()
        assert {item.id for item in NodeSchemas.model_validate_json(body).nodes} >= {"Count", "Show", "Steps"}
        model(server.home / "models" / "loras" / "new.safetensors")
        again = {"If-None-Match": tag}
        assert (status, (await asked(**again))[0]) == (200, 304)
        one = await server.ask("GET", "/api/v1/nodes/Steps", status=200)
        inputs = {item["name"]: item for item in one["inputs"]}
        assert inputs["seconds"]["widget"]["maximum"] == 1000.0 and inputs["count"]["default"] == 5
        assert inputs["value"]["required"] and [item["name"] for item in one["outputs"]] == ["INT"]
        missing = await server.ask("GET", "/api/v1/nodes/Stepz", status=404)
        assert missing["problems"][0]["fix"] == "Did you mean Steps?"

    shared.run(story)


def test_every_standard_node_has_a_schema_without_the_names_of_files() -> None:
    types = registry()
    schemas = [NodeSchema.model_validate(json.loads(json.dumps(node_schema(spec)))) for spec in types]
    assert len(schemas) == len(types) > 200
    loader = next(schema for schema in schemas if schema.id == "CheckpointLoaderSimple")
    assert loader.inputs[0].widget == {"kind": "file", "folder": "checkpoints", "upload": ""}
    assert "darkroom-tiny" not in loader.model_dump_json()


def test_a_model_tells_what_it_is_as_soon_as_that_is_known(shared: Shared) -> None:
    async def story(server: Served) -> None:
        folder = server.home / "models" / "checkpoints" / "sub"
        path = model(folder / "fox.safetensors", modelspec_title="Fox", ssmd_cover_images="x" * 70_000)
        (folder / "broken.ckpt").write_bytes(b"no pickle")
        Image.new("RGB", (2000, 10), "red").save(folder / "fox.preview.png")
        page = await files(server, "kind=checkpoints&search=fox&hash=true&wait=20")
        (found,) = page["models"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (found["name"], found["type"], found["family"]) == ("sub/fox.safetensors", "unknown", None)
        assert (found["hash"], found["pending"]) == (f"sha256:{digest}", False)
        assert found["size"] == path.stat().st_size
        detail = await server.ask("GET", found["preview"].removesuffix("/preview"), status=200)
        assert detail["texts"] == {"modelspec_title": "Fox"}
        async with server.session.get(server.url + found["preview"]) as reply:
            assert (reply.status, reply.content_type) == (200, "image/webp")
            headers = {"If-None-Match": reply.headers["ETag"]}
        async with server.session.get(server.url + found["preview"], headers=headers) as reply:
            assert reply.status == 304
        (broken,) = (await files(server, "search=broken&wait=20"))["models"]
        assert broken["trouble"] and broken["preview"] is None
        kinds = {item["kind"]: item["count"] for item in (await server.ask("GET", "/api/v1/models"))["kinds"]}
        assert kinds["checkpoints"] == 2 and kinds["vae"] == 0
        for name in ("none", "..%2Fx", "sub%2F..%2F..%2Fx", "%2Fetc%2Fpasswd"):
            for more in ("", "/preview"):
                await server.ask("GET", f"/api/v1/models/files/checkpoints/{name}{more}", status=404)

    shared.run(story)


def test_five_thousand_models_are_searched_without_asking_each(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared.home / "models" / "embeddings"
    for number in range(MANY):
        path = folder / f"group{number % 50}" / f"word-{number:04}.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    asked = list[str]()
    stat = os.stat

    def counted(path: Any, *arguments: Any, **more: Any) -> os.stat_result:
        asked.append(str(path))
        return stat(path, *arguments, **more)

    async def story(server: Served) -> None:
        assert (await files(server, "kind=embeddings&limit=1"))["total"] == MANY
        with monkeypatch.context() as counting:
            counting.setattr("os.stat", counted)
            page = await files(server, "kind=embeddings&search=WORD+group7/&offset=50&limit=20")
        assert page["total"] == 100 and len(page["models"]) == 20
        assert [item["name"] for item in page["models"]] == sorted(item["name"] for item in page["models"])
        assert len(asked) < 500, "a folder is asked, and the files on the page"
        (folder / "group7" / "word-new.pt").touch()
        assert (await files(server, "kind=embeddings&search=group7/"))["total"] == 101

    shared.run(story)


def test_facts_are_read_once_and_again_when_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from host.server import model_facts

    path, read = model(tmp_path / "a.safetensors"), list[Path]()
    found = model_facts.read_facts

    def counted(path: Path) -> Any:
        if path.parent == tmp_path:  # the server of the tests above may still read files of its own
            read.append(path)
        return found(path)

    monkeypatch.setattr(model_facts, "read_facts", counted)
    finder = FactFinder(Hashes(tmp_path / "hashes.json"))
    for _ in range(3):
        assert known(finder, path).precision == "fp16"
    model(path, 400)
    known(finder, path)
    assert read == [path, path]
    finder.find_hashes([mark := mark_of(tmp_path / "none") or (tmp_path / "none", 0, 0)])
    until(lambda: not finder.is_busy_with([mark]))
    finder.close()


def known(finder: FactFinder, path: Path) -> Any:
    mark = mark_of(path)
    assert mark
    until(lambda: finder.facts(mark) is not None)
    return finder.facts(mark)


def until(is_so: Any) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_names_beside_models_are_listed_without_reading_folders_again(tmp_path: Path) -> None:
    model(tmp_path / "a.safetensors")
    (tmp_path / "a.png").touch()
    folders = Folders({"loras": (tmp_path,)})
    assert folders.all_names("loras") == {"a.safetensors", "a.png"}
    assert list(folders.names("loras")) == ["a.safetensors"]
