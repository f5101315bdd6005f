from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.formats.api_reader import read_api
from compat.formats.api_writer import write_api
from compat.formats.editor_reader import read_editor
from compat.formats.editor_writer import write_editor
from graph.document import Link, Node, Port, Workflow
from graph.registry import Registry
from graph.spec import NodeSpec
from tests.compat.toys import TOYS

NODES = {
    "checkpoint": Node("Checkpoint", {"name": "x.ckpt"}),
    "text": Node("Encode", {"text": "a {b|c}", "clip": Link("checkpoint", "CLIP")}, title="Words"),
    "sampler": Node(
        "Sampler",
        {"model": Link("checkpoint", "MODEL"), "positive": Link("text", "CONDITIONING"), "steps": 9},
        extra={"control": {"seed": "randomize"}, "color": "#123"},
    ),
    "decode": Node("Decode", {"samples": Link("sampler", "LATENT"), "vae": Link("checkpoint", "VAE")}),
    "save": Node("Save", {"images": Link("decode", "IMAGE")}, mode="mute"),
}
PICTURE = Workflow(
    NODES,
    ports={"prompt": Port("text", "text")},
    layout={"sampler": [420, 80], "save": [900, 80, 300, 100]},
    groups=({"title": "All", "bounds": [0, 0, 9, 9], "color": "#111"},),
    notes=({"text": "# hi", "at": [1, 2, 30, 40], "markdown": True},),
    lock={"darkroom": "0.1"},
    extra={"author": "me"},
)


def back(workflow: Workflow) -> Workflow:
    return replace(read_editor(write_editor(workflow, TOYS), TOYS), imported=False)


def by_type(document: dict[str, Any], type: str) -> dict[str, Any]:
    return next(node for node in document["nodes"] if node["type"] == type)


def test_what_is_written_is_read_back_the_same() -> None:
    assert back(PICTURE) == PICTURE


def test_nodes_have_slots_values_and_links_as_the_front_end_wants_them() -> None:
    document = write_editor(PICTURE, TOYS)
    sampler, checkpoint = by_type(document, "Sampler"), by_type(document, "Checkpoint")
    assert [slot["name"] for slot in sampler["inputs"]] == [
        "model",
        "positive",
        "latent",
        "seed",
        "steps",
        "cfg",
        "method",
    ]
    assert sampler["inputs"][2] == {"name": "latent", "type": "LATENT", "link": None, "shape": 7}
    assert sampler["inputs"][3] == {"name": "seed", "type": "INT", "link": None, "widget": {"name": "seed"}}
    assert sampler["widgets_values"] == [0, "randomize", 9, 8.0, "euler"]
    number = sampler["inputs"][0]["link"]
    assert checkpoint["outputs"][0] == {"name": "MODEL", "type": "MODEL", "links": [number]}
    assert [number, checkpoint["id"], 0, sampler["id"], 0, "MODEL"] in document["links"]
    assert sampler["properties"]["Node name for S&R"] == "Sampler"


def test_numbers_stay_ids_and_names_get_the_next_free_ones() -> None:
    document = write_editor(Workflow({"a": Node("Blank"), "7": Node("Blank"), "07": Node("Blank")}), TOYS)
    assert [node["id"] for node in document["nodes"]] == [8, 7, 9]
    assert (document["last_node_id"], document["last_link_id"], document["version"]) == (9, 0, 0.4)


def test_a_node_without_a_place_is_laid_out_right_of_its_sources() -> None:
    document = write_editor(Workflow(NODES), TOYS)
    left = {node["type"]: node["pos"][0] for node in document["nodes"]}
    assert left["Checkpoint"] < left["Encode"] < left["Sampler"] < left["Decode"] < left["Save"]
    places = [tuple(node["pos"]) for node in document["nodes"]]
    assert len(set(places)) == len(places)


def test_a_node_moved_in_the_editor_stays_where_it_was_put() -> None:
    document = write_editor(PICTURE, TOYS)
    by_type(document, "Sampler")["pos"] = [1, 2]
    assert read_editor(document, TOYS).layout["sampler"][:2] == [1, 2]


def test_a_default_changed_in_the_editor_is_taken() -> None:
    document = write_editor(PICTURE, TOYS)
    by_type(document, "Sampler")["widgets_values"][0] = 5
    inputs = read_editor(document, TOYS).nodes["sampler"].inputs
    assert (inputs["seed"], "cfg" in inputs) == (5, False)


def test_a_copied_node_does_not_take_the_name_along() -> None:
    document = write_editor(Workflow({"a": Node("Blank")}), TOYS)
    document["nodes"].append({**document["nodes"][0], "id": 2})
    assert list(read_editor(document, TOYS).nodes) == ["1", "2"]


def test_modes_are_written() -> None:
    nodes = {"1": Node("Blank"), "2": Node("Blank", mode="mute"), "3": Node("Blank", mode="bypass")}
    assert [node["mode"] for node in write_editor(Workflow(nodes), TOYS)["nodes"]] == [0, 2, 4]


def test_links_that_lead_nowhere_and_values_without_a_widget_are_kept() -> None:
    nodes = {
        "a": Node("Save", {"images": Link("gone", "IMAGE"), "filename_prefix": Link("b", "PICTURE")}),
        "b": Node("Invert", {"image": [1, 2], "typo": "x"}),
        "c": Node(
            "Mixed", {"image": Link("b", "output 7"), "on": None, "forced": 3, "odd": Link("b", "output -1")}
        ),
    }
    assert back(Workflow(nodes)).nodes == nodes


