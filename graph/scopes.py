"""The canvases of a workflow with its subgraphs: one scope for the whole and one for every instance."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graph.document import SUBGRAPH, Node, Subgraph, Workflow
from graph.problems import Problem
from graph.spec import MISSING

MOST_NODES: Final = 200_000
MOST_LEVELS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """One canvas as it runs. `path` begins the ids of its nodes: "5:" within instance 5.

    id: what the instance is called in its parent. given: what instances set by address ("3.width"), and the
    scope where that stands, for links in it. children: by instance id.
    """

    nodes: Mapping[str, Node]
    path: str = ""
    level: int = 0
    id: str = ""
    subgraph: str = ""
    definition: Subgraph | None = None
    parent: "Scope | None" = None
    given: "Mapping[str, tuple[Any, Scope]]" = field(default_factory=dict[str, tuple[Any, "Scope"]])
    children: "dict[str, Scope]" = field(default_factory=dict[str, "Scope"])

    def value(self, id: str, input: str) -> "tuple[Any, Scope]":
        """What a node's input is set to, MISSING without, and the scope where that stands."""
        found = self.given.get(f"{id}.{input}")
        return found or (self.nodes[id].inputs.get(input, MISSING), self)

    def values(self, id: str) -> "dict[str, tuple[Any, Scope]]":
        """All that a node's inputs are set to."""
        found = {name: (value, self) for name, value in self.nodes[id].inputs.items()}
        start = f"{id}."
        given = (pair for pair in self.given.items() if pair[0].startswith(start))
        return found | {
            address.removeprefix(start): pair for address, pair in given if self.node_in(address) == id
        }

    def node_in(self, address: str) -> str:
        """The node that an address such as "3.width" means, the longest name first; "" for none."""
        parts = (address[:at] for at in range(len(address) - 1, 0, -1) if address[at] == ".")
        return next((part for part in parts if part in self.nodes), "")


def subgraph_of(workflow: Workflow, node: Node) -> Subgraph | None:
    """The subgraph that a node is an instance of; None for other nodes, and where there is none such."""
    return workflow.subgraphs.get(node.type[len(SUBGRAPH) :]) if node.type.startswith(SUBGRAPH) else None


def scopes_of(workflow: Workflow, problems: list[Problem]) -> list[Scope]:
    """All scopes, the outermost first. Circles and runaway sizes are told in `problems`."""
    root = Scope(workflow.nodes)
    scopes, waiting, count = [root], deque([root]), len(root.nodes)
    while waiting and count <= MOST_NODES:
        scope = waiting.popleft()
        for id, node in scope.nodes.items():
            definition = subgraph_of(workflow, node)
            if definition is None:
                continue
            child = _child(scope, id, node, definition)
            if message := _endless(child):
                problems.append(Problem("endless_subgraph", message, fix="Take the inner instance out."))
                return scopes
            scope.children[id] = child
            scopes.append(child)
            waiting.append(child)
            count += len(definition.nodes)
    if count > MOST_NODES:
        message = f"With its subgraphs expanded the workflow has more than {MOST_NODES} nodes."
        problems.append(Problem("too_large", message, fix="Use fewer instances of its subgraphs."))
    return scopes


def _child(scope: Scope, id: str, node: Node, definition: Subgraph) -> Scope:
    start = f"{id}:"
    own = {name: (value, scope) for name, value in node.inputs.items() if name not in definition.inputs}
    outer = {name[len(start) :]: pair for name, pair in scope.given.items() if name.startswith(start)}
    subgraph = node.type[len(SUBGRAPH) :]
    path, level = f"{scope.path}{id}:", scope.level + 1
    return Scope(definition.nodes, path, level, id, subgraph, definition, scope, own | outer)


def _endless(scope: Scope) -> str:
    title = scope.definition.title if scope.definition else ""
    name = (title or scope.subgraph)[:80]
    if any(outer.subgraph == scope.subgraph for outer in ancestors(scope) if outer.parent):
        return f"Subgraph {name} contains itself."
    too_deep = scope.level > MOST_LEVELS
    return f"Subgraphs are nested more than {MOST_LEVELS} deep at {name}." if too_deep else ""


def ancestors(scope: Scope) -> Iterator[Scope]:
    """The scopes around one, the nearest first."""
    outer = scope.parent
    while outer:
        yield outer
        outer = outer.parent
