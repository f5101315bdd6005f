"""Sweeps: copies for every combination of values, all else once."""

from typing import Annotated, Any

import pytest

from graph.document import Link, Node, Port, Workflow
from graph.document_json import parse_workflow, write_workflow
from graph.dynamic_prompts import choose_prompts
from graph.memory_store import MemoryStore
from graph.node import node
from graph.outcome import Outcome
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.run import run_workflow
from graph.sockets import Socket, SocketType
from graph.spec import Input, NodeSpec, Number, Text
from graph.sweep import GRID, MOST_COPIES, Axis, Stop, expand_sweep, point_of
from graph.sweep_axes import axes_of, read_axis
from graph.sweep_marks import POINT
from graph.validation import validate
from tests.graph.running import STANDARD, ToyJob, run
from tests.graph.toys import TOYS, picture, spec

Picture = Socket("IMAGE")
TABLE = [{"text.text": "a cat", "sample.steps": "4"}, {"text.text": "a dog", "sample.steps": "9"}]


def table(name: str) -> list[dict[str, str]]:
    assert name == "animals.csv"
    return TABLE


def axis(text: str) -> Axis:
    return read_axis(text, table)


def values(text: str) -> list[Any]:
    return [value for stop in axis(text).stops for value in stop.values.values()]


def swept(*texts: str, workflow: Workflow | None = None, types: Registry = TOYS) -> dict[str, Node]:
    found = expand_sweep(workflow or picture(), types, [axis(text) for text in texts])
    assert validate(found.workflow, types) == []
    return dict(found.workflow.nodes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sample.cfg=3:9:2", [3, 5, 7, 9]),
        ("sample.cfg=1:2:0.25", [1.0, 1.25, 1.5, 1.75, 2.0]),
        ("sample.cfg=0.1:0.3:0.1", [0.1, 0.2, 0.3]),
        ("sample.steps=3:1:-1", [3, 2, 1]),
        ("sample.steps=2:4", [2, 3, 4]),
        ("sample.sampler=euler, ddim", ["euler", "ddim"]),
        ("text.text=a: b, c", ["a: b", "c"]),
        ('text.text=["a, b", "c"]', ["a, b", "c"]),
        ("text.text=@animals.csv:text.text", ["a cat", "a dog"]),
    ],
)
def test_values_are_lists_ranges_or_columns(text: str, expected: list[Any]) -> None:
    assert values(text) == expected


def test_a_table_sets_its_columns_together() -> None:
    assert [dict(stop.values) for stop in axis("@animals.csv").stops] == TABLE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cfg", "no sweep"),
        ("=1", "no sweep"),
        ("a.b=", "no sweep"),
        ("a.b=1:5:-1", "no range"),
        ("a.b=1:5:0", "no range"),
        ("a.b=0:1e9", "1,000,000,001 values"),
        ("a.b=[1", "no JSON list"),
        ("a.b=[]", "no values"),
        ("a.b=@animals.csv", "names no column"),
        ("a.b=@animals.csv:no", "no column no"),
    ],
)
def test_what_is_no_sweep_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(WorkflowError, match=words) as caught:
        axis(text)
    assert all(problem.fix for problem in caught.value.problems)


def test_only_nodes_behind_the_swept_input_are_copied() -> None:
    nodes = swept("sample.cfg=3:5")
    assert list(nodes) == [
        "load", "text", "empty",
        "sample~1", "decode~1", "save~1", "sample~2", "decode~2", "save~2", "sample~3", "decode~3", "save~3",
    ]  # fmt: skip
    assert [nodes[f"sample~{n}"].inputs["cfg"] for n in (1, 2, 3)] == [3.0, 4.0, 5.0]
    assert nodes["save~2"].inputs["images"] == Link("decode~2", "IMAGE")
    assert nodes["sample~2"].title == "Sample (cfg 4)"
    assert nodes["sample~2"].extra[POINT] == {"sample.cfg": 4}


