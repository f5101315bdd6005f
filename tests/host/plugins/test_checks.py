"""What plugins' nodes have against their values is found where their code is."""

from typing import Any

import pytest

from graph.document import Node as Box
from graph.document import Workflow
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.sockets import SocketType
from graph.spec import Input, NodeSpec, Number
from host.plugins.checks import refuse_values


def even(literals: Any, link_types: Any, node: str) -> str:
    return "" if literals["n"] % 2 == 0 else "n must be even."


def types(source: str) -> Registry:
    number = Input("n", SocketType(("INT",)), widget=Number())
    return Registry([NodeSpec("Even", lambda n: None, (number,), output=True, source=source, check=even)])


def test_a_plugins_own_check_refuses_a_job_in_its_words() -> None:
    refuse_values(Workflow({"a": Box("Even", {"n": 2})}), types("pack"))
    with pytest.raises(WorkflowError) as refused:
        refuse_values(Workflow({"a": Box("Even", {"n": 3})}), types("pack"))
    assert [item.node for item in refused.value.problems] == ["a"] and "n must be even." in str(refused.value)


def test_built_in_nodes_were_checked_by_the_server_and_are_not_checked_again() -> None:
    refuse_values(Workflow({"a": Box("Even", {"n": 3})}), types("core"))
