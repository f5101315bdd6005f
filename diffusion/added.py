"""Samplers and schedules that others add, by name: each is a function that gives it, called on first use."""

from collections.abc import Callable
from typing import Any, Final

Give = Callable[[], Callable[..., Any]]

SAMPLERS: Final[dict[str, Give]] = {}
SCHEDULES: Final[dict[str, Give]] = {}
