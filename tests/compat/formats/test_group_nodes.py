from typing import Any

from compat.formats.editor_reader import read_editor
from graph.document import Link, Node
from graph.flat import flat
from tests.compat.drawn import Json, canvas, drawn, slot, wire
from tests.compat.toys import TOYS

GROUP: Json = {
    "nodes": [
        {"index": 0, "type": "Encode", "inputs": [slot("clip", "CLIP")], "widgets_values": ["first"]},
        {
            "index": 1,
            "type": "Encode",
            "title": "No",
            "inputs": [slot("clip", "CLIP")],
            "widgets_values": ["second"],
        },
        {
            "index": 2,
            "type": "Sampler",
            "inputs": [slot("model", "MODEL"), slot("positive", "CONDITIONING"), slot("latent", "LATENT")],
            "widgets_values": [1, "fixed", 20, 8, "euler"],
        },
    ],
    "links": [[0, 0, 2, 1, "CONDITIONING"]],
    "external": [],
}
SOURCE = drawn(1, "Checkpoint", ["x"])


def read(group: Json, instance: Json, *nodes: Json, links: list[Any] | None = None) -> dict[str, Node]:
    extra = {"groupNodes": {"both": group}}
    return dict(flat(read_editor(canvas([instance, *nodes], links, extra=extra), TOYS), TOYS).nodes)


def group(values: Any, inputs: list[Json] | None = None, prefix: str = "workflow>", **more: Any) -> Json:
    return drawn(5, f"{prefix}both", values, inputs, **more)


def test_a_group_node_becomes_its_nodes_with_the_instances_values() -> None:
    nodes = read(GROUP, group(["one", "two", 9, "randomize", 30, 7, "ddim"]))
    assert list(nodes) == ["5:0", "5:1", "5:2"]
    assert [nodes[f"5:{index}"].inputs["text"] for index in (0, 1)] == ["one", "two"]
    assert nodes["5:2"].inputs == {
        "seed": 9,
        "steps": 30,
        "cfg": 7,
        "method": "ddim",
        "positive": Link("5:0", "CONDITIONING"),
    }


def test_the_newer_prefix_is_known_too() -> None:
    assert list(read(GROUP, group([], prefix="workflow/"))) == ["5:0", "5:1", "5:2"]


def test_a_group_without_values_keeps_those_it_was_made_with() -> None:
    assert read(GROUP, group([]))["5:1"].inputs == {"text": "second"}


def test_sockets_are_found_by_name_and_outputs_by_number() -> None:
    names = [slot("clip", "CLIP", 8), slot("No clip", "CLIP", 9), slot("model", "MODEL", 7)]
    nodes = read(
        GROUP,
        group([], names),
        SOURCE,
        drawn(6, "Decode", None, [slot("samples", "LATENT", 10)]),
        drawn(7, "Sampler", None, [slot("positive", "CONDITIONING", 11)]),
        links=[
            wire(7, 1, 0, 5, 2),
            wire(8, 1, 1, 5, 0),
            wire(9, 1, 1, 5, 1),
            wire(10, 5, 1, 6, 0),
            wire(11, 5, 0, 7, 0),
        ],
    )
    assert nodes["5:0"].inputs["clip"] == nodes["5:1"].inputs["clip"] == Link("1", "CLIP")
    assert nodes["5:2"].inputs["model"] == Link("1", "MODEL")
    assert nodes["6"].inputs["samples"] == Link("5:2", "LATENT")
    assert nodes["7"].inputs["positive"] == Link("5:1", "CONDITIONING")


def test_an_output_used_inside_may_be_shown_all_the_same() -> None:
    shown = {**GROUP, "external": [[0, 0, "CONDITIONING"]]}
    user = drawn(7, "Sampler", None, [slot("positive", "CONDITIONING", 11)])
    nodes = read(shown, group([]), user, links=[wire(11, 5, 0, 7, 0)])
    assert nodes["7"].inputs["positive"] == Link("5:0", "CONDITIONING")


def test_inputs_may_be_renamed_and_hidden() -> None:
    config = {
        "0": {"input": {"text": {"name": "Say"}, "clip": {"visible": False}}},
        "1": {"input": {"text": {"visible": False}}},
    }
    names = [slot("Say", "STRING", 9, True), slot("clip", "CLIP", 8)]
    nodes = read(
        {**GROUP, "config": config},
        group(["one", 9, "fixed", 30, 7, "ddim"], names),
        SOURCE,
        drawn(2, "Strange"),
        links=[wire(8, 1, 1, 5, 1), wire(9, 2, 0, 5, 0)],
    )
    assert nodes["5:0"].inputs == {"text": Link("2", "output 0")}
    assert nodes["5:1"].inputs["text"] == "second"
    assert nodes["5:2"].inputs["seed"] == 9


def test_a_primitive_inside_takes_the_instances_value() -> None:
    inside: Json = {
        "nodes": [
            {
                "index": 0,
                "type": "PrimitiveNode",
                "widgets_values": [3, "fixed"],
                "outputs": [slot("INT", "INT")],
            },
            {
                "index": 1,
                "type": "Blank",
                "inputs": [slot("width", "INT", None, True)],
                "widgets_values": [64, 32],
            },
        ],
        "links": [[0, 0, 1, 0, "INT"]],
    }
    assert read(inside, group([7, 16]))["5:1"].inputs == {"width": 7, "height": 16}
    assert read(inside, group([]))["5:1"].inputs == {"width": 3, "height": 32}


def test_a_muted_group_mutes_what_is_inside() -> None:
    assert {node.mode for node in read(GROUP, group([], mode=2)).values()} == {"mute"}


def test_a_group_nobody_defined_stays_one_unknown_node() -> None:
    nodes = read_editor(canvas([drawn(5, "workflow>gone", [1])]), TOYS).nodes
    assert {id: node.type for id, node in nodes.items()} == {"5": "workflow>gone"}
