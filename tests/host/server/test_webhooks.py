"""Webhooks: called at a job's end, signed, and tried again."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import host.server.webhooks as webhooks
from tests.host.serving import run, served, shown


def test_a_webhook_is_signed_and_tried_again_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks.Webhooks.__init__, "__defaults__", ((0.01, 0.01),))
    calls: list[tuple[str, bytes]] = []
    heard = asyncio.Event()

    async def hear(request: web.Request) -> web.Response:
        calls.append((request.headers[webhooks.SIGNATURE], await request.read()))
        if len(calls) < 3:
            return web.Response(status=500)
        heard.set()
        return web.Response()

    async def story() -> None:
        app = web.Application()
        app.router.add_post("/hook", hear)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with served(tmp_path, webhook_secret="s3cret") as server:
            await server.post({**shown(1)}, status=400, webhook="file:///etc/passwd")
            job = await server.run(shown(1), webhook=f"http://127.0.0.1:{port}/hook")
            await asyncio.wait_for(heard.wait(), 10)
        await runner.cleanup()
        signature, body = calls[-1]
        assert signature == f"sha256={hmac.new(b's3cret', body, hashlib.sha256).hexdigest()}"
        told: dict[str, Any] = json.loads(body)
        assert (told["job"]["id"], told["event"]["data"]["state"]) == (job["id"], "done")
        assert len({body for _, body in calls}) == 1

    run(story())
