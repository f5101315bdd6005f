"""ComfyUI's editor format, written in version 0.4, so that its front end opens what we have."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from compat.formats.bends import BENDS
from compat.formats.canvas_writer import BORDERS, Sheet, Written, node_numbers, write_canvas
from compat.formats.ours import OURS, write_ports
from compat.formats.shape import mapping, numbers, sequence
from graph.document import INPUTS, OUTPUTS, Boundary, Subgraph, Workflow
from graph.formats import NodeTypes
from graph.instances import WithSubgraphs

_LINK: Final = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
_KEPT: Final = ("editor", BENDS)


def write_editor(workflow: Workflow, types: NodeTypes) -> dict[str, Any]:
    """The workflow as ComfyUI's editor saves it. Nodes without a place are laid out in columns.

    What that format cannot say (names of nodes, ports, locks) is kept in property bags for `read_editor`.
    """
    called = {id: _uuid(id) for id in workflow.subgraphs}
    kinds = WithSubgraphs(workflow, types)
    written = write_canvas(Sheet(workflow, types, kinds, called, ids=node_numbers(workflow.nodes)))
    kept = mapping(workflow.extra.get("editor"))
    definitions = [_definition(id, item, types, kinds, called) for id, item in workflow.subgraphs.items()]
    return {
        **{key: value for key, value in kept.items() if key != "extra"},
        "last_node_id": written.last_node,
        "last_link_id": len(written.links),
        "nodes": written.nodes,
        "links": written.links,
        "groups": written.groups,
        **({"definitions": {"subgraphs": definitions}} if definitions else {}),
        "config": mapping(kept.get("config")),
        "extra": {**mapping(kept.get("extra")), **_bends(written), **_document(workflow)},
        "version": 0.4,
    }


def _bends(written: Written) -> dict[str, Any]:
    ends = [{"id": link, "parentId": reroute} for link, reroute in written.through.items()]
    found = {"linkExtensions": ends, "reroutes": written.reroutes}
    return {key: value for key, value in found.items() if value}


def _document(workflow: Workflow) -> dict[str, Any]:
    return _bag(
        {
            "ports": write_ports(workflow.ports),
            "lock": dict(workflow.lock),
            "extra": {key: value for key, value in workflow.extra.items() if key not in _KEPT},
            "layout": {id: place for id, place in workflow.layout.items() if id not in workflow.nodes},
        }
    )


def _bag(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in found.items() if value}
    return {OURS: kept} if kept else {}


def _uuid(id: str) -> str:
    """What the editor calls a subgraph: its id where that is a UUID, as the editor demands."""
    try:
        return id if str(UUID(id)) == id else str(uuid5(NAMESPACE_URL, f"darkroom:{id}"))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"darkroom:{id}"))


def _definition(
    id: str, subgraph: Subgraph, types: NodeTypes, kinds: WithSubgraphs, called: Mapping[str, str]
) -> dict[str, Any]:
    content = Workflow(subgraph.nodes, layout=subgraph.layout, groups=subgraph.groups, notes=subgraph.notes)
    written = write_canvas(Sheet(content, types, kinds, called, subgraph, node_numbers(subgraph.nodes)))
    kept = mapping(subgraph.extra.get("editor"))
    last = {"lastGroupId": len(written.groups), "lastNodeId": written.last_node}
    last |= {"lastLinkId": len(written.links), "lastRerouteId": _last_reroute(written)}
    return {
        "version": 1,
        "revision": 0,
        "config": {},
        "widgets": [],
        **kept,
        "id": called[id],
        "name": subgraph.title or id,
        "state": {**last, **mapping(kept.get("state"))},
        "inputNode": _border(kept.get("inputNode"), subgraph, INPUTS),
        "outputNode": _border(kept.get("outputNode"), subgraph, OUTPUTS),
        "inputs": _boundaries(id, subgraph.inputs, _joined(written, 1, 2, INPUTS)),
        "outputs": _boundaries(id, subgraph.outputs, _joined(written, 3, 4, OUTPUTS)),
        "nodes": written.nodes,
        "groups": written.groups,
        "links": [_link(link, written) for link in written.links],
        **({"reroutes": written.reroutes} if written.reroutes else {}),
        "extra": {**mapping(kept.get("extra")), **_ours(id, subgraph, called[id])},
    }


def _ours(id: str, subgraph: Subgraph, called: str) -> dict[str, Any]:
    """What the editor has no place for in a subgraph."""
    others = {
        side: {name: rest for name, item in ends.items() if (rest := _others(item.extra))}
        for side, ends in (("inputs", subgraph.inputs), ("outputs", subgraph.outputs))
    }
    layout = {key: place for key, place in subgraph.layout.items() if key not in subgraph.nodes}
    return _bag(
        {
            "id": id if id != called else "",
            "untitled": not subgraph.title,
            "extra": {key: value for key, value in subgraph.extra.items() if key not in _KEPT},
            "layout": {key: place for key, place in layout.items() if not _is_border(key, place)},
            "sockets": {side: ends for side, ends in others.items() if ends},
        }
    )


def _others(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in extra.items() if key != "editor"}


def _is_border(key: str, place: Any) -> bool:
    return key in (INPUTS, OUTPUTS) and len(numbers(place, 4)) == len(sequence(place)) == 4


def _border(kept: Any, subgraph: Subgraph, side: str) -> dict[str, Any]:
    """One side of the boundary as a card; left or right of all nodes where it has no place."""
    place = numbers(subgraph.layout.get(side), 4)
    at = numbers(subgraph.layout.get(side), 2) or _beside(subgraph, side)
    return {**mapping(kept), "id": BORDERS[side], "bounding": place or [*at, 120.0, 60.0]}


def _beside(subgraph: Subgraph, side: str) -> list[float]:
    places = [place for id in subgraph.nodes if (place := numbers(subgraph.layout.get(id), 2))]
    xs = [place[0] for place in places] or [0.0]
    return [
        min(xs) - 240 if side == INPUTS else max(xs) + 400,
        min((place[1] for place in places), default=0.0),
    ]


def _joined(written: Written, node: int, slot: int, side: str) -> dict[int, list[int]]:
    found = dict[int, list[int]]()
    for link in written.links:
        if link[node] == BORDERS[side]:
            found.setdefault(link[slot], []).append(link[0])
    return found


def _boundaries(
    id: str, items: Mapping[str, Boundary], links: Mapping[int, list[int]]
) -> list[dict[str, Any]]:
    return [
        {
            "id": str(uuid5(NAMESPACE_URL, f"darkroom:{id}:{number}:{name}")),
            **mapping(item.extra.get("editor")),
            "name": name,
            "type": item.type or "*",
            "linkIds": links.get(number, []),
            **({"label": item.label} if item.label else {}),
        }
        for number, (name, item) in enumerate(items.items())
    ]


def _link(link: list[Any], written: Written) -> dict[str, Any]:
    reroute = written.through.get(link[0])
    return dict(zip(_LINK, link, strict=True)) | ({} if reroute is None else {"parentId": reroute})


def _last_reroute(written: Written) -> int:
    ids = (item.get("id") for item in written.reroutes)
    return max((id for id in ids if isinstance(id, int)), default=0)
