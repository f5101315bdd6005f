"""Setting an input of a workflow by name."""

from dataclasses import replace
from typing import Any

import pytest

from graph.document import Link, Node, Port, Workflow
from graph.editing import set_input
from graph.problems import WorkflowError
from tests.graph.toys import TOYS, picture


def value_of(workflow: Workflow, address: str, value: Any, key: str, input: str) -> Any:
    return set_input(workflow, TOYS, address, value).nodes[key].inputs[input]


def refusal(address: str, value: Any, workflow: Workflow | None = None) -> str:
    with pytest.raises(WorkflowError) as caught:
        set_input(workflow or picture(), TOYS, address, value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("address", "text", "value"),
    [
        ("sample.steps", "7", 7),
        ("sample.cfg", "7", 7.0),
        ("sample.cfg", "1.5", 1.5),
        ("sample.sampler", "ddim", "ddim"),
        ("text.text", "7", "7"),
        ("text.text", "a = b.c", "a = b.c"),
        ("save.overwrite", "yes", True),
        ("save.overwrite", "False", False),
        ("sample.steps", 9, 9),
    ],
)
def test_a_text_is_read_by_the_type_of_its_input(address: str, text: Any, value: Any) -> None:
    key, input = address.split(".")
    found = value_of(picture(), address, text, key, input)
    assert (found, type(found)) == (value, type(value))


def test_a_node_may_be_called_by_its_title() -> None:
    workflow = picture(empty=Node("Empty", title="Canvas v1.5"))
    assert value_of(workflow, "canvas v1.5.width", "64", "empty", "width") == 64
    assert value_of(picture(), "Save Image.prefix", "cat", "save", "prefix") == "cat"


def test_a_port_is_an_address_of_its_own() -> None:
    workflow = replace(picture(), ports={"prompt": Port("text", input="text")})
    assert value_of(workflow, "prompt", "a dog", "text", "text") == "a dog"


def test_a_link_is_replaced_by_a_value() -> None:
    workflow = Workflow({"a": Node("Add", {"a": 1}), "b": Node("Add", {"a": Link("a", "INT")})})
    assert value_of(workflow, "b.a", "5", "b", "a") == 5


def test_the_workflow_itself_stays_as_it_was() -> None:
    workflow = picture()
    set_input(workflow, TOYS, "sample.steps", "9")
    assert workflow == picture()


@pytest.mark.parametrize(
    ("address", "value", "sentence"),
    [
        ("sample.steps", "many", 'sample.steps: takes a whole number, not "many".'),
        ("sample.steps", "3.9", "Use 3 or 4."),
        ("sample.steps", "999", "999 is above its maximum 100. Use 100 or less."),
        ("sample.steps", "NaN", "takes a whole number"),
        ("sample.steps", "9" * 5000, "takes a whole number"),
        ("sample.cfg", "1e999", "takes a number"),
        ("sample.stpes", "3", "node sample (Sample) has no input stpes. Did you mean steps?"),
        ("sampel.steps", "3", "The workflow has no input sampel.steps. Did you mean sample.steps?"),
        ("steps", "3", "The workflow has no port steps."),
        ("", "3", "The workflow has no port ."),
        (".steps", "3", "The workflow has no port .steps."),
        ("sample.sampler", "eular", "Did you mean euler?"),
    ],
    ids=range(12),
)
def test_what_cannot_be_set_is_a_sentence_with_the_nearest(address: str, value: str, sentence: str) -> None:
    assert sentence in refusal(address, value)


def test_a_title_of_two_nodes_asks_for_the_id() -> None:
    workflow = picture(other=Node("Encode", {"text": "no"}))
    message = refusal("Encode.text", "a", workflow)
    assert "2 nodes are called Encode" in message
    assert "Name one by its id: text.text and other.text." in message


def test_a_port_that_leads_nowhere_is_told() -> None:
    workflow = replace(picture(), ports={"prompt": Port("gone", input="text")})
    assert "the port leads to node gone, which does not exist" in refusal("prompt", "a", workflow)


def test_a_node_of_unknown_type_takes_any_value() -> None:
    workflow = Workflow({"x": Node("Nowhere", {"a": 1})})
    assert value_of(workflow, "x.a", "2", "x", "a") == 2
    assert value_of(workflow, "x.b", "text", "x", "b") == "text"
