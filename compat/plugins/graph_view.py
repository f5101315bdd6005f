"""The running graph as packs see it: the object behind the hidden input DYNPROMPT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compat.plugins.values import Slots
from graph.calling import RunningGraph


class NodeNotFoundError(Exception):
    """There is no node of this id."""


@dataclass(frozen=True, slots=True)
class GraphView:
    """Nodes in API form, those made while running included."""

    graph: RunningGraph
    slots: Slots
    original_prompt: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def get_node(self, node_id: str) -> dict[str, Any]:
        """A node; raises NodeNotFoundError."""
        node = self.graph.node(node_id)
        if node is None:
            raise NodeNotFoundError(f"Node {node_id} not found")
        return self.slots.api_node(node)

    def has_node(self, node_id: str) -> bool:
        """Whether there is such a node."""
        return self.graph.node(node_id) is not None

    def get_real_node_id(self, node_id: str) -> str:
        """The workflow's own node that this one is part of."""
        return self.graph.root(node_id)

    def get_parent_node_id(self, node_id: str) -> str | None:
        """The node that made this one."""
        return self.graph.parent(node_id)

    def get_display_node_id(self, node_id: str) -> str:
        """The node that a person sees in its place."""
        return self.graph.display(node_id)

    def get_original_prompt(self) -> Mapping[str, Any]:
        """The workflow as it was posted, as far as it is known here."""
        return self.original_prompt
