"""The document on disk: any bytes give a workflow or sentences, and saving is stable."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.document import Link, Node, Port, Workflow
from graph.document_json import load_workflow, migrate, parse_workflow, save_workflow, write_workflow
from graph.json_text import read_json
from graph.problems import Problem, WorkflowError
from graph.validation import validate
from tests.graph.toys import TOYS, picture

EXAMPLE = """{
  "format": "darkroom/1",
  "nodes": {
    "sampler": {
      "type": "KSampler",
      "inputs": {
        "model": {"link": ["checkpoint", "MODEL"]},
        "seed": 7,
        "note": {"value": {"link": "no wire"}}
      },
      "title": "Färbe",
      "mode": "bypass",
      "colour": "red"
    },
    "bare": {
      "type": "Empty"
    }
  },
  "ports": {
    "seed": {"node": "sampler", "input": "seed"}
  },
  "layout": {
    "sampler": [420, 80]
  },
  "groups": [
    {"title": "All", "nodes": ["sampler"]}
  ],
  "notes": [
    {"text": "hello"}
  ],
  "lock": {
    "checkpoint": {"sha256": "00"}
  },
  "made by": {"name": "a test"}
}
"""


def problems(data: Any) -> tuple[Problem, ...]:
    with pytest.raises(WorkflowError) as caught:
        parse_workflow(data)
    return caught.value.problems


def document(**nodes: Any) -> dict[str, Any]:
    return {"format": "darkroom/1", "nodes": nodes}


def test_everything_in_a_document_is_read() -> None:
    workflow = parse_workflow(EXAMPLE)
    sampler = workflow.nodes["sampler"]
    assert sampler.inputs == {"model": Link("checkpoint", "MODEL"), "seed": 7, "note": {"link": "no wire"}}
    assert (sampler.title, sampler.mode, sampler.extra) == ("Färbe", "bypass", {"colour": "red"})
    assert workflow.nodes["bare"] == Node("Empty")
    assert workflow.ports == {"seed": Port("sampler", input="seed")}
    assert workflow.layout == {"sampler": [420, 80]}
    assert workflow.groups == ({"title": "All", "nodes": ["sampler"]},)
    assert workflow.notes == ({"text": "hello"},)
    assert workflow.lock == {"checkpoint": {"sha256": "00"}}
    assert workflow.extra == {"made by": {"name": "a test"}}
    assert not workflow.imported


def test_reading_and_writing_gives_the_same_bytes() -> None:
    assert write_workflow(parse_workflow(EXAMPLE)) == EXAMPLE


def test_an_object_is_read_like_its_text() -> None:
    assert parse_workflow(json.loads(EXAMPLE)) == parse_workflow(EXAMPLE) == parse_workflow(EXAMPLE.encode())


def test_moving_a_box_changes_one_line() -> None:
    moved = write_workflow(parse_workflow(EXAMPLE.replace("[420, 80]", "[0, 0]")))
    different = [new for old, new in zip(EXAMPLE.splitlines(), moved.splitlines(), strict=True) if old != new]
    assert different == ['    "sampler": [0, 0]']


@pytest.mark.parametrize(
    ("data", "code", "sentence"),
    [
        (b"", "empty", "The workflow is empty."),
        (b" \n ", "empty", "The workflow is empty."),
        (b"\xff\xfe\x00", "not_json", "it is not text (byte 0 is not UTF-8)"),
        (b"hello", "not_json", "it is not JSON (Expecting value at line 1, column 1)"),
        (b'{"format": "darkroom/1",', "not_json", "it is not JSON"),
        (b"[]", "not_a_workflow", "it is [], not an object"),
        (b"{}", "not_a_workflow", 'it has no "format"'),
        (b'{"format": 1}', "unknown_format", 'The format is 1; expected "darkroom/1".'),
        (b'{"format": "darkroom/zero"}', "unknown_format", 'expected "darkroom/1"'),
        (b'{"format": "darkroom/2"}', "newer_format", "this Darkroom reads up to darkroom/1"),
        (b'{"format": "darkroom/1"}', "bad_form", "In the workflow, nodes is missing."),
        (b'{"x": NaN}', "not_a_number", "holds NaN"),
        (b'{"x": -Infinity}', "not_a_number", "holds -Infinity"),
        (b'{"x": 1e999}', "huge_number", "holds 1e999"),
        (b'{"x": ' + b"9" * 5000 + b"}", "huge_number", "a number of 5000 digits"),
        (b'{"x": 1, "x": 2}', "duplicate_key", 'The name "x" is given twice in one object.'),
        (b'{"x": "\\ud800"}', "unreadable", "half a character"),
        (b'{"\\ud800": 1}', "unreadable", "half a character in the name"),
        (b'{"x": ' + b"[" * 70 + b"]" * 70 + b"}", "unreadable", "nests values more than 64 deep"),
        (b"[" * 1_000_000, "unreadable", "nests values more than 64 deep"),
        (b'{"a":' * 1_000_000, "unreadable", "nests values more than 64 deep"),
        ({"format": float("nan")}, "unreadable", "not a finite number"),
        ({"format": object()}, "unreadable", "which JSON cannot hold"),
        ({1: "x"}, "unreadable", "uses a int where a name must stand"),
        ({"x": 10**60}, "unreadable", "a number that is too large"),
    ],
    ids=range(25),
)
def test_what_is_no_workflow_is_refused_in_a_sentence(data: Any, code: str, sentence: str) -> None:
    (problem,) = problems(data)
    assert problem.code == code
    assert sentence in problem.message


def test_where_json_breaks_off_is_told_once() -> None:
    (problem,) = problems('{"format": "dark')
    assert problem.message == (
        "This is no workflow: it is not JSON (Unterminated string starting at line 1, column 12)."
    )


def test_a_hundred_megabytes_of_junk_are_refused_at_once() -> None:
    (problem,) = problems(b"\0" * (100 * 2**20))
    assert problem.message == "The workflow is larger than 64 MB."


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "nests values" in problems({"format": "darkroom/1", "nodes": {}, "x": loop})[0].message


def test_every_fault_of_form_is_told_with_its_place() -> None:
    found = problems(
        document(
            a={"inputs": []}, b=3, c={"type": "X", "mode": "off"}, d={"type": ""}, e={"type": "X", "title": 1}
        )
    )
    assert [str(problem) for problem in found] == [
        "Node a, type is missing.",
        "Node a, inputs must be an object, not [].",
        "Node b must be an object, not 3.",
        "Node c, mode must be 'run', 'mute' or 'bypass', not \"off\".",
        'Node d, type must not be empty, not "".',
        "Node e, title must be text, not 1.",
    ]


def test_a_port_names_its_ends_and_nothing_else() -> None:
    (problem,) = problems(document() | {"ports": {"p": {"node": "a", "inputs": "b"}}})
    assert str(problem) == "In the workflow, ports.p.inputs is not known here."


@pytest.mark.parametrize("link", [3, [], ["a"], ["a", "b", "c"], [1, "b"], None, {"link": 1}])
def test_a_broken_link_says_where_and_how_to_write_one(link: Any) -> None:
    (problem,) = problems(document(a={"type": "X", "inputs": {"i": {"link": link}}}))
    assert problem.message == "Node a, input i: this is no link."
    assert '{"link": [node, output]}' in problem.fix


def test_a_link_that_counts_outputs_is_told_to_name_one() -> None:
    (problem,) = problems(document(a={"type": "X", "inputs": {"i": {"link": ["b", 0]}}}))
    assert "counts outputs (0)" in problem.message


def test_a_node_needs_an_id() -> None:
    assert problems(document(**{"": {"type": "X"}}))[0].message == "A node has an empty id."


def test_thousands_of_faults_are_counted() -> None:
    found = problems(document(**{str(n): {} for n in range(3000)}))
    assert len(found) == 1001
    assert found[-1].message == "There are 2000 more problems."


def test_an_older_document_is_brought_up_version_by_version() -> None:
    steps = {
        1: lambda document: document | {"trail": [*document.get("trail", []), 1]},
        2: lambda document: document | {"trail": [*document.get("trail", []), 2]},
    }
    assert migrate({"format": "darkroom/1"}, steps, newest=3) == {"format": "darkroom/3", "trail": [1, 2]}


def test_a_file_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "work.json"
    save_workflow(picture(), path)
    with pytest.raises(WorkflowError, match="cannot be written as JSON"):
        save_workflow(picture(text={"text": object()}), path)
    assert load_workflow(path) == picture()
    assert os.listdir(tmp_path) == ["work.json"]  # noqa: PTH208


def test_a_save_that_fails_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "work.json").mkdir()
    with pytest.raises(WorkflowError, match=r"Cannot write .*: it is a folder\."):
        save_workflow(picture(), tmp_path / "work.json")
    with pytest.raises(WorkflowError, match=r"Cannot write .*: no such file or directory\."):
        save_workflow(picture(), tmp_path / "none" / "work.json")
    assert os.listdir(tmp_path) == ["work.json"]  # noqa: PTH208


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"Cannot read .*: no such file or directory\."):
        load_workflow(tmp_path / "none.json")
    with pytest.raises(WorkflowError, match=r"Cannot read .*: it is a folder\."):
        load_workflow(tmp_path)
    with pytest.raises(WorkflowError, match=r"Cannot read .*: embedded null byte\."):
        load_workflow(Path("a\0b"))


def test_a_not_a_number_is_never_written() -> None:
    with pytest.raises(WorkflowError, match="cannot be written"):
        write_workflow(picture(sample={"cfg": float("nan")}))


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.just("link") | st.just("value"), inner, max_size=2)
    ),
    max_leaves=6,
)
LINKS = st.builds(Link, NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=3))
KNOWN = {"type", "inputs", "title", "mode", "format", "nodes", "ports", "layout", "groups", "notes", "lock"}
EXTRAS = st.dictionaries(NAMES.filter(lambda name: name not in KNOWN), VALUES, max_size=2)
NODES = st.builds(
    Node,
    st.sampled_from([item.id for item in TOYS]) | NAMES,
    st.dictionaries(st.sampled_from(["a", "images", "steps", "link"]) | NAMES, VALUES | LINKS, max_size=3),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    st.sampled_from(["run", "mute", "bypass"]),
    EXTRAS,
)
WORKFLOWS = st.builds(
    Workflow,
    st.dictionaries(NAMES, NODES, max_size=4),
    ports=st.dictionaries(NAMES, st.builds(Port, NAMES, NAMES, st.just("")), max_size=2),
    layout=st.dictionaries(NAMES, VALUES, max_size=2),
    groups=st.lists(VALUES, max_size=2).map(tuple),
    notes=st.lists(VALUES, max_size=2).map(tuple),
    lock=st.dictionaries(NAMES, VALUES, max_size=2),
    extra=EXTRAS,
)


@settings(max_examples=12, deadline=None)
@given(WORKFLOWS)
def test_any_workflow_comes_back_as_it_was_and_is_written_the_same(workflow: Workflow) -> None:
    text = write_workflow(workflow)
    again = parse_workflow(text)
    assert again == workflow
    assert write_workflow(again) == text


@settings(max_examples=12, deadline=None)
@given(WORKFLOWS, st.booleans())
def test_any_workflow_can_be_validated(workflow: Workflow, targeted: bool) -> None:
    targets = list(workflow.nodes)[:1] if targeted else None
    assert all(str(problem) for problem in validate(workflow, TOYS, targets=targets))


JSON = st.recursive(
    VALUES | st.floats() | st.sampled_from(["darkroom/1", "run"]),
    lambda inner: (
        st.dictionaries(st.sampled_from(sorted(KNOWN)) | NAMES, inner, max_size=4)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=20, deadline=None)
@given(JSON | JSON.map(lambda nodes: {"format": "darkroom/1", "nodes": nodes}) | st.binary() | st.text())
def test_whatever_is_read_is_a_workflow_or_a_sentence(data: Any) -> None:
    for given_data in (data, json.dumps(data) if not isinstance(data, bytes) else data):
        try:
            workflow = parse_workflow(given_data)
        except WorkflowError as error:
            assert error.problems and all(problem.message.endswith((".", "…")) for problem in error.problems)
        else:
            validate(workflow, TOYS)


@pytest.mark.parametrize("number", [10**39, 10**40 - 1, 10**40, 10**41, -(10**39), -(10**38)])
def test_an_object_may_hold_just_the_numbers_that_its_text_may(number: int) -> None:
    """Else what is taken today could not be read back tomorrow."""

    def taken(data: Any) -> bool:
        try:
            read_json(data)
        except WorkflowError:
            return False
        return True

    assert taken({"x": number}) is taken(json.dumps({"x": number}))


SAMPLE = Path(__file__).parents[2] / "web" / "src" / "document" / "samples" / "subgraphs.json"


def test_the_editors_sample_of_subgraphs_is_written_as_it_was_read() -> None:
    text = SAMPLE.read_text("utf-8")
    workflow = parse_workflow(text)
    assert [item.title for item in workflow.subgraphs.values()] == ["Invert and save", "Around"]
    assert write_workflow(workflow) == text


@pytest.mark.parametrize(
    ("subgraph", "message"),
    [
        ({}, "In the workflow, subgraphs.s.nodes is missing."),
        ({"nodes": {"1": {}}}, "In subgraph s: Node 1, type is missing."),
        (
            {"nodes": {"1": {"type": "A", "inputs": {"a": {"link": ["x", 0]}}}}, "title": "T"},
            "In subgraph T: Node 1, input a: the link to node x counts outputs (0).",
        ),
        (
            {"nodes": {"@inputs": {"type": "A"}}},
            "In subgraph s: A node is called @inputs, which stands for the boundary of the subgraph.",
        ),
        (
            {"nodes": {}, "outputs": {"o": {"link": 5}}},
            "In subgraph s: Node @outputs, input o: this is no link.",
        ),
    ],
)
def test_faults_of_subgraphs_are_told(subgraph: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        parse_workflow({"format": "darkroom/1", "nodes": {}, "subgraphs": {"s": subgraph}})
    assert [problem.message for problem in caught.value.problems] == [message]
