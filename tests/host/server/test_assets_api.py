"""Files that are uploaded, listed, shown small and deleted; settings; the log; the room on disks."""

import asyncio
import json
import logging
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import FormData
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from host.server.assets import AssetDetail
from host.server.serving import set_up_logs
from tests.host.serving import Served, Shared, run, served, shown

NO_WORKER = ("/bin/false",)


def png(size: tuple[int, int] = (40, 20), **texts: str) -> bytes:
    info, file = PngInfo(), BytesIO()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.new("RGB", size, "green").save(file, "png", pnginfo=info)
    return file.getvalue()


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that claims billions of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


async def upload(server: Served, name: str, data: bytes, status: int = 201, query: str = "") -> Any:
    url = f"/api/v1/assets?name={name}{query}"
    async with server.session.post(server.url + url, data=data) as reply:
        assert reply.status == status, await reply.text()
        return await reply.json()


def test_an_upload_is_listed_described_shown_small_and_deleted(shared: Shared) -> None:
    async def story(server: Served) -> None:
        workflow = json.dumps(shown(4))
        (made,) = (await upload(server, "a b.png", png(workflow=workflow), query="&folder=sub"))["assets"]
        assert (made["name"], made["type"]) == ("sub/a b.png", "image/png")
        async with server.session.get(server.url + made["url"]) as reply:
            assert await reply.read() == png(workflow=workflow)
        place = "/api/v1/assets/input/sub%2Fa%20b.png"
        detail = AssetDetail.model_validate(await server.ask("GET", place, status=200))
        assert (detail.width, detail.height, detail.texts) == (40, 20, ["workflow"])
        assert detail.workflow and detail.workflow["nodes"]["load"]["inputs"]["value"] == 4
        async with server.session.get(f"{server.url}{place}/thumbnail?size=16") as reply:
            assert Image.open(BytesIO(await reply.read())).size == (16, 8)
            headers = {"If-None-Match": reply.headers["ETag"]}
        async with server.session.get(f"{server.url}{place}/thumbnail?size=16", headers=headers) as reply:
            assert reply.status == 304
        page = await server.ask("GET", "/api/v1/assets?kind=input&search=SUB/a", status=200)
        assert [item["name"] for item in page["assets"]] == ["sub/a b.png"]
        await server.ask("DELETE", place, status=204)
        await server.ask("GET", place, status=404)
        assert (await server.ask("GET", "/api/v1/assets?kind=input&search=SUB/a"))["total"] == 0

    shared.run(story)


def test_a_name_that_is_taken_gets_a_number_and_the_same_content_none(shared: Shared) -> None:
    async def story(server: Served) -> None:
        async def name(data: bytes, query: str = "") -> str:
            return (await upload(server, "taken.bin", data, query=query))["assets"][0]["name"]

        names = [
            await name(b"one"),
            await name(b"two"),
            await name(b"one"),
            await name(b"3", "&overwrite=true"),
        ]
        assert names == ["taken.bin", "taken (1).bin", "taken.bin", "taken.bin"]
        form = FormData()
        for number in range(3):
            form.add_field("file", bytes([number]) * 300_000, filename=f"part{number}.bin")
        form.add_field("note", "no file")
        async with server.session.post(f"{server.url}/api/v1/assets", data=form) as reply:
            assert reply.status == 201
            assert [item["size"] for item in (await reply.json())["assets"]] == [300_000] * 3
        assert not list((server.home / "input").rglob(".upload-*"))

    shared.run(story)


def test_bombs_broken_forms_and_names_that_lead_elsewhere_are_refused(shared: Shared) -> None:
    async def story(server: Served) -> None:
        told = await upload(server, "bomb.png", bomb(), 400)
        assert told["problems"][0]["code"] == "too_many_pixels"
        (server.home / "output").mkdir(exist_ok=True)
        (server.home / "output" / "bomb.png").write_bytes(bomb())
        (server.home / "output" / "text.png").write_text("no picture")
        for name in ("bomb.png", "text.png"):
            await server.ask("GET", f"/api/v1/assets/output/{name}/thumbnail", status=415)
            assert (await server.ask("GET", f"/api/v1/assets/output/{name}", status=200))["width"] is None
        for name in ("..%2Fx", "%2Fx", "C:x", "nul", "a%2F..%2F..%2Fx", ".x", "", "x" * 300, "%00", "a%2F"):
            await upload(server, name, b"x", 400)
            await upload(server, "x", b"x", 400, f"&folder={name}%2F..")
        url = f"{server.url}/api/v1/assets"
        for body, type in ((b"--x\r\nbroken", "multipart/form-data; boundary=x"), (b"", "multipart/mixed")):
            async with server.session.post(url, data=body, headers={"Content-Type": type}) as reply:
                assert reply.status == 400 and (await reply.json())["problems"]
        assert not (server.home / "x").exists()

    shared.run(story)


