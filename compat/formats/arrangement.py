"""Where things lie on the canvas: places, groups and notes, in our form and in the editor's."""

from collections.abc import Mapping
from typing import Any, Final

from compat.formats.litegraph import RawNode
from compat.formats.shape import mapping, numbers, text

GROUP_LOOKS: Final[Mapping[str, Any]] = {"color": "#3f789e", "font_size": 24, "flags": {}}
"""How the editor draws a group of which nothing else is told."""

_NOTE_SIZE: Final = (240.0, 120.0)


def place_of(data: Mapping[str, Any]) -> list[float]:
    """Where a node of the editor lies: [x, y, width, height], [x, y], or [] where nothing is told."""
    at = numbers(data.get("pos"), 2)
    return at + numbers(data.get("size"), 2) if at else []


def read_group(data: Mapping[str, Any]) -> dict[str, Any]:
    """A group as `{"title", "bounds": [x, y, width, height], "color"}` and the rest the editor tells."""
    bounds = numbers(data.get("bounding"), 4)
    rest = {key: value for key, value in data.items() if key not in ("title", "bounding", "id")}
    looks = {key: value for key, value in rest.items() if value != GROUP_LOOKS.get(key)}
    return {"title": text(data.get("title")), "bounds": bounds, **looks}


def read_note(node: RawNode) -> dict[str, Any]:
    """A note as `{"text", "at": [x, y, width, height], "markdown"?, "title"?, "color"?}`."""
    values = list(node.values.values()) if isinstance(node.values, Mapping) else node.values
    found = {
        "text": text(values[0]) if values else "",
        "at": place_of(node.data),
        "markdown": node.type == "MarkdownNote",
        "title": text(node.data.get("title")),
        "color": text(node.data.get("color")),
        "bgcolor": text(node.data.get("bgcolor")),
    }
    return {key: value for key, value in found.items() if value or key in ("text", "at")}


def write_group(group: Any, id: int) -> dict[str, Any]:
    """A group for the editor."""
    data = mapping(group)
    rest = {key: value for key, value in data.items() if key not in ("title", "bounds")}
    bounds = numbers(data.get("bounds"), 4) or [0, 0, 400, 200]
    return {"id": id, "title": text(data.get("title")), "bounding": bounds, **GROUP_LOOKS, **rest}


def write_note(note: Any, id: int, order: int) -> dict[str, Any]:
    """A note as a node of the editor."""
    data = mapping(note)
    at = numbers(data.get("at"), 2) or [0.0, 0.0]
    size = numbers(data.get("at"), 4)[2:] or list(_NOTE_SIZE)
    looks = {key: text(data.get(key)) for key in ("title", "color", "bgcolor") if text(data.get(key))}
    return {
        "id": id,
        "type": "MarkdownNote" if data.get("markdown") else "Note",
        "pos": at,
        "size": size,
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [text(data.get("text"))],
        **looks,
    }
