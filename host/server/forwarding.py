"""Passing a request on to a worker and its reply back: whole, in a stream, or as a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

import aiohttp
from aiohttp import web

from host.plugins.routes import QUESTION, SECRET, Address
from host.server.keys import SETTINGS
from host.server.security import COOKIE

_BETWEEN_TWO: Final = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that concern one connection only."""
_KEPT_HERE: Final = frozenset({"authorization", "cookie", SECRET.lower(), QUESTION.lower()})
_SOCKET: Final = "sec-websocket-"
_SMALL: Final = 1 << 20
_CHUNK: Final = 1 << 16


def headers_for(address: Address) -> dict[str, str]:
    """What makes a worker answer."""
    return {SECRET: address.secret}


class BrokenOffError(aiohttp.ClientError):
    """A worker that took a request ended the connection without a reply."""


async def ask_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A step of a session that never asks twice: a request may have done its work, or killed its worker.

    aiohttp repeats a GET whose connection was lost unless the error is another than its own.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenOffError(str(error) or type(error).__name__) from error


def is_socket(request: web.Request) -> bool:
    """Whether a request opens a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def forward(
    request: web.Request, address: Address, session: aiohttp.ClientSession
) -> web.StreamResponse:
    """The worker's reply to a request. Raises aiohttp.ClientError when the worker breaks off."""
    if is_socket(request):
        return await _joined(request, address, session)
    async with session.request(
        request.method,
        _place(request, address),
        headers=_passed_on(request, address),
        data=_body(request) if request.can_read_body else None,
        allow_redirects=False,
        skip_auto_headers=("User-Agent", "Accept-Encoding", "Accept", "Content-Type"),
    ) as reply:
        return await _reply(request, reply)


def _place(request: web.Request, address: Address) -> str:
    return f"http://127.0.0.1:{address.port}{request.rel_url.without_query_params('token').raw_path_qs}"


def _passed_on(request: web.Request, address: Address) -> list[tuple[str, str]]:
    """A client's headers; tokens that open this server are not for plugins."""
    passed = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _BETWEEN_TWO | _KEPT_HERE and not name.lower().startswith(_SOCKET)
    ]
    cookies = [f"{name}={value}" for name, value in request.cookies.items() if name != COOKIE]
    if cookies:
        passed.append(("Cookie", "; ".join(cookies)))
    ours = {"X-Forwarded-For": request.remote or "", "X-Forwarded-Proto": request.scheme}
    return [*passed, *ours.items(), *headers_for(address).items()]


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes, refused when it is larger than an upload may be."""
    size, most = 0, request.app[SETTINGS].largest_upload
    async for chunk in request.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > most:
            raise web.HTTPRequestEntityTooLarge(most, size)
        yield chunk


async def _reply(request: web.Request, reply: aiohttp.ClientResponse) -> web.StreamResponse:
    """What is small goes as a whole, so that it is treated as every other reply; the rest in a stream."""
    headers = [(name, value) for name, value in reply.headers.items() if name.lower() not in _BETWEEN_TWO]
    length = reply.content_length
    if length is not None and length <= _SMALL and request.method != "HEAD":
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        return web.Response(
            body=await reply.read(), status=reply.status, reason=reply.reason, headers=headers
        )
    response = web.StreamResponse(status=reply.status, reason=reply.reason, headers=headers)
    await response.prepare(request)
    try:
        async for chunk in reply.content.iter_any():
            await response.write(chunk)
    except aiohttp.ClientError:  # the worker died: the client sees the connection end too early
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write_eof()
    return response


# Sockets


async def _joined(
    request: web.Request, address: Address, session: aiohttp.ClientSession
) -> web.StreamResponse:
    """A WebSocket on both sides, until one of them closes it."""
    offered = _protocols(request.headers)
    async with session.ws_connect(
        _place(request, address), headers=_passed_on(request, address), protocols=offered, max_msg_size=0
    ) as inner:
        outer = web.WebSocketResponse(protocols=[inner.protocol] if inner.protocol else (), max_msg_size=0)
        await outer.prepare(request)
        ways = [asyncio.ensure_future(_pump(outer, inner)), asyncio.ensure_future(_pump(inner, outer))]
        _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in left:
            way.cancel()
        await outer.close(code=inner.close_code or 1000)
    return outer


def _protocols(headers: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pump(source: _Socket, target: _Socket) -> None:
    async for message in source:
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await target.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await target.send_bytes(message.data)
            case _:
                return
