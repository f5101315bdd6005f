"""Samplers and schedules by name: each is a function that gives it, called on first use.

A program fills these through its hooks, with its own and its plugins'. Where it has filled in nothing, as in
a script that uses diffusion alone, diffusion's own are put in when they are first imported.
"""

from collections.abc import Callable
from typing import Any, Final

Give = Callable[[], Callable[..., Any]]

SAMPLERS: Final[dict[str, Give]] = {}
SCHEDULES: Final[dict[str, Give]] = {}


def put_in(table: dict[str, Give], functions: dict[str, Any]) -> None:
    """Fill a table that nothing was put in yet."""
    if not table:
        table.update({name: _giver(function) for name, function in functions.items()})


def _giver(function: Callable[..., Any]) -> Give:
    return lambda: function
