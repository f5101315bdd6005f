"""The way between the server and a worker: frames of a JSON object and perhaps bytes, over a socket.

    4 bytes  length of the JSON text      4 bytes  length of the bytes      the JSON text      the bytes

Lengths are unsigned and big-endian. To a worker go objects of these types:
    run        {"job", "attempt", "workflow", "rest", "done": [nodes not to run again]}
    stop_job   {"job", "attempt"}
    free       {"unload_models", "free_memory"}
    ask        {"id", "question", "data"}
    exit       {}
and from it come:
    ready      {"facts"}: it can take jobs
    plugins    {"port", "secret"}: where it answers for plugins
    beat       {"rss", "cpu"}: a sign of life
    event      {"job", "kind", "data"}: see host.jobs.model.EventKind
    preview    {"job", "node", "display_node", "mime"} and the picture
    end        {"job", "state", "seconds", "error", "cache"}
    freed      {"cache"}
    answer     {"id", "value"} or {"id", "error"}
    message    {"name", "data", "client_id"}: from a plugin to browsers
"""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, cast

Message = Mapping[str, Any]
Hear = Callable[[Message, bytes], None]

_LENGTHS: Final = struct.Struct(">II")
_LARGEST: Final = 1 << 30
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), default=str)


class BrokenWire(Exception):
    """The other end sent what is no frame."""


def frame(message: Message, data: bytes = b"") -> bytes:
    """A message as it goes over the wire."""
    text = _ENCODER.encode(message).encode()
    return _LENGTHS.pack(len(text), len(data)) + text + data


def read_frame(file: BinaryIO) -> tuple[Message, bytes] | None:
    """The next message of a blocking stream, None at its end."""
    head = file.read(_LENGTHS.size)
    if len(head) < _LENGTHS.size:
        return None
    text, data = _LENGTHS.unpack(head)
    body = file.read(text + data)
    if len(body) < text + data:
        return None
    return json.loads(body[:text]), body[text:]


class FrameProtocol(asyncio.Protocol):
    """The server's end: calls `hear` with every message, and `lost` once at the end."""

    def __init__(self, hear: Hear, lost: Callable[[], None]) -> None:
        self._hear = hear
        self._lost = lost
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The wire is open."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is cut."""
        self._transport = None
        self._lost()

    def data_received(self, data: bytes) -> None:
        """Take what came and call `hear` with every whole message."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _LENGTHS.size:
            text, blob = _LENGTHS.unpack_from(self._buffer, at)
            start, end = at + _LENGTHS.size, at + _LENGTHS.size + text + blob
            if text + blob > _LARGEST:
                raise BrokenWire(f"A worker sent a message of {text + blob} bytes.")
            if len(self._buffer) < end:
                break
            at = end
            self._hear(
                json.loads(self._buffer[start : start + text]), bytes(self._buffer[start + text : end])
            )
        del self._buffer[:at]

    def send(self, message: Message) -> None:
        """Send a message; after the end it is lost."""
        if self._transport is not None:
            self._transport.write(frame(message))

    def close(self) -> None:
        """Cut the wire; a worker that lives ends itself."""
        if self._transport is not None:
            self._transport.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two joined sockets: the server's, which never blocks, and the worker's."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return ours, theirs