def test_axes_multiply_and_the_one_that_reaches_most_changes_slowest() -> None:
    nodes = swept("sample.cfg=3,5", "load.name=a,b")
    saves = [id for id in nodes if id.startswith("save")]
    assert saves == ["save~1.1", "save~2.1", "save~1.2", "save~2.2"]
    assert [id for id in nodes if id.startswith("load")] == ["load~1", "load~2"]
    assert nodes["sample~2.1"].inputs["model"] == Link("load~1", "MODEL")


def test_inputs_of_one_table_change_together() -> None:
    nodes = swept("@animals.csv")
    assert [nodes[f"sample~{n}"].inputs["steps"] for n in (1, 2)] == [4, 9]
    assert [nodes[f"text~{n}"].inputs["text"] for n in (1, 2)] == ["a cat", "a dog"]


def test_a_document_lists_its_axes() -> None:
    given = [
        {"input": "sample.cfg", "values": [3, 5]},
        {"input": "sample.steps", "range": [2, 6, 2]},
        {"input": "text.text", "table": "animals.csv", "column": "text.text"},
        {"inputs": {"sample.seed": [1, 2], "empty.width": [64, 128]}},
        {"table": "animals.csv"},
    ]
    text = write_workflow(Workflow(picture().nodes, extra={"sweep": given}))
    axes = axes_of(parse_workflow(text), table)
    assert [len(axis.stops) for axis in axes] == [2, 3, 2, 2, 2]
    assert axes[1].stops[1] == Stop({"sample.steps": 4}, "steps 4")
    assert dict(axes[3].stops[1].values) == {"sample.seed": 2, "empty.width": 128}


@pytest.mark.parametrize(
    "given",
    [
        "x", [1], [{}], [{"input": "a"}], [{"input": "a", "range": [1]}], [{"inputs": {"a": [1], "b": []}}],
        [{"input": "a", "values": []}], [{"inputs": {}}], [{"input": 5, "values": [1]}],
    ],
)  # fmt: skip
def test_a_wrong_sweep_in_a_document_is_refused(given: Any) -> None:
    with pytest.raises(WorkflowError):
        axes_of(Workflow({}, extra={"sweep": given}), table)


def test_a_value_that_does_not_fit_is_refused_before_anything_runs() -> None:
    with pytest.raises(WorkflowError, match="steps"):
        swept("sample.steps=4,many")
    with pytest.raises(WorkflowError, match="no input"):
        swept("sample.stepz=4")


def test_a_sweep_of_too_many_copies_is_refused() -> None:
    with pytest.raises(WorkflowError, match=f"{MOST_COPIES:,} are the most"):
        swept("sample.cfg=1:100", "sample.seed=1:100")


def test_ports_of_outputs_are_there_for_every_copy() -> None:
    ports = {
        "prompt": Port("text", "text"),
        "cfg": Port("sample", "cfg"),
        "picture": Port("decode", output="IMAGE"),
    }
    workflow = Workflow(picture().nodes, ports=ports)
    found = expand_sweep(workflow, TOYS, [axis("cfg=3,5")]).workflow.ports
    assert found == {
        "prompt": ports["prompt"],
        "picture~1": Port("decode~1", output="IMAGE"),
        "picture~2": Port("decode~2", output="IMAGE"),
    }


def test_ids_that_are_taken_are_avoided() -> None:
    workflow = Workflow({**picture().nodes, "sample~1": Node("Empty")})
    assert "sample~1~" in swept("sample.cfg=3,5", workflow=workflow)


DYNAMIC = Input("text", SocketType(("STRING",)), widget=Text(dynamic_prompts=True))
SAYING = Registry([NodeSpec("Say", print, (DYNAMIC, Input("cfg", SocketType(("FLOAT",)), widget=Number())))])


