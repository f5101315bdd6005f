from typing import Any

import pytest

from compat.formats.litegraph import RawNode, RawSlot
from compat.formats.values import read_values, write_values
from graph.sockets import socket_type
from graph.spec import Choice, FileChoice, Input, NodeSpec
from tests.compat.toys import LOAD, MIXED, SAMPLER, node_type, socket, whole, widget

MASK = node_type(
    "LoadMask",
    [
        widget("image", "COMBO", "a", FileChoice("input", upload="image")),
        widget("channel", "COMBO", "red", Choice(("red", "blue"))),
    ],
)
OLD_SEED = node_type(
    "OldSeed", [Input("noise_seed", socket_type("INT"), widget=whole("x").widget), whole("steps", 20)]
)


def read(spec: NodeSpec | None, values: Any, *slots: RawSlot) -> dict[str, Any]:
    return dict(read_values(RawNode("1", "X", "run", slots, (), values), spec).values)


@pytest.mark.parametrize(
    ("values", "control"),
    [
        ([5, "randomize", 9, 2.5, "ddim"], "randomize"),
        ([5, True, 9, 2.5, "ddim"], "randomize"),
        ([5, False, 9, 2.5, "ddim"], "fixed"),
    ],
)
def test_a_seed_is_followed_by_its_control(values: list[Any], control: str) -> None:
    found = read_values(RawNode("1", "Sampler", values=values), SAMPLER)
    assert found.values == {"seed": 5, "steps": 9, "cfg": 2.5, "method": "ddim"}
    assert found.controls == {"seed": control}


def test_a_list_without_controls_is_told_by_its_length() -> None:
    assert read(SAMPLER, [5, 9, 2.5, "ddim"]) == {"seed": 5, "steps": 9, "cfg": 2.5, "method": "ddim"}


def test_a_whole_number_called_noise_seed_has_a_control_too() -> None:
    assert read(OLD_SEED, [5, "fixed", 9]) == {"noise_seed": 5, "steps": 9}


def test_a_choice_with_a_control_is_followed_by_it() -> None:
    spec = node_type(
        "C", [widget("a", "COMBO", "x", Choice(("x",)), extra={"control_after_generate": True}), whole("b")]
    )
    assert read(spec, ["x", "increment-wrap", 3]) == {"a": "x", "b": 3}


def test_required_widgets_come_before_optional_ones_and_forced_inputs_have_none() -> None:
    assert read(MIXED, [True, 7, 0.25]) == {"on": True, "last": 7, "late": 0.25}


def test_placeholders_of_forced_inputs_in_old_files_are_dropped() -> None:
    assert read(MIXED, [True, 99, 7, 0.25]) == {"on": True, "last": 7, "late": 0.25}


@pytest.mark.parametrize("values", [["b.png", "image"], ["b.png"], ["b.png", None]])
def test_an_upload_button_may_or_may_not_have_a_value(values: list[Any]) -> None:
    assert read(LOAD, values) == {"image": "b.png"}


@pytest.mark.parametrize(
    "values", [["b.png", "blue", "image"], ["b.png", "image", "blue"], ["b.png", "blue"]]
)
def test_an_upload_button_may_stand_last_or_by_its_widget(values: list[Any]) -> None:
    assert read(MASK, values) == {"image": "b.png", "channel": "blue"}


def test_missing_values_are_left_out_and_surplus_ones_ignored() -> None:
    assert read(SAMPLER, [5]) == {"seed": 5}
    assert read(LOAD, ["b.png", "image", "what", 3]) == {"image": "b.png"}
    assert read(SAMPLER, []) == {}


def test_null_leaves_a_default() -> None:
    assert read(SAMPLER, [5, "fixed", None, 2.5, "ddim"]) == {"seed": 5, "cfg": 2.5, "method": "ddim"}


def test_values_by_name_are_taken_by_name() -> None:
    named = {"seed": 5, "control_after_generate": "increment", "method": "ddim", "videopreview": {}}
    found = read_values(RawNode("1", "Sampler", values=named), SAMPLER)
    assert (found.values, found.controls) == ({"seed": 5, "method": "ddim"}, {"seed": "increment"})


def test_without_a_type_the_files_own_widgets_name_the_values() -> None:
    seed = RawSlot("seed", ("INT",), widget=True)
    slots = (RawSlot("a"), RawSlot("b", widget=True), RawSlot("c", widget=True))
    assert read(None, [1, 2], *slots) == {"b": 1, "c": 2}
    assert read(None, ["x", "image"], RawSlot("a", widget=True)) == {"a": "x"}
    assert read(None, [7, "fixed", "increment"], seed, RawSlot("mode", ("COMBO",), widget=True)) == {
        "seed": 7,
        "mode": "increment",
    }
    assert read(None, [1, 2, 3], RawSlot("a", link="1", widget=True)) == {}
    assert read(None, ["fixed"]) == {}


def test_values_are_written_in_order_with_controls_and_buttons() -> None:
    assert write_values(SAMPLER, {"steps": 9}, {"seed": "randomize"}) == [0, "randomize", 9, 8.0, "euler"]
    assert write_values(MASK, {"image": "b.png"}, {}) == ["b.png", "red", "image"]
    assert write_values(MIXED, {"late": 0.25}, {}) == [True, 3, 0.25]
    assert write_values(node_type("N", [socket("a", "IMAGE")]), {}, {}) == []
