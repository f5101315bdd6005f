"""Routes about the server itself: health, metrics, devices, memory."""

import platform

import psutil
from aiohttp import web

from host.server.keys import JOBS, METRICS
from host.server.metrics import MEDIA
from host.server.routing import body_of, route, told
from host.server.shapes import Free, Health, System
from host.versions import darkroom_version


@route("GET", "//healthz", "Whether the server answers", reply=Health)
async def get_health(request: web.Request) -> web.StreamResponse:
    """Always, if this does."""
    return told({"ok": True, "why": ""})


@route(
    "GET",
    "//readyz",
    "Whether jobs can be handed in and run",
    reply=Health,
    replies={503: "No worker is ready, or jobs cannot be stored."},
)
async def get_readiness(request: web.Request) -> web.StreamResponse:
    """Says what is missing."""
    jobs = request.app[JOBS]
    why = jobs.trouble
    if not why and not any(worker.state in ("idle", "busy") for worker in jobs.workers()):
        why = "No worker is ready yet."
    return told({"ok": not why, "why": why}, 503 if why else 200)


@route("GET", "//metrics", "Counters for Prometheus", media=MEDIA)
async def get_metrics(request: web.Request) -> web.StreamResponse:
    """In its text format."""
    return web.Response(text=request.app[METRICS].text(), content_type=MEDIA)


@route("GET", "/system", "Devices, memory, workers and what they keep", reply=System)
async def get_system(request: web.Request) -> web.StreamResponse:
    """Bytes everywhere."""
    jobs, memory = request.app[JOBS], psutil.virtual_memory()
    counts = await jobs.count_states()
    return told(
        {
            "version": darkroom_version(),
            "python": platform.python_version(),
            "os": platform.platform(),
            "memory_total": memory.total,
            "memory_free": memory.available,
            "server_memory": psutil.Process().memory_info().rss,
            "workers": [
                {
                    "device": worker.device,
                    "state": worker.state,
                    "pid": worker.pid,
                    "job": worker.job_id,
                    "restarts": worker.restarts,
                    "memory": worker.rss,
                    "facts": dict(worker.facts),
                    "cache": dict(worker.cache),
                }
                for worker in jobs.workers()
            ],
            "jobs": dict(counts),
            "trouble": jobs.trouble,
        }
    )


@route("POST", "/system/free", "Let go of models and results in memory", "runner", body=Free, status=202)
async def free_memory(request: web.Request) -> web.StreamResponse:
    """Each worker does it after its current job."""
    asked = await body_of(request, Free)
    await request.app[JOBS].free(asked.unload_models, asked.free_memory)
    return told({}, 202)
