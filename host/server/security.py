"""Who may ask what: the middlewares that every request passes, in this order.

1. told errors: what a handler raises becomes a JSON problem under /api/v1, a 500 without details elsewhere
2. headers: nosniff, a content security policy, no referrer
3. host and origin: a page of another site, or a name that only pretends to be this machine, is refused (403)
4. token and role: `request[ROLE]` is set; a route of ours that needs a higher one is refused (401, 403)

A protocol from above adds its own after these (`app.middlewares.append`).
"""

from typing import Final, Literal

from aiohttp import web
from aiohttp.typedefs import Middleware

from host.server.settings import Settings

Role = Literal["viewer", "runner", "editor", "admin"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "runner", "editor", "admin")
"""Each may do what those before it may."""
ROLE: Final = web.RequestKey("role", str)


def guards(settings: Settings) -> list[Middleware]:
    """The middlewares, outermost first."""
    return []
