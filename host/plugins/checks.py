"""What plugins' nodes check themselves, where their code is: before a job runs, in the worker."""

from itertools import chain
from typing import Final

from graph.document import Workflow
from graph.problems import Problem, WorkflowError
from graph.registry import CORE, Registry
from graph.validation import validate
from host.plugins.described import OWN_CODE

_OWN: Final = "refused_values"


def plugins_in(workflow: Workflow, types: Registry) -> dict[str, str]:
    """The plugin of each node that is no built-in one."""
    found = ((id, types.get(node.type)) for id, node in workflow.nodes.items())
    return {id: spec.source for id, spec in found if spec is not None and spec.source != CORE}


def has_own_code(workflow: Workflow, types: Registry) -> bool:
    """Whether only plugins' code, which does not run here, can say whether all values are right."""
    inner = (node for subgraph in workflow.subgraphs.values() for node in subgraph.nodes.values())
    used = {node.type for node in chain(workflow.nodes.values(), inner)}
    return any((spec := types.get(name)) is not None and OWN_CODE in spec.extra for name in used)


def refuse_values(workflow: Workflow, types: Registry) -> None:
    """Raise WorkflowError with what plugins' nodes have against their values: the server cannot ask them."""
    if refused := refused_values(workflow, types):
        raise WorkflowError(refused)


def refused_values(workflow: Workflow, types: Registry) -> list[Problem]:
    """What plugins' nodes have against their values."""
    specs = (types.get(node.type) for node in workflow.nodes.values())
    if all(spec is None or spec.source == CORE or spec.check is None for spec in specs):
        return []
    found = validate(workflow, types)
    return [item for item in found if item.code == _OWN and item.severity == "error"]
