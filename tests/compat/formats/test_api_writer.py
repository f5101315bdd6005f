from datetime import datetime

import pytest

from compat.formats.api_reader import read_api
from compat.formats.api_writer import write_api
from graph.document import Link, Mode, Node, Workflow
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.spec import NodeSpec
from tests.compat.toys import TOYS, node_type, socket


def blank(id: str = "blank", mode: Mode = "run") -> dict[str, Node]:
    return {id: Node("Blank", {"width": 64, "height": 64}, mode=mode)}


def written(nodes: dict[str, Node], *more: NodeSpec) -> dict[str, dict[str, object]]:
    entries = write_api(Workflow(nodes), TOYS.with_specs(more))
    return {id: entry["inputs"] for id, entry in entries.items()}


def test_links_by_name_become_links_by_number() -> None:
    nodes = {
        "c": Node("Checkpoint", {"name": "x"}),
        "l": Node("Lora", {"clip": Link("c", "CLIP"), "strength": 2}),
    }
    assert written(nodes)["l"] == {"strength": 2, "clip": ["c", 1]}


def test_widgets_without_a_value_are_written_with_their_default() -> None:
    assert written({"s": Node("Sampler")})["s"] == {"seed": 0, "steps": 20, "cfg": 8.0, "method": "euler"}


def test_the_title_is_the_nodes_own_or_its_types() -> None:
    nodes = {"1": Node("Checkpoint", title="Base"), "2": Node("Checkpoint"), "3": Node("Strange")}
    titles = [entry["_meta"]["title"] for entry in write_api(Workflow(nodes), TOYS).values()]
    assert titles == ["Base", "Load it", "Strange"]


def test_lists_are_wrapped() -> None:
    assert written({"1": Node("Strange", {"a": ["1", 0], "b": {"__value__": 1}})})["1"] == {
        "a": {"__value__": ["1", 0]},
        "b": {"__value__": {"__value__": 1}},
    }


def test_muted_nodes_go_and_links_to_them_too() -> None:
    nodes = {**blank(mode="mute"), "i": Node("Invert", {"image": Link("blank", "IMAGE")})}
    assert written(nodes) == {"i": {}}


def test_a_muted_source_takes_the_widgets_value_along() -> None:
    nodes = {"b": Node("Strange", mode="mute"), "s": Node("Save", {"filename_prefix": Link("b", "output 0")})}
    assert written(nodes) == {"s": {}}


def test_bypassed_nodes_pass_on_what_goes_in() -> None:
    nodes = {
        **blank(),
        "a": Node("Invert", {"image": Link("blank", "IMAGE")}, mode="bypass"),
        "b": Node("Invert", {"image": Link("a", "IMAGE")}, mode="bypass"),
        "save": Node("Save", {"images": Link("b", "IMAGE"), "filename_prefix": "x"}),
    }
    assert written(nodes)["save"] == {"filename_prefix": "x", "images": ["blank", 0]}


def test_a_bypassed_lora_passes_model_and_clip_apart() -> None:
    nodes = {
        "c": Node("Checkpoint", {"name": "x"}),
        "l": Node("Lora", {"model": Link("c", "MODEL"), "clip": Link("c", "CLIP")}, mode="bypass"),
        "e": Node("Encode", {"text": "t", "clip": Link("l", "CLIP")}),
        "s": Node("Sampler", {"model": Link("l", "MODEL")}),
    }
    found = written(nodes)
    assert (found["e"]["clip"], found["s"]["model"]) == (["c", 1], ["c", 0])


def test_a_bypass_takes_the_first_input_of_the_wanted_type() -> None:
    swap = node_type(
        "Swap", [socket("mask", "MASK"), socket("either", "IMAGE,MASK"), socket("image", "IMAGE")], "IMAGE"
    )
    nodes = {
        **blank("one"),
        **blank("two"),
        "x": Node("Swap", {"either": Link("one", "IMAGE"), "image": Link("two", "IMAGE")}, mode="bypass"),
        "i": Node("Invert", {"image": Link("x", "IMAGE")}),
    }
    assert written(nodes, swap)["i"] == {"image": ["two", 0]}


def test_a_bypassed_node_with_no_fitting_input_gives_nothing() -> None:
    nodes = {
        "s": Node("Sampler", mode="bypass"),
        "d": Node("Decode", {"samples": Link("s", "LATENT")}),
        "t": Node(
            "Save",
            {"filename_prefix": Link("c", "MODEL")},
            extra={"hidden_values": {"filename_prefix": "kept"}},
        ),
        "c": Node("Checkpoint", mode="bypass"),
    }
    assert written(nodes) == {"d": {}, "t": {"filename_prefix": "kept"}}


def test_bypassed_nodes_in_a_circle_give_nothing() -> None:
    nodes = {
        "a": Node("Invert", {"image": Link("b", "IMAGE")}, mode="bypass"),
        "b": Node("Invert", {"image": Link("a", "IMAGE")}, mode="bypass"),
        "c": Node("Invert", {"image": Link("a", "IMAGE")}),
    }
    assert written(nodes) == {"c": {}}


def test_a_wildcard_input_takes_what_stands_at_the_same_place() -> None:
    anything = node_type("Anything", [socket("source", "*")])
    nodes = {
        "c": Node("Checkpoint", {"name": "x"}),
        "l": Node("Lora", {"model": Link("c", "MODEL"), "clip": Link("c", "CLIP")}, mode="bypass"),
        "a": Node("Anything", {"source": Link("l", "CLIP")}),
    }
    assert written(nodes, anything)["a"] == {"source": ["c", 1]}


def test_a_link_that_cannot_be_counted_is_told() -> None:
    nodes = {
        "a": Node("Save", {"images": Link("gone", "IMAGE")}),
        "b": Node("Save", {"images": Link("c", "IMAGES")}),
    }
    nodes |= blank("c")
    with pytest.raises(WorkflowError) as caught:
        write_api(Workflow(nodes), TOYS)
    assert [(problem.node, problem.code) for problem in caught.value.problems] == [
        ("a", "missing_node"),
        ("b", "missing_output"),
    ]


def test_a_plugins_node_goes_by_its_bare_name() -> None:
    types = Registry((NodeSpec("Glow", print, source="pack"),))
    assert write_api(Workflow({"1": Node("pack/Glow")}), types)["1"]["class_type"] == "Glow"


def test_dynamic_prompts_are_chosen_and_dates_filled_in() -> None:
    nodes = {
        "e": Node("Encode", {"text": "a {red|red} cat // note"}),
        "s": Node("Save", {"filename_prefix": "%date:yyyy%"}),
    }
    entries = write_api(Workflow(nodes), TOYS, now=datetime(2026, 3, 4))
    assert entries["e"]["inputs"] == {"text": "a red cat "}
    assert entries["s"]["inputs"] == {"filename_prefix": "2026"}


def test_what_was_read_is_written_back() -> None:
    data = {
        "1": {"class_type": "Strange", "inputs": {"x": 1}, "_meta": {"title": "Mine"}, "is_changed": ["a"]},
        "5:2": {"class_type": "Invert", "inputs": {"image": ["1", 4]}, "_meta": {"title": "Invert"}},
        "e": {
            "class_type": "Encode",
            "inputs": {"text": "{kept|as it is}", "clip": ["9", 2]},
            "_meta": {"title": "Encode"},
        },
    }
    assert write_api(read_api(data, TOYS), TOYS) == data
