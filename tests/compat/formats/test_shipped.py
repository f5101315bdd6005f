"""The shipped workflows in every format: the twins of a workflow must run as it does."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat.formats.api_writer import write_api
from compat.formats.known import API, EDITOR, FORMATS
from graph.document import Link, Node, Workflow
from graph.document_json import load_workflow
from graph.formats import Format, format_text, read_any
from graph.literals import resolved_value
from graph.modes import active_workflow
from graph.spec import MISSING, Input
from graph.validation import validate
from nodes import registry

TYPES = registry()
SHIPPED = sorted((Path(__file__).parents[3] / "workflows").glob("*.json"))
shipped = pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])


def values(workflow: Workflow) -> Mapping[str, Any]:
    """What every node that runs gets, defaults and all; with its type, since 1 and 1.0 are two cache keys."""
    found = dict[str, Any]()
    for id, node in active_workflow(workflow, TYPES).workflow.nodes.items():
        spec = TYPES.get(node.type)
        assert spec
        found[id] = node.type, {input.name: value(input, node) for input in spec.inputs}
    return found


def value(input: Input, node: Node) -> Any:
    given = node.inputs.get(input.name, input.default)
    return given if isinstance(given, Link) or given is MISSING else repr(resolved_value(input, given))


def test_there_are_shipped_workflows() -> None:
    assert {"txt2img", "img2img"} <= {path.stem for path in SHIPPED}


@shipped
@pytest.mark.parametrize("form", [API, EDITOR], ids=["api", "editor"])
def test_the_twin_of_a_shipped_workflow_runs_as_it_does(path: Path, form: Format) -> None:
    ours = load_workflow(path)
    twin = read_any(format_text(form, ours, TYPES), FORMATS, TYPES)
    assert values(twin) == values(ours)
    assert [problem for problem in validate(twin, TYPES) if problem.severity == "error"] == []


@shipped
def test_a_shipped_workflow_comes_back_from_the_editor_whole(path: Path) -> None:
    ours = load_workflow(path)
    assert replace(EDITOR.read(EDITOR.write(ours, TYPES), TYPES), imported=False) == ours
    assert write_api(ours, TYPES) == write_api(EDITOR.read(EDITOR.write(ours, TYPES), TYPES), TYPES)
