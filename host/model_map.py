"""`--model-map A=B`: other model files in place of those a workflow names."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from graph.document import Node, Workflow
from graph.instances import WithSubgraphs, on_every_canvas
from graph.registry import Registry
from graph.spec import FileChoice, NodeSpec
from host.folders import HOME_KINDS


def map_models(workflow: Workflow, types: Registry, names: Mapping[str, str]) -> Workflow:
    """The workflow with model files renamed; the names to replace may hold * and ?."""
    if not names:
        return workflow
    known = WithSubgraphs(workflow, types)
    return on_every_canvas(
        workflow,
        lambda nodes: {key: _mapped(node, known.get(node.type), names) for key, node in nodes.items()},
    )


def _mapped(node: Node, spec: NodeSpec | None, names: Mapping[str, str]) -> Node:
    inputs: dict[str, Any] = dict(node.inputs)
    for item in spec.inputs if spec else ():
        value = inputs.get(item.name)
        if (
            isinstance(item.widget, FileChoice)
            and item.widget.kind not in HOME_KINDS
            and isinstance(value, str)
        ):
            inputs[item.name] = _renamed(value, names)
    return replace(node, inputs=inputs)


def _renamed(name: str, names: Mapping[str, str]) -> str:
    if name in names:
        return names[name]
    return next((new for old, new in names.items() if fnmatchcase(name, old)), name)
