"""Routes that follow jobs: as JSON, as server-sent events, over a WebSocket; live and from any event on."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Final

from aiohttp import WSMsgType, web

from host.jobs.model import Live, NumberedEvent, Preview, QueueChanged, WorkerMessage
from host.jobs.service import UnknownJob
from host.server.hub import TooSlow
from host.server.jobs_json import event_json
from host.server.keys import HUB, JOBS
from host.server.routing import query_of, route, told
from host.server.shapes import EventsPage, EventsQuery

HEARTBEAT: Final = 20.0
"""Seconds between signs of life on a stream with nothing to say."""
TRY_AGAIN: Final = 1013
"""The code a WebSocket is closed with when its client is too slow."""
_STREAM: Final = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


@route("GET", "/jobs/{id}/events", "The events of a job up to now", query=EventsQuery, reply=EventsPage)
async def list_events(request: web.Request) -> web.StreamResponse:
    """From event `number` on."""
    number = query_of(request, EventsQuery).number
    found = await request.app[JOBS].events_from(request.match_info["id"], number)
    return told({"events": [event_json(event) for event in found]})


@route(
    "GET",
    "/jobs/{id}/events/stream",
    "The events of a job as server-sent events, to its end",
    query=EventsQuery,
    media="text/event-stream",
)
async def stream_events(request: web.Request) -> web.StreamResponse:
    """From event `number` on; a client that comes back goes on after its `Last-Event-ID`."""
    id, number = await _followed(request)
    last = request.headers.get("Last-Event-ID", "")
    if last.isascii() and last.isdigit():
        number = int(last[:18]) + 1
    return await _stream(request, request.app[HUB].follow(id, number))


@route("GET", "/events/stream", "Everything that happens, as server-sent events", media="text/event-stream")
async def stream_all(request: web.Request) -> web.StreamResponse:
    """All jobs' events from now on, and changes of the queue."""
    return await _stream(request, request.app[HUB].follow_all())


@route(
    "GET",
    "/jobs/{id}/events/socket",
    "The events of a job over a WebSocket, to its end",
    query=EventsQuery,
    status=101,
)
async def follow_job(request: web.Request) -> web.StreamResponse:
    """From event `number` on. A preview is told of in a text frame and follows in a binary one."""
    id, number = await _followed(request)
    return await _socket(request, request.app[HUB].follow(id, number))


@route("GET", "/events/socket", "Everything that happens, over a WebSocket", status=101)
async def follow_all(request: web.Request) -> web.StreamResponse:
    """All jobs' events from now on, previews, and changes of the queue."""
    return await _socket(request, request.app[HUB].follow_all())


async def _followed(request: web.Request) -> tuple[str, int]:
    id = request.match_info["id"]
    if await request.app[JOBS].get(id) is None:
        raise UnknownJob(f"There is no job {id[:80]}.")
    return id, query_of(request, EventsQuery).number


def live_json(live: Live) -> dict[str, Any]:
    """Anything that is told, as JSON; of a preview all but the picture."""
    match live:
        case NumberedEvent():
            return event_json(live)
        case Preview():
            return {
                "job": live.job_id,
                "kind": "preview",
                "data": {"node": live.node, "display_node": live.display_node, "type": live.type},
            }
        case QueueChanged(remaining):
            return {"kind": "queue", "data": {"remaining": remaining}}
        case WorkerMessage(name, data, client_id):
            return {"kind": "message", "data": {"name": name, "data": data, "client_id": client_id}}


async def _stream(request: web.Request, source: AsyncIterator[Live]) -> web.StreamResponse:
    response = web.StreamResponse(headers=_STREAM)
    await response.prepare(request)
    with suppress(ConnectionResetError, TooSlow):
        async with aclosing(_with_pauses(source)) as lives:
            async for live in lives:
                await response.write(_sse(live))
        await response.write_eof()
    return response


def _sse(live: Live | None) -> bytes:
    if live is None:
        return b": still here\n\n"
    if isinstance(live, Preview):
        return b""
    number = f"id: {live.number}\n" if isinstance(live, NumberedEvent) else ""
    return f"{number}data: {json.dumps(live_json(live))}\n\n".encode()


async def _with_pauses(source: AsyncIterator[Live]) -> AsyncGenerator[Live | None]:
    """What a source gives, and None whenever it has been silent for a while."""
    following = asyncio.ensure_future(anext(source, None))
    try:
        while True:
            done, _ = await asyncio.wait([following], timeout=HEARTBEAT)
            if not done:
                yield None
                continue
            live = following.result()
            if live is None:
                return
            yield live
            following = asyncio.ensure_future(anext(source, None))
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError, TooSlow):
            await following


async def _socket(request: web.Request, source: AsyncIterator[Live]) -> web.StreamResponse:
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=1 << 16)
    await socket.prepare(request)
    sending = asyncio.create_task(_send_all(socket, source))
    try:
        async for message in socket:  # what a client says is not asked for, but its going is noticed here
            if message.type is WSMsgType.ERROR:
                break
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
    return socket


async def _send_all(socket: web.WebSocketResponse, source: AsyncIterator[Live]) -> None:
    with suppress(ConnectionResetError):
        try:
            async for live in source:
                await socket.send_str(json.dumps(live_json(live)))
                if isinstance(live, Preview):
                    await socket.send_bytes(live.data)
            await socket.close()
        except TooSlow:
            await socket.close(code=TRY_AGAIN, message=b"too slow")
