"""The open WebSockets: by client, each with its own line of frames to send."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from aiohttp import WSCloseCode, WSMsgType, web

from compat.server.frames import text_frame

MOST_WAITING: Final = 10_000
"""Frames that a client may be behind before it is let go."""
_LARGEST: Final = 2**20
_PREVIEW_FACTS: Final = "supports_preview_metadata"

Frame = str | bytes


class Socket:
    """One open WebSocket. Frames are put in line at once and sent by a task of its own."""

    __slots__ = ("_line", "_task", "_web", "flags", "id")

    def __init__(self, id: str, connection: web.WebSocketResponse) -> None:
        self.id = id
        self.flags: Mapping[str, Any] = {}
        self._web = connection
        self._line = asyncio.Queue[Frame](MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    @property
    def wants_facts(self) -> bool:
        """Whether previews come with the node they belong to."""
        return bool(self.flags.get(_PREVIEW_FACTS))

    def send(self, frame: Frame) -> None:
        """Put a frame in line; a client too far behind is let go."""
        try:
            self._line.put_nowait(frame)
        except asyncio.QueueFull:
            self.stop()

    async def serve(self, answer: Callable[[Mapping[str, Any]], str]) -> None:
        """Send what is in line and read what comes, until the client goes. answer: the reply to its flags."""
        self._task = asyncio.ensure_future(self._write())
        try:
            first = True
            async for message in self._web:
                if first and message.type == WSMsgType.TEXT:
                    self._greet(message.data, answer)
                first = False
        finally:
            self.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def stop(self) -> None:
        """End the connection."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Say good-bye, for the server stops."""
        await self._web.close(code=WSCloseCode.GOING_AWAY, message=b"The server stops.")

    async def _write(self) -> None:
        try:
            while True:
                frame = await self._line.get()
                if isinstance(frame, str):
                    await self._web.send_str(frame)
                else:
                    await self._web.send_bytes(frame)
        except (ConnectionError, RuntimeError):  # the client went while we wrote
            return
        finally:
            if not self._web.closed:
                await self._web.close(code=WSCloseCode.GOING_AWAY)

    def _greet(self, text: str, answer: Callable[[Mapping[str, Any]], str]) -> None:
        """The first message of a client may say what it can do; it is told the same of us."""
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            return
        message = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
        if message.get("type") == "feature_flags":
            data = message.get("data")
            self.flags = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
            self.send(answer(self.flags))


class Sockets:
    """All open sockets. A client may have several; each gets what the client gets."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id = defaultdict[str, list[Socket]](list)

    def __iter__(self) -> Iterator[Socket]:
        return iter([socket for sockets in self._by_id.values() for socket in sockets])

    def of(self, client: str) -> list[Socket]:
        """The sockets of a client."""
        return list(self._by_id.get(client, ()))

    def add(self, socket: Socket) -> None:
        """A client has come."""
        self._by_id[socket.id].append(socket)

    def remove(self, socket: Socket) -> None:
        """It has gone."""
        self._by_id[socket.id].remove(socket)
        if not self._by_id[socket.id]:
            del self._by_id[socket.id]


def tell(sockets: Iterable[Socket], type: str, data: Any) -> bool:
    """Send a message to sockets; whether there was one."""
    frame = None
    for socket in sockets:
        frame = text_frame(type, data) if frame is None else frame
        socket.send(frame)
    return frame is not None
