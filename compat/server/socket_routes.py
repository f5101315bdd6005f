"""/ws: the events of prompts, as they happen."""

from typing import Final
from uuid import uuid4

from aiohttp import web

from compat.server.frames import text_frame
from compat.server.live import LIVE
from compat.server.replies import both
from compat.server.sockets import Socket
from compat.server.surroundings import surroundings
from compat.server.system import feature_flags

_LARGEST: Final = 2**20
_GOODBYE: Final = 0.5
"""Seconds that a client has to answer when the server closes."""


def routes() -> list[web.RouteDef]:
    """The route of sockets."""
    return both("GET", "/ws", open_socket)


async def open_socket(request: web.Request) -> web.StreamResponse:
    """Serve one client until it goes."""
    connection = web.WebSocketResponse(timeout=_GOODBYE, max_msg_size=_LARGEST, compress=False)
    if not connection.can_prepare(request):
        raise web.HTTPBadRequest(text="This is a WebSocket: connect with one.")
    await connection.prepare(request)
    live, settings = request.app[LIVE], surroundings(request).settings
    socket = Socket(request.query.get("clientId", "") or uuid4().hex, connection)
    live.welcome(socket)
    try:
        await socket.serve(lambda _flags: text_frame("feature_flags", feature_flags(settings)))
    finally:
        live.sockets.remove(socket)
    return connection
