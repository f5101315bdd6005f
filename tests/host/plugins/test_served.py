"""Plugins of ours in a server with its own worker: routes, failures at call, loading again."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server import SERVICES
from tests.host.documents import document, node
from tests.host.plugins.native_packs import DIM, Shelf
from tests.host.serving import Served, run, served

WORKER: tuple[str, ...] = ()
DEADLY = """
    from graph.node import node

    @node("Deadly", output=True)
    def deadly(value: int = 1) -> None:
        \"\"\"Ends the process.\"\"\"
        import ctypes
        ctypes.string_at(0)
"""
POLITE = """
    from host.plugins.hookspecs import hook

    @hook
    def register_routes(routes):
        from aiohttp import web

        @routes.get("/hello")
        async def hello(request):
            return web.json_response({"hello": request.query.get("name", "you")})
"""


async def ready(server: Served, name: str, seconds: float = 100.0) -> dict[str, Any]:
    """What is told of a plugin, once a worker has loaded it."""
    async with asyncio.timeout(seconds):
        while True:
            told = await server.ask("GET", "/api/v1/plugins", status=200)
            found = {item["name"]: item for item in told["plugins"]}
            if name in found and found[name]["state"] not in ("waiting", "disabled"):
                return found[name]
            await asyncio.sleep(0.1)


@pytest.mark.timeout(400)
def test_routes_answer_through_the_server_and_a_node_that_ends_the_process_is_named_with_its_plugin(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path)
    shelf.plugin("polite", hooks=POLITE, nodes=DIM.format("Dim"))
    shelf.plugin("lethal", nodes=DEADLY)
    shelf.plugin("crash", nodes="from graph.node import node\nimport ctypes\nctypes.string_at(0)")

    async def story() -> None:
        async with served(tmp_path, SERVICES, worker_command=WORKER, silence=90.0, dev=True) as server:
            assert (await ready(server, "polite"))["state"] == "loaded"
            crashed = await ready(server, "crash")
            assert crashed["state"] == "crashed" and "ended the whole process" in crashed["message"]
            told = await server.ask("GET", "/plugins/polite/hello?name=you", status=200)
            assert told == {"hello": "you"}
            job = await server.post(document({"a": node("Deadly", value=1)}))
            ended = await server.ended(job["id"], 100.0)
            assert ended["state"] == "failed"
            assert "in node a of plugin lethal" in ended["error"]["message"]
            shelf.plugin("late", nodes=DIM.format("Late"))
            assert (await ready(server, "late"))["nodes"] == ["Late"]
            assert (await server.ask("GET", "/api/v1/nodes/Late", status=200))["id"] == "late/Late"

    run(story(), 400.0)
