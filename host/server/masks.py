"""Routes of masks: a picture of the folders that is kept again with a mask that somebody painted on it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from typing import Final

from aiohttp import web

from host.masks import masked, opaque
from host.server.asset_files import place_for, take_in
from host.server.assets import AssetsPage, asset_asked, asset_told
from host.server.keys import FOLDERS, SETTINGS
from host.server.refusals import Refused
from host.server.routing import route, told
from host.server.small_pictures import DRAWING

FOLDER: Final = "masked"
_NUMBERED: Final = re.compile(r" \(\d+\)$")


@route(
    "POST",
    "/assets/{kind}/{name}/mask",
    "Keep a picture with a mask",
    "runner",
    raw=("image/png",),
    reply=AssetsPage,
    status=201,
    replies={415: "The file or the mask is no picture."},
)
async def keep_mask(request: web.Request) -> web.StreamResponse:
    """The body is a picture of the mask, white where it applies. A PNG with the colours of the file as they
    are, transparent under the mask, comes to lie in the folder masked of the input folder."""
    _, path = asset_asked(request)
    mask, root = await request.read(), request.app[FOLDERS].folder("input")
    data = await _drawn(request, lambda: masked(path, mask), path.name)
    wanted = place_for(root, f"{FOLDER}/{_NUMBERED.sub('', PurePosixPath(path.name).stem)}.png")
    made = await take_in(wanted, _at_once(data), request.app[SETTINGS].largest_upload, overwrite=False)
    return told({"assets": [asset_told("input", root, made)], "total": 1}, 201)


@route(
    "GET",
    "/assets/{kind}/{name}/opaque",
    "A picture without its transparency",
    media="image/jpeg",
    replies={415: "The file is no picture."},
)
async def get_opaque(request: web.Request) -> web.StreamResponse:
    """The colours under transparent parts included: what a mask is painted on."""
    _, path = asset_asked(request)
    body = await _drawn(request, lambda: opaque(path), path.name)
    return web.Response(body=body, content_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


async def _drawn(request: web.Request, draw: Callable[[], bytes], name: str) -> bytes:
    try:
        async with request.app[DRAWING]:
            return await asyncio.to_thread(draw)
    except (OSError, SyntaxError, ValueError):
        raise Refused(415, "no_picture", f"{name}, or the mask for it, is no picture.") from None


async def _at_once(data: bytes) -> AsyncIterator[bytes]:
    yield data
