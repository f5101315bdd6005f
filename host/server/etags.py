"""ETags: strong ones, made of content, and the conditions that requests put on them (RFC 9110, 13.1)."""

import hashlib

from aiohttp import web

from host.server.refusals import Refused


def tag_of(data: bytes) -> str:
    """The tag of some content, without quotes: 24 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def quoted(tag: str) -> dict[str, str]:
    """The header that tells a tag."""
    return {"ETag": f'"{tag}"'}


def is_known(request: web.Request, tag: str) -> bool:
    """Whether the client already has what this tag stands for."""
    return _names(request.headers.get("If-None-Match", ""), tag)


def unchanged(tag: str) -> web.Response:
    """The reply to a client that has it."""
    return web.Response(status=304, headers=quoted(tag))


def check_match(asked: str | None, tag: str | None) -> None:
    """Hold a change to its `If-Match`; tag: of what is there, None for nothing. Raises Refused (412)."""
    if asked is not None and (tag is None or not _names(asked, tag)):
        fix = "Get it again, and decide which of the two is to stay."
        raise Refused(412, "changed", "It has been changed since, or is gone.", fix)


def check_none_match(asked: str | None, tag: str | None) -> None:
    """Hold a change to its `If-None-Match`, which "*" makes a creation. Raises Refused (412)."""
    if asked is not None and tag is not None and _names(asked, tag):
        raise Refused(412, "exists", "It is there already.", "Choose another name, or send If-Match.")


def _names(header: str, tag: str) -> bool:
    given = [part.strip().removeprefix("W/").strip('"') for part in header.split(",")]
    return "*" in given or tag in given
