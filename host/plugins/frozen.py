"""Plain values read from JSON, as frozen dataclasses hold them."""

from typing import Any, cast


def frozen(value: Any) -> Any:
    """A list as a tuple; anything else as it is."""
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value