def test_an_upload_that_is_too_large_leaves_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, largest_upload=100_000, worker_command=NO_WORKER) as server:
            form = FormData()
            form.add_field("file", bytes(200_000), filename="large.bin")
            async with server.session.post(f"{server.url}/api/v1/assets", data=form) as reply:
                assert reply.status == 413
            await upload(server, "large.bin", bytes(200_000), 413)
            assert list((tmp_path / "input").iterdir()) == []

    run(story())


def test_settings_are_checked_kept_and_given_their_defaults_back(shared: Shared) -> None:
    async def story(server: Served) -> None:
        async def change(values: Any, status: int = 200, **headers: str) -> Any:
            return await server.ask("PATCH", "/api/v1/settings", {"values": values}, status, headers=headers)

        first = await server.ask("GET", "/api/v1/settings", status=200)
        assert first["values"]["theme"] == "system" and first["changed"] == []
        await change({"theme": "dark", "extra": {"editor.zoom": 2, "b": 1}})
        told = await change({"extra": {"b": None}, "autosave": 0})
        assert told["values"]["extra"] == {"editor.zoom": 2}
        assert told["changed"] == ["autosave", "extra", "theme"]
        for wrong in ({"theme": "pink"}, {"colour": 1}, {"autosave": -1}, {"extra": 3}):
            assert (await change(wrong, 400))["problems"][0]["fix"]
        await change({"extra": {"x": "y" * 2**18}}, 413)
        await change({"theme": "light"}, 412, **{"If-Match": '"old"'})
        assert (await change({"theme": None}))["values"]["theme"] == "system"
        file = server.home / "user" / "default" / "darkroom.settings.json"
        file.write_text('{"autosave": "soon", "snap": 10}')
        kept = await server.ask("GET", "/api/v1/settings", status=200)
        assert (kept["values"]["autosave"], kept["values"]["snap"]) == (5.0, 10)
        schema = await server.ask("GET", "/api/v1/settings/schema", status=200)
        assert set(schema["properties"]) == set(kept["values"])

    shared.run(story)


def test_each_user_has_settings_and_workflows_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "users.json").write_text('{"ann_1": "Ann", "bob_2": "Bob"}')

    async def story() -> None:
        async with served(tmp_path, multi_user=True, worker_command=NO_WORKER) as server:
            ann, bob = {"comfy-user": "ann_1"}, {"comfy-user": "bob_2"}
            await server.ask("PUT", "/api/v1/workflows/w", shown(1), 200, headers=ann)
            assert (await server.ask("GET", "/api/v1/workflows", status=200, headers=ann))["total"] == 1
            assert (await server.ask("GET", "/api/v1/workflows", status=200, headers=bob))["total"] == 0
            for who in ({}, {"comfy-user": "eve"}, {"comfy-user": "../x"}):
                await server.ask("GET", "/api/v1/workflows", status=403, headers=who)

    run(story())


def test_the_log_tells_its_last_lines_and_no_secrets(tmp_path: Path) -> None:
    async def story() -> None:
        tokens = {"hidden-word": "admin"}
        headers = {"Authorization": "Bearer hidden-word"}
        async with served(
            tmp_path, tokens=tokens, webhook_secret="hook-word", worker_command=NO_WORKER
        ) as server:
            log = logging.getLogger("darkroom.test")
            log.warning("The token is hidden-word.", extra={"job": "j1"})
            try:
                raise ValueError("a trace with hook-word")
            except ValueError:
                log.exception("It failed.")
            lines = (await server.ask("GET", "/api/v1/logs?job=j1", headers=headers, status=200))["lines"]
            assert [(line["message"], line["level"]) for line in lines] == [("The token is •••.", "warning")]
            every = (await server.ask("GET", "/api/v1/logs?level=error", headers=headers, status=200))[
                "lines"
            ]
            assert "a trace with •••" in every[-1]["message"]
            last = every[-1]["number"]
            await asyncio.sleep(0)
            after = await server.ask("GET", f"/api/v1/logs?after={last}", headers=headers, status=200)
            assert all(line["number"] > last for line in after["lines"])

    run(story())


def test_what_is_written_to_the_terminal_holds_no_secrets(capfd: Any) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logs(True, ("hidden-word",))
        try:
            raise ValueError("hidden-word in a trace")
        except ValueError:
            logging.getLogger("darkroom.test").exception("hidden-word in %s", "a hidden-word")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    written = capfd.readouterr().err
    assert "hidden-word" not in written and written.count("•••") == 4
    assert json.loads(written.splitlines()[-1])["trace"]


def test_plugins_and_the_room_on_disks_are_told(shared: Shared) -> None:
    async def story(server: Served) -> None:
        assert await server.ask("GET", "/api/v1/plugins", status=200) == {"plugins": [], "clashes": []}
        places = {
            item["name"]: item for item in (await server.ask("GET", "/api/v1/system/storage"))["places"]
        }
        assert places["user"]["used"] > 0 and places["user"]["free"] > 0
        assert set(places) == {"input", "output", "temp", "cache", "user"}

    shared.run(story)