def test_all_copies_of_a_node_choose_their_dynamic_prompts_alike() -> None:
    options = "{" + "|".join("abcdefghijklmnop") + "}"
    said = Workflow({"say": Node("Say", {"text": options, "cfg": 1.0})})
    chosen = choose_prompts(said, SAYING, 7).nodes["say"].inputs["text"]
    copies = expand_sweep(said, SAYING, [axis("say.cfg=3,5,7")]).workflow
    texts = [node.inputs["text"] for node in choose_prompts(copies, SAYING, 7).nodes.values()]
    assert texts == [chosen] * 3


def test_a_point_is_a_workflow_of_its_own() -> None:
    workflow = Workflow(
        picture().nodes, extra={"sweep": [{"input": "sample.cfg", "values": [3]}], "by": "me"}
    )
    point = point_of(workflow, TOYS, {"sample.cfg": 3})
    assert point.nodes["sample"].inputs["cfg"] == 3.0
    assert point.extra == {"by": "me"}


@node(GRID, extra={"partial": True})
def grid(column_labels: list[str], row_labels: list[str], **pictures: Any) -> Annotated[Any, Picture]:
    """What is there of a sweep."""
    return (column_labels, row_labels, sorted(pictures))


@node("Picture")
def a_picture(value: int, other: int = 0) -> Any:
    """A number for a picture."""
    if value == 4:
        raise ValueError("no four")
    return value * 10 + other


def gridded() -> tuple[Workflow, Registry]:
    @node("SavePicture", output=True)
    def save_picture(images: Annotated[Any, Picture], filename_prefix: str = "out") -> Outcome:
        """Keep a picture."""
        return Outcome(ui={"kept": [filename_prefix, images]})

    types = Registry([*STANDARD, *map(spec, (grid, a_picture, save_picture))])
    nodes = {
        "picture": Node("Picture", {"value": 1}),
        "save": Node("SavePicture", {"images": Link("picture", "*"), "filename_prefix": "p"}),
    }
    return Workflow(nodes), types


def test_pictures_are_laid_out_in_a_labelled_grid() -> None:
    workflow, types = gridded()
    axes = [axis("picture.value=1,2"), axis("picture.other=5,6,7")]
    nodes = expand_sweep(workflow, types, axes).workflow.nodes
    inputs = nodes["save~grid"].inputs
    assert inputs["column_labels"] == ["other 5", "other 6", "other 7"]
    assert inputs["row_labels"] == ["value 1", "value 2"]
    assert [inputs[f"picture_{n}"] for n in (1, 2, 4)] == [
        Link("picture~1.1", "*"),
        Link("picture~1.2", "*"),
        Link("picture~2.1", "*"),
    ]
    assert nodes["save~save grid"].inputs == {
        "images": Link("save~grid", "IMAGE"),
        "filename_prefix": "p-grid",
    }


def test_points_that_fail_leave_the_others_and_a_gap_in_the_grid() -> None:
    workflow, types = gridded()
    found = expand_sweep(workflow, types, [axis("picture.value=3:5")]).workflow
    result = run_workflow(found, types, job=ToyJob())
    assert [error.node for error in result.errors] == ["picture~2"]
    kept = {id: ui["kept"] for id, ui in result.outputs.items()}
    assert {id: kept[id] for id in ("save~1", "save~3")} == {"save~1": ["p", 30], "save~3": ["p", 50]}
    labels = ["value 3", "value 4", "value 5"]
    assert kept["save~save grid"] == ["p-grid", (labels, [], ["picture_1", "picture_3"])]


def test_what_all_points_share_runs_once_and_a_second_run_nothing() -> None:
    nodes = {
        "base": Node("Number", {"value": 1}),
        "sum": Node("Add", {"a": Link("base", "INT")}),
        "show": Node("Show", {"value": Link("sum", "INT")}),
    }
    types = Registry(STANDARD)
    found = expand_sweep(Workflow(nodes), types, [axis("sum.b=1:3")]).workflow
    memory = MemoryStore()
    first = run(found.nodes, memory=memory)
    assert first.started.count("base") == 1
    assert [first.shown(f"show~{n}") for n in (1, 2, 3)] == [[2], [3], [4]]
    assert run(found.nodes, memory=memory).started == []
