"""Mute and bypass: what of a workflow runs."""

from dataclasses import replace

from graph.document import Link, Mode, Node, Workflow
from graph.modes import active_workflow
from graph.node import node
from tests.graph.toys import TOYS, Image, Mask, picture, picture_nodes, spec


def with_mode(key: str, mode: Mode) -> Workflow:
    nodes = picture_nodes()
    return Workflow(nodes | {key: replace(nodes[key], mode=mode)})


def test_a_workflow_that_runs_whole_is_given_back_as_it_is() -> None:
    workflow = picture()
    assert active_workflow(workflow, TOYS).workflow is workflow


def test_a_muted_node_and_all_that_needs_it_is_gone() -> None:
    active = active_workflow(with_mode("sample", "mute"), TOYS)
    assert list(active.workflow.nodes) == ["load", "text", "empty"]
    assert {key: (cut.node, cut.reason) for key, cut in active.dropped.items()} == {
        "decode": ("sample", "is muted"),
        "save": ("sample", "is muted"),
    }


def test_a_bypassed_node_is_replaced_by_its_input_of_the_same_type() -> None:
    active = active_workflow(with_mode("sample", "bypass"), TOYS)
    assert active.workflow.nodes["decode"].inputs == {"latent": Link("empty", "LATENT")}
    assert "sample" not in active.workflow.nodes


def test_a_bypassed_node_that_passes_nothing_on_drops_its_users() -> None:
    active = active_workflow(with_mode("decode", "bypass"), TOYS)
    assert active.dropped["save"].reason == "is bypassed and has no input to pass on as IMAGE"


def test_an_optional_input_can_do_without_a_muted_node() -> None:
    nodes = picture_nodes()
    nodes["mask"] = Node("Decode", {"latent": Link("empty", "LATENT")}, mode="mute")
    sample = nodes["sample"]
    nodes["sample"] = replace(sample, inputs={**sample.inputs, "mask": Link("mask", "MASK")})
    active = active_workflow(Workflow(nodes), TOYS)
    assert "mask" not in active.workflow.nodes["sample"].inputs
    assert active.cut["sample", "mask"].node == "mask"
    assert not active.dropped


def test_an_input_with_a_default_can_do_without_a_node_that_was_dropped() -> None:
    nodes = {
        "off": Node("Add", {"a": 1}, mode="mute"),
        "needs": Node("Add", {"a": Link("off", "INT")}),
        "can": Node("Add", {"a": 1, "b": Link("needs", "INT")}),
    }
    active = active_workflow(Workflow(nodes), TOYS)
    assert active.workflow.nodes == {"can": Node("Add", {"a": 1})}
    assert active.cut["can", "b"].node == "off"


def test_the_input_at_the_outputs_own_place_goes_first() -> None:
    @node("Swap", output_names=("first", "second", "mask"))
    def swap(a: Image, b: Image, c: Mask) -> tuple[Image, Image, Mask]:
        """Give three."""
        return a, b, c

    nodes = {
        "x": Node("Decode"),
        "y": Node("Decode"),
        "swap": Node("Swap", {"a": Link("x", "IMAGE"), "b": Link("y", "IMAGE")}, mode="bypass"),
        "save": Node("Save", {"images": Link("swap", "second")}),
    }
    active = active_workflow(Workflow(nodes), TOYS.with_specs([spec(swap)]))
    assert active.workflow.nodes["save"].inputs["images"] == Link("y", "IMAGE")


def test_a_long_row_of_bypassed_nodes_is_walked_once() -> None:
    row = {
        str(n): Node("Blur", {"image": Link(str(n - 1) if n else "start", "IMAGE")}, mode="bypass")
        for n in range(1000)
    }
    users = {f"s{n}": Node("Save", {"images": Link("999", "IMAGE")}) for n in range(1000)}
    active = active_workflow(Workflow({"start": Node("Decode")} | row | users), TOYS)
    assert active.workflow.nodes["s77"].inputs["images"] == Link("start", "IMAGE")
    assert len(active.workflow.nodes) == 1001


def test_bypassed_nodes_that_feed_each_other_pass_nothing_on() -> None:
    nodes = {
        "a": Node("Blur", {"image": Link("b", "IMAGE")}, mode="bypass"),
        "b": Node("Blur", {"image": Link("a", "IMAGE")}, mode="bypass"),
        "save": Node("Save", {"images": Link("a", "IMAGE")}),
    }
    assert active_workflow(Workflow(nodes), TOYS).dropped["save"].reason == "is bypassed and feeds itself"


def test_links_to_nodes_that_do_not_exist_are_left_for_the_checks() -> None:
    nodes = {
        "a": Node("Blur", {"image": Link("gone", "IMAGE")}, mode="bypass"),
        "save": Node("Save", {"images": Link("a", "IMAGE")}),
    }
    active = active_workflow(Workflow(nodes), TOYS)
    assert active.workflow.nodes["save"].inputs["images"] == Link("gone", "IMAGE")


def test_a_bypassed_node_of_unknown_type_passes_nothing_on() -> None:
    nodes = {
        "a": Node("Unknown", {"image": Link("x", "IMAGE")}, mode="bypass"),
        "save": Node("Save", {"images": Link("a", "IMAGE")}),
    }
    assert "save" in active_workflow(Workflow(nodes), TOYS).dropped
