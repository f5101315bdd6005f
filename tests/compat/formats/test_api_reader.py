import pytest

from compat.formats.api_reader import read_api, recognises_api
from graph.document import Link
from graph.problems import WorkflowError
from tests.compat.toys import TOYS


def entry(type: str, title: str = "", **inputs: object) -> dict[str, object]:
    return {"class_type": type, "inputs": inputs, **({"_meta": {"title": title}} if title else {})}


def codes(data: object) -> list[tuple[str | None, str]]:
    with pytest.raises(WorkflowError) as caught:
        read_api(data, TOYS)
    return [(problem.node, problem.code) for problem in caught.value.problems]


def test_links_by_number_become_links_by_name() -> None:
    workflow = read_api({"4": entry("Checkpoint"), "7": entry("Lora", model=["4", 0], clip=["4", 1])}, TOYS)
    assert workflow.nodes["7"].inputs == {"model": Link("4", "MODEL"), "clip": Link("4", "CLIP")}
    assert workflow.imported


def test_outputs_that_are_not_there_keep_their_number() -> None:
    data = {
        "1": entry("Checkpoint"),
        "2": entry("Strange"),
        "3": entry("Lora", model=["1", -1], clip=["1", 3]),
    }
    data["4"] = entry("Save", images=["2", 1])
    nodes = read_api(data, TOYS).nodes
    assert nodes["3"].inputs == {"model": Link("1", "output -1"), "clip": Link("1", "output 3")}
    assert nodes["4"].inputs == {"images": Link("2", "output 1")}


def test_wrapped_lists_and_other_lists_are_values() -> None:
    nodes = read_api(
        {"1": entry("Strange", a={"__value__": ["1", 0]}, b=[1, 2, 3], c=["x"]), "2": entry("X")}, TOYS
    )
    assert nodes.nodes["1"].inputs == {"a": ["1", 0], "b": [1, 2, 3], "c": ["x"]}


def test_an_id_written_as_a_number_is_a_link_only_to_a_node_that_exists() -> None:
    nodes = read_api({"1": entry("Blank"), "2": entry("Strange", a=[1, 0], b=[9, 0])}, TOYS).nodes
    assert nodes["2"].inputs == {"a": Link("1", "IMAGE"), "b": [9, 0]}


def test_only_a_title_of_its_own_is_kept() -> None:
    data = {"1": entry("Checkpoint", "Load it"), "2": entry("Checkpoint", "Base"), "3": entry("X", "X")}
    assert [node.title for node in read_api(data, TOYS).nodes.values()] == ["", "Base", ""]


def test_a_posted_body_is_read_by_its_prompt() -> None:
    body = {"prompt": {"1": entry("Blank")}, "client_id": "me"}
    assert recognises_api(body)
    assert list(read_api(body, TOYS).nodes) == ["1"]


def test_a_picture_with_a_workflow_beside_its_prompt_is_left_to_that() -> None:
    assert not recognises_api({"prompt": {"1": entry("Blank")}, "workflow": {}})


def test_a_node_may_be_called_prompt() -> None:
    assert list(read_api({"prompt": entry("Blank"), "2": entry("Blank")}, TOYS).nodes) == ["prompt", "2"]


def test_everything_unreadable_is_told_at_once() -> None:
    data = {"1": 5, "2": {"inputs": {}}, "3": {"class_type": "Blank", "inputs": []}, "4": entry("Blank")}
    assert codes(data) == [("1", "bad_node"), ("2", "missing_node_type"), ("3", "bad_node")]


def test_a_node_without_inputs_is_read() -> None:
    assert read_api({"1": {"class_type": "Blank"}}, TOYS).nodes["1"].inputs == {}


def test_a_workflow_without_nodes_is_told() -> None:
    assert codes({}) == [(None, "empty")]


@pytest.mark.parametrize("data", [None, 3, [], "x", {}, {"nodes": []}, {"1": {"inputs": {}}}])
def test_other_data_is_not_taken_for_it(data: object) -> None:
    assert not recognises_api(data)
