"""Hidden inputs of plugins' nodes for jobs that no other program posted: the workflow in foreign formats."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graph.calling import RunningGraph
from graph.problems import WorkflowError

if TYPE_CHECKING:
    from graph.document import Workflow
    from graph.registry import Registry
    from host.services import Services


@dataclass(frozen=True)
class WrittenWorkflow:
    """Gives PROMPT (the workflow in API format) and EXTRA_PNGINFO (the editor's), written when asked for."""

    workflow: "Workflow"
    services: "Services"
    types: "Registry"

    def __call__(self, kind: str, node: str, graph: RunningGraph) -> Any:
        """The value of a kind, the same for every node."""
        if kind == "PROMPT":
            return self._prompt
        return {"workflow": self._editor} if kind == "EXTRA_PNGINFO" else None

    @cached_property
    def _prompt(self) -> Any:
        return self._written("api")

    @cached_property
    def _editor(self) -> Any:
        return self._written("editor")

    def _written(self, format: str) -> Any:
        """The workflow in a format, {} where it cannot be said in it."""
        try:
            return self.services.format_named(format).write(self.workflow, self.types)
        except (WorkflowError, StopIteration):
            return {}
