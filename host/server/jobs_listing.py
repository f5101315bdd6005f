"""Routes that look at jobs."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from graph.document_json import write_workflow
from host.jobs.model import ENDED, STATES, HistoryQuery, Job, JobState, Output
from host.jobs.service import UnknownJob
from host.server.jobs_json import job_json, output_json, record_json
from host.server.keys import FOLDERS, JOBS
from host.server.routing import query_of, route, told
from host.server.shapes import JobDetail, JobsPage, JobsQuery


@route("GET", "/jobs", "List jobs, the newest first", query=JobsQuery, reply=JobsPage)
async def list_jobs(request: web.Request) -> web.StreamResponse:
    """Jobs that wait and run come before those that ended."""
    query, jobs = query_of(request, JobsQuery), request.app[JOBS]
    states = tuple(query.state) or STATES
    queue = jobs.queue()
    active = [job for job in (*queue.running, *queue.pending) if _fits(job, query, states)]
    chosen = active[query.offset : query.offset + query.limit]
    wanted: tuple[JobState, ...] = tuple(state for state in states if state in ENDED)
    total = len(active)
    if wanted:
        page = await jobs.history(
            HistoryQuery(
                max(query.limit - len(chosen), 0),
                max(query.offset - len(active), 0),
                newest_first=True,
                search=query.search,
                states=wanted,
                client_id=query.client_id,
            )
        )
        chosen += page.jobs
        total += page.total
    return told(
        {
            "jobs": await _listed(request, chosen) if query.outputs else [job_json(job) for job in chosen],
            "total": total,
            "remaining": jobs.remaining(),
            "queue_paused": jobs.queue_paused,
        }
    )


async def _listed(request: web.Request, chosen: Sequence[Job]) -> list[dict[str, Any]]:
    outputs, folders = await request.app[JOBS].outputs([job.id for job in chosen]), request.app[FOLDERS]

    def shown(output: Output) -> dict[str, Any]:
        told = output_json(output)
        return {**told, "files": [file for file in told["files"] if folders.find(file["kind"], file["name"])]}

    def listed() -> list[dict[str, Any]]:
        return [
            {**job_json(job), "outputs": [shown(item) for item in outputs.get(job.id, ())]} for job in chosen
        ]

    return await asyncio.to_thread(listed)


def _fits(job: Job, query: JobsQuery, states: tuple[str, ...]) -> bool:
    words = f"{job.id} {job.title} {job.client_id} {' '.join(job.models)}".lower()
    return (
        job.state in states
        and query.client_id in ("", job.client_id)
        and all(word in words for word in query.search.lower().split())
    )


@route("GET", "/jobs/{id}", "One job with its outputs and the time of each node", reply=JobDetail)
async def get_job(request: web.Request) -> web.StreamResponse:
    """All that is kept of it but its events."""
    return told(await job_detail(request, request.match_info["id"]))


async def job_detail(request: web.Request, id: str) -> dict[str, object]:
    """A job as `JobDetail`. Raises UnknownJob."""
    records = await request.app[JOBS].records([id])
    if not records:
        raise UnknownJob(f"There is no job {id[:80]}.")
    return record_json(records[0])


@route("GET", "/jobs/{id}/workflow", "The workflow of a job, in our format")
async def get_job_workflow(request: web.Request) -> web.StreamResponse:
    """As it was handed in."""
    id = request.match_info["id"]
    payload = (await request.app[JOBS].payloads([id])).get(id)
    if payload is None:
        raise UnknownJob(f"There is no job {id[:80]}.")
    return told(json.loads(write_workflow(payload.workflow)))
