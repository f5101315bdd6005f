"""The editor's own reroutes, which only bend the drawing of links: kept by the inputs those end at."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from compat.formats.canvas_reader import Canvas
from compat.formats.litegraph import RawLink
from compat.formats.shape import identity, mapping, sequence
from graph.document import OUTPUTS

BENDS: Final = "bends"
"""Key of the `extra` of a workflow or subgraph: `reroutes` as they are, `links` as [node, input, reroute]."""


def read_bends(canvas: Canvas, data: Mapping[str, Any]) -> dict[str, Any]:
    """The reroutes of a canvas and the links drawn through them, for its `extra`."""
    told = {
        identity(item.get("id")): identity(item.get("parentId"))
        for item in map(mapping, sequence(data.get("linkExtensions")))
    }
    links = [
        [*end, reroute]
        for id, link in canvas.graph.links.items()
        if (reroute := link.reroute or told.get(id, "")) and (end := _end(canvas, id, link))
    ]
    drop = ("linkIds",)
    reroutes = [
        {key: value for key, value in item.items() if key not in drop}
        for item in map(mapping, sequence(data.get("reroutes")))
        if item
    ]
    return {BENDS: {"reroutes": reroutes, "links": links}} if reroutes else {}


def _end(canvas: Canvas, id: str, link: RawLink) -> list[str] | None:
    """Where a link ends: a node and its input, or an output of the subgraph."""
    own = canvas.own
    if own and link.target == own.definition.output_id and 0 <= link.end < len(own.outputs):
        return [OUTPUTS, own.outputs[link.end]]
    node = canvas.graph.nodes.get(link.target)
    slot = next((slot for slot in node.inputs if slot.link == id), None) if node else None
    return [canvas.names[node.id], slot.name] if node and slot else None


def written_bends(
    extra: Mapping[str, Any], ends: Mapping[tuple[str, str], int]
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """The reroutes with the numbers of their links, and by link the last reroute; ends: by their end."""
    kept = mapping(extra.get(BENDS))
    reroutes = [dict(item) for item in map(mapping, sequence(kept.get("reroutes")))]
    above = {identity(item.get("id")): identity(item.get("parentId")) for item in reroutes}
    last = {
        ends[item[0], item[1]]: identity(item[2])
        for item in map(sequence, sequence(kept.get("links")))
        if len(item) == 3 and (item[0], item[1]) in ends
    }
    through = {number: set(_chain(above, reroute)) for number, reroute in last.items()}
    for item in reroutes:
        item["linkIds"] = [link for link, passed in through.items() if identity(item.get("id")) in passed]
    drawn = [item for item in reroutes if item["linkIds"] or item.get("floating")]
    return drawn, {number: int(id) for number, id in last.items() if id.isdigit() and id in above}


def _chain(above: Mapping[str, str], start: str) -> Iterator[str]:
    seen = set[str]()
    while start and start not in seen:
        seen.add(start)
        yield start
        start = above.get(start, "")
