"""Instances of subgraphs as node types: inputs and outputs with the widgets of what they feed inside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from graph.document import INPUTS, PRIMITIVE, REROUTE, SUBGRAPH, VALUE, Link, Node, Subgraph, Workflow
from graph.flat import HIDDEN, VIRTUAL
from graph.formats import NodeTypes
from graph.scopes import Scope, subgraph_of
from graph.sockets import ANY, SocketType, socket_type
from graph.spec import Input, NodeSpec, Output, never_run

FEEDS: Final = "feeds"
"""Key of an input's `extra`: the name of the inner input that it is the value of."""

Nodes = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class WithSubgraphs:
    """The node types there are, and those that a workflow's own subgraphs make."""

    workflow: Workflow
    types: NodeTypes

    def get(self, type: str, /) -> NodeSpec | None:
        """The node type of this name."""
        subgraph = self.workflow.subgraphs.get(type[len(SUBGRAPH) :]) if type.startswith(SUBGRAPH) else None
        if subgraph is None:
            return self.types.get(type) or _VIRTUAL.get(type)
        inputs = (self._input(subgraph, name) for name in subgraph.inputs)
        outputs = (Output(name, self._given(subgraph, name)) for name in subgraph.outputs)
        return NodeSpec(type, never_run, tuple(inputs), tuple(outputs), subgraph.title)

    def _input(self, subgraph: Subgraph, name: str) -> Input:
        """An input of a subgraph: as the first it feeds that has a widget, else as the first it feeds."""
        item = subgraph.inputs[name]
        fed = [input for node, end in _fed(self.workflow, subgraph, name) if (input := self.inner(node, end))]
        found = next((input for input in fed if input.widget), fed[0] if fed else None)
        if found is None:
            return Input(name, socket_type(item.type), required=False)
        hint = replace(found.hint, label=item.label)
        kind = socket_type(item.type) if item.type else found.type
        return replace(found, name=name, type=kind, hint=hint, extra={**found.extra, FEEDS: found.name})

    def inner(self, node: Node, name: str) -> Input | None:
        """An input of a node that is no instance; its default is the value behind its link."""
        spec = self.types.get(node.type)
        found = next((input for input in spec.inputs if input.name == name), None) if spec else None
        hidden = cast("Mapping[str, Any]", node.extra.get(HIDDEN, {}))
        return replace(found, default=hidden[name]) if found and name in hidden else found

    def _given(self, subgraph: Subgraph, name: str) -> SocketType:
        item = subgraph.outputs[name]
        if item.type or item.link is None:
            return socket_type(item.type)
        node = subgraph.nodes.get(item.link.node)
        spec = self.types.get(node.type) if node else None
        given = (
            (output.type for output in spec.outputs if output.name == item.link.output) if spec else iter(())
        )
        return next(given, ANY)


def _virtual(type: str) -> NodeSpec:
    return NodeSpec(type, never_run, (Input(VALUE, ANY, required=False),), (Output(VALUE, ANY),))


_VIRTUAL: Final = {type: _virtual(type) for type in (REROUTE, PRIMITIVE)}


def _fed(workflow: Workflow, subgraph: Subgraph, name: str) -> Iterator[tuple[Node, str]]:
    """The nodes and inputs that an input of a subgraph feeds, through reroutes and inner instances."""
    waiting, seen = [(subgraph, Link(INPUTS, name))], set[tuple[int, Link]]()
    while waiting:
        at, link = waiting.pop(0)
        if (id(at), link) in seen:
            continue
        seen.add((id(at), link))
        for key, node in at.nodes.items():
            for end in (end for end, value in node.inputs.items() if value == link):
                if definition := subgraph_of(workflow, node):
                    waiting.append((definition, Link(INPUTS, end)))
                elif node.type in VIRTUAL:
                    waiting.append((at, Link(key, VALUE)))
                else:
                    yield node, end


def on_every_canvas(workflow: Workflow, change: Callable[[Nodes], Nodes]) -> Workflow:
    """The workflow with the nodes of the whole and those of each subgraph changed alike."""
    subgraphs = {id: replace(item, nodes=change(item.nodes)) for id, item in workflow.subgraphs.items()}
    return replace(workflow, nodes=change(workflow.nodes), subgraphs=subgraphs)


def addressed(workflow: Workflow, types: NodeTypes, node: Node, address: str) -> Input | None:
    """The input that "9:3.width" means within an instance; None where there is no such input."""
    at, known = subgraph_of(workflow, node), WithSubgraphs(workflow, types)
    while at:
        if inner := Scope(at.nodes).node_in(address):
            spec = known.get(at.nodes[inner].type)
            found = (input for input in (spec.inputs if spec else ()))
            name = address[len(inner) + 1 :]
            return next((input for input in found if input.name == name), None if spec else Input(name, ANY))
        id = next((id for id in at.nodes if address.startswith(f"{id}:")), None)
        if id is None:
            return None
        at, address = subgraph_of(workflow, at.nodes[id]), address[len(id) + 1 :]
    return None
