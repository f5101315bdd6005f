"""Plugins of ours in a server with its own worker: routes, failures at call, loading again."""

import asyncio
from collections.abc import Callable
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


PICKY = """
    import time
    from typing import Annotated
    from graph.node import node
    from graph.spec import Number
    from nodes.sockets import Image

    def even(n):
        while n == 99:
            time.sleep(0.1)
        return "" if n % 2 == 0 else "n must be even."

    def small(known):
        return {"IMAGE": {"width": known.values["n"], "height": 8}}

    @node("Picky", output=True, check=even, infer=small)
    def picky(n: Annotated[int, Number(0, 1000)] = 2) -> Image:
        \"\"\"Takes even numbers.\"\"\"
"""


@pytest.mark.timeout(400)
def test_a_plugins_own_check_speaks_while_a_workflow_is_edited_and_one_that_never_ends_is_left_out(
    tmp_path: Path,
) -> None:
    Shelf(tmp_path).plugin("fussy", nodes=PICKY)

    async def story() -> None:
        async with served(tmp_path, SERVICES, worker_command=WORKER, silence=90.0) as server:

            def posted(n: int) -> dict[str, Any]:
                return {"workflow": document({"a": node("Picky", n=n)})}

            async def verdict(n: int) -> dict[str, Any]:
                return await server.ask(
                    "POST", "/api/v1/workflows/validate", posted(n)["workflow"], status=200
                )

            async def until(holds: Callable[[dict[str, Any]], object], n: int) -> dict[str, Any]:
                """On a busy machine the worker may be late, and is then left out."""
                async with asyncio.timeout(60.0):
                    while not holds(found := await verdict(n)):
                        await asyncio.sleep(0.1)
                return found

            await ready(server, "fussy")
            right = await until(lambda found: found["facts"], 4)
            assert right["valid"] and right["facts"]["a"]["IMAGE"] == {"width": 4, "height": 8}
            wrong = await until(lambda found: found["problems"], 3)
            assert [(item["code"], item["node"]) for item in wrong["problems"]] == [("refused_values", "a")]
            assert wrong["problems"][0]["message"].endswith("n must be even.") and not wrong["valid"]
            async with asyncio.timeout(60.0):
                while "problems" not in (told := await server.ask("POST", "/api/v1/jobs", posted(3))):
                    await asyncio.sleep(0.1)
            assert told["problems"] == wrong["problems"]
            left_out = await verdict(99)
            assert left_out["valid"] and not left_out["facts"]
            beyond = await verdict(5000)
            assert {item["code"] for item in beyond["problems"]} == {"too_large"}

    run(story(), 400.0)
