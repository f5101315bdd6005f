"""Where things lie on the canvas: places, groups and notes, in our form and in the editor's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from compat.formats.litegraph import RawNode
from compat.formats.shape import mapping, numbers, text

TITLE_HEIGHT: Final = 30
GROUP_LOOKS: Final[Mapping[str, Any]] = {"color": "#3f789e", "font_size": 24, "flags": {}}
"""How the editor draws a group of which nothing else is told."""

_PADDING: Final = 20
_NOTE_SIZE: Final = (240.0, 120.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the canvas."""

    left: float
    top: float
    right: float
    bottom: float

    @staticmethod
    def around(places: Iterable[Sequence[float]]) -> "Box":
        """The box around places [x, y] or [x, y, width, height]."""
        boxes = [(place[0], place[1], *(place[2:4] or _NOTE_SIZE)) for place in places]
        return Box(
            min(x for x, _, _, _ in boxes),
            min(y for _, y, _, _ in boxes),
            max(x + width for x, _, width, _ in boxes),
            max(y + height for _, y, _, height in boxes),
        )

    def padded(self) -> list[float]:
        """The box with room for a frame and titles, as [x, y, width, height]."""
        left, top = self.left - _PADDING, self.top - 2 * TITLE_HEIGHT - _PADDING
        return [left, top, self.right + _PADDING - left, self.bottom + _PADDING - top]


def place_of(data: Mapping[str, Any]) -> list[float]:
    """Where a node of the editor lies: [x, y, width, height], [x, y], or [] where nothing is told."""
    at = numbers(data.get("pos"), 2)
    return at + numbers(data.get("size"), 2) if at else []


def shifted(place: Sequence[float], offset: tuple[float, float]) -> list[float]:
    """A place moved by an offset; [] stays []."""
    return [] if not place else [place[0] + offset[0], place[1] + offset[1], *place[2:]]


def read_group(data: Mapping[str, Any], offset: tuple[float, float]) -> dict[str, Any]:
    """A group as `{"title", "bounds": [x, y, width, height], "color"}` and the rest the editor tells."""
    bounds = numbers(data.get("bounding"), 4)
    rest = {key: value for key, value in data.items() if key not in ("title", "bounding", "id")}
    looks = {key: value for key, value in rest.items() if value != GROUP_LOOKS.get(key)}
    return {"title": text(data.get("title")), "bounds": shifted(bounds, offset), **looks}


def read_note(node: RawNode, offset: tuple[float, float]) -> dict[str, Any]:
    """A note as `{"text", "at": [x, y, width, height], "markdown"?, "title"?, "color"?}`."""
    values = list(node.values.values()) if isinstance(node.values, Mapping) else node.values
    place = place_of(node.data)
    found = {
        "text": text(values[0]) if values else "",
        "at": shifted(place, offset) if place else [],
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
