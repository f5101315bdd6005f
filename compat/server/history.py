"""/history: what ended, with what it showed and how it went."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from compat.server.queue_items import item
from compat.server.queue_routes import listed_ids
from compat.server.replies import both, empty, json_object, told
from compat.server.story import JobStory
from compat.server.surroundings import Surroundings, surroundings
from host.jobs.model import HistoryQuery, Job, JobRecord

_TRIES: Final = 100
_BETWEEN: Final = 0.01


def routes() -> list[web.RouteDef]:
    """The routes of the history."""
    return [
        *both("GET", "/history", list_history),
        *both("GET", "/history/{id}", one_entry),
        *both("POST", "/history", change_history),
    ]


async def list_history(request: web.Request) -> web.StreamResponse:
    """Ended prompts in the order they ended: all, the newest few, or some from an offset on."""
    around = surroundings(request)
    most, offset = _whole(request, "max_items"), _whole(request, "offset")
    return told(await _entries(around, await _page(around, most, offset)))


async def one_entry(request: web.Request) -> web.StreamResponse:
    """One prompt, if it has ended."""
    around = surroundings(request)
    job = await around.jobs.get(request.match_info["id"])
    if job is None or not job.is_over:
        return told({})
    found = await _entries(around, [job])
    for _ in range(_TRIES):
        if found:
            break
        await asyncio.sleep(_BETWEEN)  # it has ended and is being written
        found = await _entries(around, [job])
    return told(found)


async def change_history(request: web.Request) -> web.StreamResponse:
    """Forget all, or some."""
    jobs, body = surroundings(request).jobs, await json_object(request)
    if body.get("clear"):
        await jobs.clear_history()
    if ids := listed_ids(body):
        await jobs.delete_history(ids)
    return empty()


def _whole(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    try:
        return None if text is None else max(int(text), -1)
    except ValueError:
        raise web.HTTPBadRequest(text=f"{name} must be a whole number.") from None


async def _page(around: Surroundings, most: int | None, offset: int | None) -> Sequence[Job]:
    if most is not None and most <= 0:
        return ()
    if offset is None or offset < 0:
        newest = await around.jobs.history(HistoryQuery(most, newest_first=True))
        return newest.jobs[::-1]
    return (await around.jobs.history(HistoryQuery(most, offset))).jobs


async def _entries(around: Surroundings, jobs: Sequence[Job]) -> dict[str, Any]:
    """Entries by id. Only of failed ones are the events read, for what went wrong."""
    plain = await around.jobs.records([job.id for job in jobs if job.state != "failed"])
    failed = await around.jobs.records([job.id for job in jobs if job.state == "failed"], events=True)
    records = {record.job.id: record for record in (*plain, *failed)}
    ended = (records[job.id] for job in jobs if job.id in records)
    return {record.job.id: entry(record, around) for record in ended if record.job.is_over}


def entry(record: JobRecord, around: Surroundings) -> dict[str, Any]:
    """One entry of the history."""
    story = JobStory.of_record(record)
    outputs = {output.node: dict(output.ui) for output in record.outputs}
    return {
        "prompt": item(record.job, record.payload, around),
        "outputs": outputs,
        "status": _status(record, story),
        "meta": {node: _meta(story.place(node, shown)) for node, shown in _shown(record).items()},
    }


def _shown(record: JobRecord) -> Mapping[str, str]:
    return {output.node: output.display_node for output in record.outputs}


def _meta(place: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        "node_id": place["node_id"],
        "display_node": place["display_node_id"],
        "parent_node": place["parent_node_id"],
        "real_node_id": place["real_node_id"],
    }


def _status(record: JobRecord, story: JobStory) -> dict[str, Any]:
    done = record.job.state == "done"
    messages = [[message.type, dict(message.data)] for message in story.messages_of_record(record)]
    return {"status_str": "success" if done else "error", "completed": done, "messages": messages}