def test_a_link_into_a_widget_keeps_the_value_behind_it() -> None:
    hidden = {"hidden_values": {"filename_prefix": "kept"}}
    nodes = {
        "1": Node("Strange"),
        "2": Node("Save", {"filename_prefix": Link("1", "output 0")}, extra=hidden),
    }
    assert back(Workflow(nodes)).nodes["2"] == nodes["2"]
    plain = {**nodes, "2": replace(nodes["2"], extra={})}
    assert back(Workflow(plain)).nodes["2"] == plain["2"]


def test_unknown_nodes_keep_their_values() -> None:
    nodes = {"1": Node("Strange", {"a": 1, "b": "fixed", "c": Link("2", "IMAGE")}), "2": Node("Blank")}
    assert back(Workflow(nodes)).nodes["1"].inputs == nodes["1"].inputs


@pytest.mark.parametrize("values", [[5, "t"], [5, "fixed", "t"]])
def test_an_unknown_node_of_a_file_is_written_as_it_was(values: list[object]) -> None:
    names = [{"name": name, "type": "INT", "widget": {"name": name}, "link": None} for name in "ab"]
    node = {
        "id": 1,
        "type": "Strange",
        "widgets_values": values,
        "inputs": [{"name": "s", "type": "X", "link": None}, *names],
    }
    node |= {"outputs": [{"name": "o", "type": "Y", "links": None}]}
    written = write_editor(read_editor({"nodes": [node], "links": []}, TOYS), TOYS)["nodes"][0]
    assert {key: written[key] for key in node} == node


def test_a_plugins_node_goes_by_its_bare_name() -> None:
    types = Registry((NodeSpec("Glow", print, source="pack"),))
    workflow = Workflow({"1": Node("pack/Glow")})
    document = write_editor(workflow, types)
    assert document["nodes"][0]["type"] == "Glow"
    assert read_editor(document, types).nodes == workflow.nodes


def test_what_the_editor_keeps_for_itself_is_given_back() -> None:
    document = {
        "id": "u-1",
        "revision": 3,
        "nodes": [],
        "links": [],
        "extra": {"ds": {"scale": 2}},
        "version": 0.4,
    }
    written = write_editor(read_editor(document, TOYS), TOYS)
    assert {key: written[key] for key in document} == document


def test_nodes_in_a_circle_are_laid_out_too() -> None:
    nodes = {
        "1": Node("Invert", {"image": Link("2", "IMAGE")}),
        "2": Node("Invert", {"image": Link("1", "IMAGE")}),
    }
    assert back(Workflow(nodes)).nodes == nodes


def effective(workflow: Workflow) -> dict[str, Any]:
    """What an API document says, in which defaults are written out."""
    return write_api(read_api(write_api(workflow, TOYS), TOYS), TOYS)


names = st.sampled_from(["1", "2", "x", "4:5"])
literals = st.one_of(
    st.integers(-9, 9), st.text(max_size=3), st.booleans(), st.none(), st.just([1]), st.just({"a": 1})
)
links = st.builds(Link, names, st.sampled_from(["IMAGE", "MODEL", "output 3", "output -1"]))
inputs = st.sampled_from(["image", "images", "seed", "text", "model", "method", "late", "forced", "odd"])
nodes = st.builds(
    Node,
    st.sampled_from(["Sampler", "Save", "Mixed", "Encode", "Invert", "Checkpoint"]),
    st.dictionaries(inputs, st.one_of(literals, links), max_size=4),
    st.sampled_from(["", "Title"]),
    st.sampled_from(["run", "mute", "bypass"]),
    st.sampled_from([{}, {"control": {"seed": "randomize"}}, {"mine": 1}, {"hidden_values": {"seed": 4}}]),
)
places = st.lists(st.integers(-99, 99), min_size=2, max_size=2) | st.lists(
    st.floats(0, 9), min_size=4, max_size=4
)
workflows = st.builds(
    Workflow, st.dictionaries(names, nodes, min_size=1, max_size=4), layout=st.dictionaries(names, places)
)


def test_a_value_behind_a_link_that_cannot_be_drawn_is_kept() -> None:
    linked = Node("Sampler", {"seed": Link("1", "NO SUCH")}, extra={"hidden_values": {"seed": 4}})
    workflow = Workflow({"1": Node("Sampler"), "2": linked})
    assert back(workflow) == workflow


@settings(max_examples=100, deadline=None)
@given(workflows)
def test_any_workflow_comes_back_from_the_editor_format(workflow: Workflow) -> None:
    assert back(workflow) == workflow


@settings(max_examples=50, deadline=None)
@given(workflows)
def test_a_workflow_that_api_format_can_say_comes_back_from_it(workflow: Workflow) -> None:
    known = {
        id: replace(node, mode="run", inputs={k: v for k, v in node.inputs.items() if _lands(v, workflow)})
        for id, node in workflow.nodes.items()
    }
    clean = Workflow(known)
    assert effective(clean) == write_api(clean, TOYS)


def _lands(value: object, workflow: Workflow) -> bool:
    if not isinstance(value, Link) or value.output.startswith("output"):
        return True
    spec = TOYS.get(workflow.nodes[value.node].type) if value.node in workflow.nodes else None
    return bool(spec) and any(output.name == value.output for output in spec.outputs)
