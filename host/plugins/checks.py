"""What plugins' nodes check themselves, where their code is: before a job runs, in the worker."""

from typing import Final

from graph.document import Workflow
from graph.problems import WorkflowError
from graph.registry import CORE, Registry
from graph.validation import validate

_OWN: Final = "refused_values"


def refuse_values(workflow: Workflow, types: Registry) -> None:
    """Raise WorkflowError with what plugins' nodes have against their values: the server cannot ask them."""
    specs = (types.get(node.type) for node in workflow.nodes.values())
    if any(spec is not None and spec.source != CORE and spec.check is not None for spec in specs):
        found = validate(workflow, types)
        refused = [item for item in found if item.code == _OWN and item.severity == "error"]
        if refused:
            raise WorkflowError(refused)
