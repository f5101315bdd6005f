"""Pictures in small, made when asked for; a browser that has one already is told so."""

import asyncio
from pathlib import Path
from typing import Final

from aiohttp import web

from host.covers import thumbnail
from host.server.etags import is_known, quoted, unchanged
from host.server.refusals import Refused

DRAWING: Final = web.AppKey("drawing", asyncio.Semaphore)
AT_ONCE: Final = 2
"""Pictures that are opened at a time: each may take a gigabyte while it is."""


async def small_picture(request: web.Request, path: Path, size: int, caching: str) -> web.StreamResponse:
    """A picture as WebP, its longer side `size` pixels at most. caching: the reply's Cache-Control.

    Raises:
        Refused: 415, the file is no picture that can be shown.
    """
    facts = path.stat()
    tag = f"{facts.st_mtime_ns:x}-{facts.st_size:x}-{size}"
    if is_known(request, tag):
        return unchanged(tag)
    try:
        async with request.app[DRAWING]:
            body = await asyncio.to_thread(thumbnail, path, size)
    except (OSError, SyntaxError, ValueError):
        raise Refused(415, "no_picture", f"{path.name} is no picture that can be shown.") from None
    headers = quoted(tag) | {"Cache-Control": caching}
    return web.Response(body=body, content_type="image/webp", headers=headers)
