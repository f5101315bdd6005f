"""The editor at /: served where it is built, and one command where it is not."""

from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from host.server.editor_page import COMMAND, routes
from tests.host.serving import run


def built_in(folder: Path) -> Path:
    (folder / "editor").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Editor</title>", "utf-8")
    (folder / "editor" / "index-1a2b.js").write_text("export {};", "utf-8")
    return folder


async def client_of(built: Path) -> "TestClient[Request, Application]":
    app = Application()
    app.add_routes(routes(built))
    client = TestClient[Request, Application](TestServer(app))
    await client.start_server()
    return client


async def got(client: "TestClient[Request, Application]", path: str) -> tuple[aiohttp.ClientResponse, str]:
    reply = await client.get(path)
    return reply, await reply.text()


def test_the_page_runs_only_what_this_server_serves(tmp_path: Path) -> None:
    async def story() -> None:
        client = await client_of(built_in(tmp_path / "dist"))
        reply, text = await got(client, "/")
        assert reply.status == 200 and "Editor" in text
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Cache-Control"] == "no-cache"
        await client.close()

    run(story())


def test_files_with_a_digest_in_their_name_are_kept_for_ever(tmp_path: Path) -> None:
    async def story() -> None:
        client = await client_of(built_in(tmp_path / "dist"))
        reply, text = await got(client, "/editor/index-1a2b.js")
        assert (reply.status, text) == (200, "export {};")
        assert "immutable" in reply.headers["Cache-Control"]
        await client.close()

    run(story())


def test_nothing_outside_the_editor_is_served(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", "utf-8")

    async def story() -> None:
        client = await client_of(built_in(tmp_path / "dist"))
        for path in ("/editor/%2e%2e/%2e%2e/secret.txt", "/editor/../index.html", "/editor/none.js"):
            reply, text = await got(client, path)
            assert "secret" not in text and (reply.status == 404 or "Editor" in text)
        await client.close()

    run(story())


def test_without_a_build_the_page_says_the_one_command(tmp_path: Path) -> None:
    async def story() -> None:
        client = await client_of(tmp_path / "dist")
        reply, text = await got(client, "/")
        assert reply.status == 503 and COMMAND in text
        await client.close()

    run(story())
