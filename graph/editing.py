"""Setting an input of a workflow from outside: `--set node.input=value`, a port, a form."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from graph.document import SUBGRAPH, Node, Workflow
from graph.formats import NodeTypes
from graph.instances import WithSubgraphs, addressed
from graph.literals import read_literal
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.sockets import ANY
from graph.spec import Input, NodeSpec
from graph.suggestions import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Place:
    """An input of a node in a workflow."""

    node: str
    input: str


def set_input(workflow: Workflow, registry: Registry, address: str, value: Any) -> Workflow:
    """The workflow with one input set, a link to it replaced.

    address: a port's name, or `node.input` with the node's id, or its title where only one has it. A text is
    read by the input's type: "7" is 7 to an INT, "false" is false to a BOOLEAN. Raises WorkflowError with a
    sentence when there is no such input or the value does not fit.
    """
    place = find_input(workflow, registry, address)
    input = _input(workflow, registry, place)
    read = read_literal(input, _from_text(input, value) if isinstance(value, str) else value)
    if read.wrong:
        raise WorkflowError(
            Problem(fault.code, f"{address}: {fault.message}", place.node, place.input, fault.fix)
            for fault in read.faults
        )
    node = workflow.nodes[place.node]
    changed = replace(node, inputs={**node.inputs, place.input: read.value})
    return replace(workflow, nodes={**workflow.nodes, place.node: changed})


def find_input(workflow: Workflow, registry: Registry, address: str) -> Place:
    """The input that an address means. Raises WorkflowError with a sentence and the nearest address."""
    port = workflow.ports.get(address)
    if port is not None and port.input:
        return _checked(workflow, registry, Place(port.node, port.input), address)
    for key, input in _splits(address):
        if key in workflow.nodes:
            return _checked(workflow, registry, Place(key, input), address)
    if inside := _inside(workflow, registry, address):
        return inside
    known = WithSubgraphs(workflow, registry)
    for title, input in _splits(address):
        if found := [key for key, node in workflow.nodes.items() if _called(node, known) == title.casefold()]:
            if len(found) > 1:
                fix = f"Name one by its id: {listed(f'{key}.{input}' for key in found)}."
                _refuse("ambiguous_node", f"{address}: {len(found)} nodes are called {title}.", fix)
            return _checked(workflow, registry, Place(found[0], input), address)
    _unknown_address(workflow, registry, address)


def _inside(workflow: Workflow, registry: Registry, address: str) -> Place | None:
    """The input of an instance that sets what "5:3.width" means: width of node 3 within it."""
    for key, node in workflow.nodes.items():
        rest = address.removeprefix(f"{key}:")
        if rest != address and addressed(workflow, registry, node, rest):
            return Place(key, rest)
    return None


def _splits(address: str) -> Iterator[tuple[str, str]]:
    """Ways to part an address at a dot, the longest node name first."""
    at = len(address)
    while (at := address.rfind(".", 0, at)) > 0:
        yield address[:at], address[at + 1 :]


def _called(node: Node, registry: NodeTypes) -> str:
    if node.title:
        return node.title.casefold()
    spec = registry.get(node.type)
    return (spec.title if spec else node.type).casefold()


def _checked(workflow: Workflow, registry: Registry, place: Place, address: str) -> Place:
    node = workflow.nodes.get(place.node)
    if node is None:
        _refuse("dangling_port", f"{address}: the port leads to node {place.node}, which does not exist.")
    spec = WithSubgraphs(workflow, registry).get(node.type)
    if spec is None or spec.takes_any_input:
        return place
    names = [item.name for item in spec.inputs]
    if place.input not in names and not addressed(workflow, registry, node, place.input):
        message = f"{address}: node {place.node} ({_kind(node, spec)}) has no input {place.input}."
        _refuse("unknown_input", message, did_you_mean(place.input, names))
    return place


def _kind(node: Node, spec: NodeSpec) -> str:
    return spec.title or node.type if node.type.startswith(SUBGRAPH) else spec.id


def _unknown_address(workflow: Workflow, registry: Registry, address: str) -> NoReturn:
    known = [name for name, port in workflow.ports.items() if port.input]
    types = WithSubgraphs(workflow, registry)
    known += [f"{key}.{name}" for key, node in workflow.nodes.items() for name in _names(node, types)]
    if not address.rpartition(".")[0] and not workflow.ports:
        fix = "Write node.input=value."
        _refuse(
            "unknown_address", f"The workflow has no port {address}.", did_you_mean(address, known) or fix
        )
    _refuse("unknown_address", f"The workflow has no input {address}.", did_you_mean(address, known))


def _names(node: Node, registry: NodeTypes) -> list[str]:
    spec = registry.get(node.type)
    return [item.name for item in spec.inputs] if spec else list(node.inputs)


def _input(workflow: Workflow, registry: Registry, place: Place) -> Input:
    node = workflow.nodes[place.node]
    spec = WithSubgraphs(workflow, registry).get(node.type)
    found = (item for item in (spec.inputs if spec else ()) if item.name == place.input)
    return next(found, None) or addressed(workflow, registry, node, place.input) or Input(place.input, ANY)


def _from_text(input: Input, text: str) -> Any:
    """What a text typed by a person means to an input; left as it is where it means nothing else."""
    names = input.type.names
    if "STRING" in names:
        return text
    if "COMBO" in names:
        return next((option for option in getattr(input.widget, "options", ()) if str(option) == text), text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, float) and not math.isfinite(value):
        return text
    return _FLAGS.get(text.strip().casefold(), value) if names == ("BOOLEAN",) else value


_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _refuse(code: str, message: str, fix: str = "") -> NoReturn:
    raise WorkflowError([Problem(code, message, fix=fix)])
