"""/queue, /interrupt and /free: what runs and waits, and stopping it."""

import json
from collections.abc import Sequence
from typing import Any, cast

from aiohttp import web

from compat.server.queue_items import item
from compat.server.replies import both, broken, empty, json_object, told
from compat.server.surroundings import Surroundings, surroundings
from host.jobs.model import Job


def routes() -> list[web.RouteDef]:
    """The routes of the queue."""
    return [
        *both("GET", "/queue", get_queue),
        *both("POST", "/queue", change_queue),
        *both("POST", "/interrupt", interrupt),
        *both("POST", "/free", free),
    ]


async def get_queue(request: web.Request) -> web.StreamResponse:
    """What runs and what waits."""
    around = surroundings(request)
    queue = around.jobs.queue()
    running, pending = await _items(around, queue.running), await _items(around, queue.pending)
    return told({"queue_running": running, "queue_pending": pending})


async def change_queue(request: web.Request) -> web.StreamResponse:
    """Take waiting prompts out: all, or some."""
    jobs, body = surroundings(request).jobs, await json_object(request)
    if body.get("clear"):
        await jobs.clear_pending()
    if ids := listed_ids(body):
        await jobs.delete_pending(ids)
    return empty()


def listed_ids(body: dict[str, Any]) -> list[str]:
    """The ids under `delete`."""
    asked = body.get("delete")
    return [str(id) for id in cast("list[Any]", asked)] if isinstance(asked, list) else []


async def interrupt(request: web.Request) -> web.StreamResponse:
    """Stop what runs, or one prompt if it is running. A body that cannot be read counts as none."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        body = {}
    if not isinstance(body, dict):
        raise broken()
    id = cast("dict[str, Any]", body).get("prompt_id")
    await surroundings(request).jobs.interrupt(str(id) if id else None)
    return empty()


async def free(request: web.Request) -> web.StreamResponse:
    """Let the workers drop models, or models and results, after what runs."""
    body = await json_object(request)
    models, memory = bool(body.get("unload_models")), bool(body.get("free_memory"))
    if models or memory:
        await surroundings(request).jobs.free(unload_models=models or memory, free_memory=memory)
    return empty()


async def _items(around: Surroundings, jobs: Sequence[Job]) -> list[list[Any]]:
    payloads = await around.jobs.payloads([job.id for job in jobs])
    return [item(job, payloads[job.id], around) for job in jobs if job.id in payloads]
