"""The checks of a workflow's structure: instances, boundaries, reroutes and what leads to them."""

from collections.abc import Iterator, Mapping
from typing import Any

from graph.document import INPUTS, SUBGRAPH, VALUE, Link, Node, Subgraph, Workflow
from graph.flat import VIRTUAL, is_flat
from graph.problems import Problem
from graph.scopes import Scope, scopes_of, subgraph_of
from graph.suggestions import did_you_mean


def subgraph_problems(workflow: Workflow) -> list[Problem]:
    """What is wrong with instances and their links, each told where its subgraph is first used."""
    if is_flat(workflow):
        return []
    problems, seen = list[Problem](), set[str]()
    for scope in scopes_of(workflow, problems):
        if scope.definition is None or scope.subgraph not in seen:
            seen.add(scope.subgraph)
            problems.extend(_in_scope(workflow, scope))
    return [*problems, *_port_problems(workflow)]


def _in_scope(workflow: Workflow, scope: Scope) -> Iterator[Problem]:
    for id, node in scope.nodes.items():
        if node.type.startswith(SUBGRAPH):
            yield from _instance_problems(workflow, scope, id, node)
        for name, value in node.inputs.items():
            if isinstance(value, Link) and (found := _link_fault(workflow, scope, value)):
                message, fix = found
                where = f"Node {scope.path}{id}, input {name[:80]}: "
                yield Problem("dangling_link", where + message, f"{scope.path}{id}", name, fix)
    for name, item in scope.definition.outputs.items() if scope.definition else ():
        if item.link and (found := _link_fault(workflow, scope, item.link)):
            message, fix = found
            where = f"Node {scope.path[:-1]}, output {name[:80]}: inside, "
            yield Problem("dangling_link", where + message, scope.path[:-1], fix=fix)


def _instance_problems(workflow: Workflow, scope: Scope, id: str, node: Node) -> Iterator[Problem]:
    definition, place = subgraph_of(workflow, node), f"{scope.path}{id}"
    if definition is None:
        name = node.type[len(SUBGRAPH) :]
        message = f"Node {place}: the workflow has no subgraph '{name[:80]}'."
        yield Problem("unknown_subgraph", message, place, fix=did_you_mean(name, workflow.subgraphs))
        return
    for name in node.inputs:
        if name not in definition.inputs and not _is_address(workflow, definition, name):
            message = f"Node {place}: subgraph {_title(node, definition)} has no input {name[:80]}."
            yield Problem("unknown_input", message, place, name, did_you_mean(name, definition.inputs))


def _is_address(workflow: Workflow, definition: Subgraph, address: str) -> bool:
    """Whether "9:3.width" names an input of a node within a subgraph."""
    at: Subgraph | None = definition
    while at:
        if Scope(at.nodes).node_in(address):
            return True
        inner = next((id for id in at.nodes if address.startswith(f"{id}:")), None)
        if inner is None:
            return False
        at, address = subgraph_of(workflow, at.nodes[inner]), address[len(inner) + 1 :]
    return False


def _title(node: Node, definition: Subgraph) -> str:
    return (node.title or definition.title or node.type)[:80]


def _link_fault(workflow: Workflow, scope: Scope, link: Link) -> tuple[str, str] | None:
    """What is wrong with a link to a boundary, an instance or a reroute, or within a subgraph to nothing."""
    ends: Mapping[str, Any] | None = None
    node = scope.nodes.get(link.node)
    if link.node == INPUTS and scope.definition:
        ends = scope.definition.inputs
    elif node is not None and node.type in VIRTUAL:
        ends = {VALUE: None}
    elif node is not None and (definition := subgraph_of(workflow, node)):
        ends = definition.outputs
    elif node is None and scope.definition:
        return f"node {link.node[:80]} does not exist.", did_you_mean(link.node, scope.nodes)
    if ends is None or link.output in ends:
        return None
    what = "the subgraph has no input" if link.node == INPUTS else f"node {link.node[:80]} has no output"
    return f"{what} {link.output[:80]}.", did_you_mean(link.output, ends)


def _port_problems(workflow: Workflow) -> Iterator[Problem]:
    for name, port in workflow.ports.items():
        node = workflow.nodes.get(port.node)
        definition = subgraph_of(workflow, node) if node else None
        if definition is None:
            continue
        known = definition.inputs if port.input else definition.outputs
        end = port.input or port.output
        if end not in known and not (port.input and _is_address(workflow, definition, end)):
            side = "input" if port.input else "output"
            message = f"Port {name[:80]}: node {port.node[:80]} has no {side} {end[:80]}."
            yield Problem("dangling_port", message, port.node, port.input or None, did_you_mean(end, known))
