"""Routes that hand in jobs and change them."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from graph.document import Workflow
from graph.editing import set_input
from graph.formats import read_any
from graph.problems import Problem, WorkflowError
from host.jobs.model import Job, NumberedEvent, Payload, Submission
from host.server.jobs_json import job_json
from host.server.jobs_listing import job_detail
from host.server.keys import JOBS, SERVICES, TYPES
from host.server.problems_json import problem_json
from host.server.routing import body_of, query_of, route, told
from host.server.shapes import CancelQuery, Count, JobDetail, JobShape, Move, NewJob, QueuePause, WaitQuery
from host.server.whole_checks import check_whole

_HEADER = "Idempotency-Key"


@route(
    "POST",
    "/jobs",
    "Hand in a job",
    "runner",
    body=NewJob,
    query=WaitQuery,
    reply=JobDetail,
    status=201,
    replies={
        202: "It has not ended within `timeout`.",
        400: "The workflow cannot run; every problem is named.",
    },
)
async def create_job(request: web.Request) -> web.StreamResponse:
    """The job is stored when this answers. With `wait`, it has ended then."""
    asked, query = await body_of(request, NewJob), query_of(request, WaitQuery)
    workflow = await asyncio.to_thread(_wanted, request, asked)
    verdict = await check_whole(request.app, workflow, asked.targets)
    if not verdict.is_valid:
        raise WorkflowError(verdict.problems)
    submission = Submission(
        Payload(
            workflow,
            None if asked.targets is None else tuple(asked.targets),
            _texts(asked, workflow),
            asked.extra,
        ),
        client_id=asked.client_id,
        priority=asked.priority,
        front=asked.front,
        paused=asked.paused,
        title=asked.title,
        idempotency_key=asked.idempotency_key or request.headers.get(_HEADER, ""),
        webhook=_address(asked.webhook),
    )
    job = await request.app[JOBS].submit(submission)
    told_warnings = [problem_json(item) for item in verdict.problems]
    if not query.wait:
        detail: dict[str, Any] = {**job_json(job), "outputs": [], "nodes": [], "extra": asked.extra}
        return told({**detail, "warnings": told_warnings}, 201, {"Location": f"/api/v1/jobs/{job.id}"})
    ended = await _ended(request, job.id, query.timeout)
    return told({**await job_detail(request, job.id), "warnings": told_warnings}, 201 if ended else 202)


def _wanted(request: web.Request, asked: NewJob) -> Workflow:
    """The workflow as it is to run. Raises WorkflowError."""
    app = request.app
    types = app[TYPES]()
    workflow = read_any(asked.workflow, app[SERVICES].formats(), types, "The workflow")
    for address, value in asked.set.items():
        workflow = set_input(workflow, types, address, _as_text(value))
    return workflow


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _texts(asked: NewJob, workflow: Workflow) -> dict[str, Any]:
    """What pictures carry of a foreign workflow that runs as it was sent: the document itself."""
    if not workflow.imported or asked.set:
        return {}
    return {"workflow" if "nodes" in asked.workflow else "prompt": asked.workflow}


def _address(webhook: str) -> str:
    if webhook and urlsplit(webhook).scheme not in ("http", "https"):
        fix = "Give an http or https address."
        raise WorkflowError([Problem("bad_webhook", f"{webhook[:80]} is no address to call.", fix=fix)])
    return webhook


async def _ended(request: web.Request, id: str, seconds: float) -> bool:
    """Wait for a job's end; whether it came in time."""
    jobs, ended = request.app[JOBS], asyncio.Event()

    def listen(live: object) -> None:
        if isinstance(live, NumberedEvent) and live.job_id == id and live.kind == "finished":
            ended.set()

    stop = jobs.subscribe(listen)
    try:
        job = await jobs.get(id)
        if job is not None and not job.is_over:
            await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        stop()
    return True


def _told(job: Job) -> web.Response:
    return told(job_json(job))


@route("POST", "/jobs/{id}/cancel", "Cancel a job", "runner", query=CancelQuery, reply=JobShape)
async def cancel_job(request: web.Request) -> web.StreamResponse:
    """One that waits never starts; one that runs stops within a step."""
    reason = query_of(request, CancelQuery).reason
    return _told(await request.app[JOBS].cancel(request.match_info["id"], reason))


@route("POST", "/jobs/{id}/pause", "Hold a job", "runner", reply=JobShape)
async def pause_job(request: web.Request) -> web.StreamResponse:
    """One that runs stops within a step; what it finished is kept."""
    return _told(await request.app[JOBS].pause(request.match_info["id"]))


@route("POST", "/jobs/{id}/resume", "Let a paused job go on", "runner", reply=JobShape)
async def resume_job(request: web.Request) -> web.StreamResponse:
    """It waits for a worker again."""
    return _told(await request.app[JOBS].resume(request.match_info["id"]))


@route(
    "POST", "/jobs/{id}/retry", "Run an ended job again, as a new one", "runner", reply=JobShape, status=201
)
async def retry_job(request: web.Request) -> web.StreamResponse:
    """A new job with the same workflow."""
    return told(job_json(await request.app[JOBS].retry(request.match_info["id"])), 201)


@route("POST", "/jobs/{id}/duplicate", "Run the same once more", "runner", reply=JobShape, status=201)
async def duplicate_job(request: web.Request) -> web.StreamResponse:
    """A new job with the same workflow, whatever the state of the old one."""
    return told(job_json(await request.app[JOBS].duplicate(request.match_info["id"])), 201)


@route("POST", "/jobs/{id}/move", "Give a waiting job another place", "runner", body=Move, reply=JobShape)
async def move_job(request: web.Request) -> web.StreamResponse:
    """Before or after another job, first of all, or with another priority."""
    asked = await body_of(request, Move)
    moved = await request.app[JOBS].move(
        request.match_info["id"], before=asked.before, after=asked.after, priority=asked.priority
    )
    return _told(moved)


@route("DELETE", "/jobs/{id}", "Forget a job that waits or has ended", "runner", reply=Count)
async def delete_job(request: web.Request) -> web.StreamResponse:
    """Its pictures stay. One that runs must be cancelled first."""
    jobs, id = request.app[JOBS], request.match_info["id"]
    return told({"count": await jobs.delete_pending([id]) + await jobs.delete_history([id])})


@route("POST", "/queue/pause", "Start no more jobs", "editor", body=QueuePause, reply=Count)
async def pause_queue(request: web.Request) -> web.StreamResponse:
    """Those that run finish, or are paused too."""
    await request.app[JOBS].pause_queue((await body_of(request, QueuePause)).after_running)
    return told({"count": request.app[JOBS].remaining()})


@route("POST", "/queue/resume", "Start jobs again", "editor", reply=Count)
async def resume_queue(request: web.Request) -> web.StreamResponse:
    """Gives how many run or wait."""
    await request.app[JOBS].resume_queue()
    return told({"count": request.app[JOBS].remaining()})


@route("POST", "/queue/clear", "Forget all jobs that wait", "editor", reply=Count)
async def clear_queue(request: web.Request) -> web.StreamResponse:
    """Gives how many went."""
    return told({"count": await request.app[JOBS].clear_pending()})


@route("POST", "/history/clear", "Forget all jobs that ended", "editor", reply=Count)
async def clear_history(request: web.Request) -> web.StreamResponse:
    """Their pictures stay. Gives how many went."""
    return told({"count": await request.app[JOBS].clear_history()})
