"""What the editor format cannot say, kept in its property bags so that nothing is lost there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compat.formats.shape import mapping, sequence, text
from graph.document import Link, Port

OURS: Final = "darkroom"


@dataclass(frozen=True, slots=True)
class Ours:
    """Of one node: its id and type where they differ, inputs without a widget, defaults left out, extras.

    place: our layout of it ("was") as long as the editor's is still what we wrote ("is").
    """

    id: str = ""
    type: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unset: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    place: Mapping[str, Any] = field(default_factory=dict[str, Any])


def read_ours(node: Mapping[str, Any]) -> Ours:
    """What we left in a node's properties."""
    data = mapping(mapping(node.get("properties")).get(OURS))
    if not data:
        return Ours()
    inputs = {name: _read_input(value) for name, value in mapping(data.get("inputs")).items()}
    unset, extra, place = (mapping(data.get(key)) for key in ("unset", "extra", "place"))
    return Ours(text(data.get("id")), text(data.get("type")), inputs, unset, extra, place)


def write_ours(ours: Ours) -> dict[str, Any]:
    """What to leave in a node's properties: nothing, most often."""
    found = {
        "id": ours.id,
        "type": ours.type,
        "inputs": {name: _written_input(value) for name, value in ours.inputs.items()},
        "unset": dict(ours.unset),
        "extra": dict(ours.extra),
        "place": dict(ours.place),
    }
    return {key: value for key, value in found.items() if value}


def _read_input(value: Any) -> Any:
    link = sequence(mapping(value).get("link"))
    if len(link) == 2:
        return Link(text(link[0]), text(link[1]))
    return mapping(value).get("value")


def _written_input(value: Any) -> dict[str, Any]:
    return {"link": [value.node, value.output]} if isinstance(value, Link) else {"value": value}


def read_ports(value: Any) -> dict[str, Port]:
    """The ports of a workflow."""
    ports = {name: mapping(port) for name, port in mapping(value).items()}
    return {
        name: Port(text(port.get("node")), text(port.get("input")), text(port.get("output")))
        for name, port in ports.items()
        if text(port.get("node"))
    }


def write_ports(ports: Mapping[str, Port]) -> dict[str, Any]:
    """The ports of a workflow as JSON."""
    return {
        name: {"node": port.node, "input": port.input, "output": port.output} for name, port in ports.items()
    }
