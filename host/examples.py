"""A small workflow that shows a node at work, made from what is known of node types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graph.document import FORMAT, Link, Node, Workflow
from graph.registry import Registry
from graph.sockets import ANY_NAME, SocketType
from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Text, Toggle

SOURCES: Final[Mapping[str, str]] = {
    ANY_NAME: "PrimitiveString",
    "CLIP": "CheckpointLoaderSimple",
    "CONDITIONING": "CLIPTextEncode",
    "IMAGE": "LoadImage",
    "INT": "PrimitiveInt",
    "FLOAT": "PrimitiveFloat",
    "STRING": "PrimitiveString",
    "BOOLEAN": "PrimitiveBoolean",
    "LATENT": "EmptyLatentImage",
    "MASK": "SolidMask",
    "MODEL": "CheckpointLoaderSimple",
    "SIGMAS": "BasicScheduler",
    "VAE": "CheckpointLoaderSimple",
}
"""The node type that is shown as the source of a socket type; others take the first that gives it."""

FILES: Final[Mapping[str, str]] = {
    "checkpoints": "darkroom-tiny.safetensors",
    "input": "photo.png",
    "output": "ComfyUI_00001_.png",
}
VALUES: Final[Mapping[str, Any]] = {
    "expression": "a * 2",
    "regex_pattern": "[a-z]+",
    "string": "a red fox",
    "text": "a red circle",
    "value": 1,
}
"""Values for inputs without a default, by name; each is used where it fits."""


@dataclass(slots=True)
class Drawing:
    """A workflow in the making: one node a type, so that sources are shared."""

    types: Registry
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])


def example(types: Registry, spec: NodeSpec) -> Workflow:
    """The smallest workflow this module knows that runs a node of a type and shows what it gives.

    Files bear the names of the embedded model or plain ones such as photo.png. What no node type gives is
    left out, so that a check of the workflow tells it.
    """
    drawing = Drawing(types)
    end = _place(drawing, spec)
    if not spec.output and spec.outputs:
        _show(drawing, end, spec)
    return Workflow(dict(drawing.nodes))


def _show(drawing: Drawing, end: str, spec: NodeSpec) -> None:
    output = spec.outputs[0]
    viewer, name = ("PreviewImage", "images") if "IMAGE" in output.type.names else ("PreviewAny", "source")
    drawing.nodes["shown"] = Node(viewer, {name: Link(end, output.name)})


def _place(drawing: Drawing, spec: NodeSpec) -> str:
    """Put a node of a type, and what it needs, into the drawing; gives its id."""
    key = spec.id.replace(" ", "_")
    if key not in drawing.nodes:
        drawing.nodes[key] = Node(spec.id)
        needed = {item.type.names for item in spec.inputs if item.required}
        wanted = [item for item in spec.inputs if _wanted(item) or item.type.names in needed]
        values = {item.name: _value(drawing, item, spec) for item in wanted}
        inputs = {name: value for name, value in values.items() if value is not MISSING}
        del drawing.nodes[key]  # so that it stands behind its sources
        drawing.nodes[key] = Node(spec.id, inputs)
    return key


def _wanted(item: Input) -> bool:
    return item.required or (
        item.widget is not None and item.default is not MISSING and item.default is not None
    )


def _value(drawing: Drawing, item: Input, spec: NodeSpec) -> Any:
    if item.widget is None:
        return _link(drawing, item.type, spec)
    given = VALUES.get(item.name)
    match item.widget:
        case FileChoice(kind):
            return FILES.get(kind, f"{kind}{'-2' if item.name.endswith('2') else ''}.safetensors")
        case _ if item.default is not MISSING:
            return item.default
        case Choice(options):
            return options[0]
        case Number(minimum):
            return given if isinstance(given, int) else max(0, minimum or 0)
        case Text():
            return given if isinstance(given, str) else "a fox"
        case Toggle():
            return True


def _link(drawing: Drawing, kind: SocketType, spec: NodeSpec) -> Any:
    source = _source(drawing.types, kind, spec)
    if source is None:
        return MISSING
    place = _place(drawing, source)
    fitting = next(item for item in source.outputs if kind.names[0] in (*item.type.names, ANY_NAME))
    return Link(place, fitting.name)


def _source(types: Registry, kind: SocketType, spec: NodeSpec) -> NodeSpec | None:
    """The node type that is shown as the source of a socket type."""
    for name in kind.names:
        chosen = types.get(SOURCES.get(name, ""))
        if chosen is not None and chosen.id != spec.id:
            return chosen
    giving = (item for item in types if any(_gives(item, name) for name in kind.names))
    fitting = [item for item in giving if item.id != spec.id and not _takes(item, kind)]
    return min(fitting, key=lambda item: (item.deprecated != "", len(item.inputs), item.id), default=None)


def _gives(spec: NodeSpec, name: str) -> bool:
    return any(name in output.type.names for output in spec.outputs)


def _takes(spec: NodeSpec, kind: SocketType) -> bool:
    return any(set(item.type.names) & {*kind.names} for item in spec.inputs)


def example_text(workflow: Workflow) -> str:
    """A workflow as JSON, a node a line."""
    rows = [f"    {json.dumps(key)}: {json.dumps(_plain(node))}" for key, node in workflow.nodes.items()]
    return f'{{\n  "format": {json.dumps(FORMAT)},\n  "nodes": {{\n' + ",\n".join(rows) + "\n  }\n}"


def _plain(node: Node) -> dict[str, Any]:
    inputs = {
        name: {"link": [value.node, value.output]} if isinstance(value, Link) else value
        for name, value in node.inputs.items()
    }
    return {"type": node.type, "inputs": inputs}
