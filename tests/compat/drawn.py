"""Small workflows as the editor saves them, drawn by hand."""

from typing import Any

Json = dict[str, Any]


def slot(name: str, type: str = "*", link: int | None = None, widget: bool = False) -> Json:
    return {"name": name, "type": type, "link": link, **({"widget": {"name": name}} if widget else {})}


def drawn(
    id: int | str, type: str, values: Any = None, inputs: list[Json] | None = None, **more: Any
) -> Json:
    return {"id": id, "type": type, "inputs": inputs or [], "outputs": [], "widgets_values": values, **more}


def wire(id: int, origin: int, slot: int, target: int, end: int) -> list[Any]:
    return [id, origin, slot, target, end, "*"]


def canvas(nodes: list[Json], links: list[Any] | None = None, **more: Any) -> Json:
    return {"nodes": nodes, "links": links or [], "version": 0.4, **more}


def subgraph(id: str, nodes: list[Json], links: list[list[Any]], inputs: str = "", outputs: str = "") -> Json:
    """A definition whose inputs and outputs are named as their types: "IMAGE MASK"."""
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return {
        "id": id,
        "name": f"the {id}",
        "inputNode": {"id": -10},
        "outputNode": {"id": -20},
        "inputs": [{"name": name, "type": name} for name in inputs.split()],
        "outputs": [{"name": name, "type": name} for name in outputs.split()],
        "nodes": nodes,
        "links": [dict(zip(names, link, strict=False)) for link in links],
    }


def defining(*subgraphs: Json) -> Json:
    return {"definitions": {"subgraphs": list(subgraphs)}}
