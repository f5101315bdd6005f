import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.document import Node, Workflow
from graph.document_json import write_workflow
from graph.formats import DARKROOM, Format, NodeTypes, format_text, read_any
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from tests.graph.test_embedded import START, chunk

TYPES = Registry()
OURS = '{"format": "darkroom/1", "nodes": {"ours": {"type": "A"}}}'
LINES = '{"lines": ["theirs"]}'


def is_lines(data: Any) -> bool:
    return isinstance(data, Mapping) and "lines" in data


def read_lines(data: Any, types: NodeTypes) -> Workflow:
    if data["lines"] is None:
        raise WorkflowError([Problem("bad", "There are no lines.")])
    return Workflow({line: Node("A") for line in data["lines"]})


def write_lines(workflow: Workflow, types: NodeTypes) -> Any:
    return {"lines": list(workflow.nodes)}


TOY = Format("api", "Lines", is_lines, read_lines, write_lines)
FORMATS = (DARKROOM, TOY)


def names(data: bytes | str | dict[str, Any]) -> list[str]:
    return list(read_any(data, FORMATS, TYPES).nodes)


def picture(**texts: str) -> bytes:
    return START + b"".join(chunk(b"tEXt", f"{key}\0{text}".encode()) for key, text in texts.items())


def complaint(data: bytes | str | dict[str, Any]) -> str:
    with pytest.raises(WorkflowError) as caught:
        read_any(data, FORMATS, TYPES, "cat.png")
    return caught.value.problems[0].message


@pytest.mark.parametrize(("data", "name"), [(OURS, "ours"), (LINES, "theirs")])
def test_text_bytes_and_objects_are_read_by_their_format(data: str, name: str) -> None:
    assert names(data) == names(data.encode()) == names(json.loads(data)) == [name]


def test_a_picture_is_read_by_its_workflow_before_its_prompt() -> None:
    assert names(picture(prompt=LINES, workflow=OURS)) == ["ours"]
    assert names(picture(prompt=LINES, other=OURS)) == ["theirs"]


def test_a_workflow_that_cannot_be_read_leaves_the_prompt() -> None:
    assert names(picture(workflow="{", prompt=LINES)) == ["theirs"]
    assert complaint(picture(workflow="{", prompt="{}")).startswith("This is no workflow: it is not JSON")


def test_a_picture_may_hold_nan_where_a_file_may_not() -> None:
    assert names(picture(prompt='{"lines": ["x"], "is_changed": NaN}')) == ["x"]
    assert "NaN" in complaint('{"lines": ["x"], "is_changed": NaN}')


def test_texts_of_a_picture_may_come_as_an_object() -> None:
    assert names({"prompt": LINES, "workflow": OURS}) == ["ours"]
    assert names({"prompt": json.loads(LINES)}) == ["theirs"]


def test_a_picture_without_a_workflow_is_told() -> None:
    assert complaint(picture()) == "cat.png carries no workflow."


@pytest.mark.parametrize(
    "data", ["[]", "3", "{}", '{"nodes": []}', b"\x00\x01", "", b"x" * 100, "[" * 10_000]
)
def test_anything_else_is_a_sentence(data: bytes | str) -> None:
    assert complaint(data).endswith((".", ")."))


def test_the_formats_there_are_are_named() -> None:
    with pytest.raises(WorkflowError) as caught:
        read_any({}, FORMATS, TYPES, "cat.json")
    assert str(caught.value) == "cat.json is no workflow. These formats can be read: Darkroom, Lines."


def test_our_own_text_is_the_saved_one_and_others_are_plain_json() -> None:
    workflow = read_any(OURS, FORMATS, TYPES)
    assert format_text(DARKROOM, workflow, TYPES) == write_workflow(workflow)
    assert format_text(TOY, workflow, TYPES) == '{\n  "lines": [\n    "ours"\n  ]\n}\n'
    assert DARKROOM.write(workflow, TYPES) == json.loads(OURS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(["format", "nodes", "prompt", "workflow", "layout"]), json_values)


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60) | documents | documents.map(json.dumps))
def test_nothing_but_a_problem_comes_of_any_data(data: Any) -> None:
    try:
        read_any(data, (DARKROOM,), TYPES)
    except WorkflowError as error:
        assert error.problems
