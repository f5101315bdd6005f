"""The route that tells a client who it is and what it may do."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel

from host.server.keys import SETTINGS
from host.server.routing import route, told
from host.server.security import ROLE, ROLES
from host.server.users import user_of


class Me(BaseModel):
    """Who asks. may: the roles whose routes are open, one's own included; token: whether others need one."""

    user: str
    role: Literal["viewer", "runner", "editor", "admin"]
    may: list[Literal["viewer", "runner", "editor", "admin"]]
    multi_user: bool
    token: bool


@route("GET", "/me", "Who you are and what you may do", reply=Me)
async def get_me(request: web.Request) -> web.StreamResponse:
    """Where no token is needed, everybody is an admin."""
    role = next(name for name in ROLES if name == request[ROLE])
    may = list(ROLES[: ROLES.index(role) + 1])
    settings = request.app[SETTINGS]
    return told(
        {
            "user": user_of(request) or "",
            "role": role,
            "may": may,
            "multi_user": settings.multi_user,
            "token": bool(settings.tokens),
        }
    )
