"""What a written value means to a node."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.literals import read_literal, resolved_value
from graph.sockets import ANY, SocketType, as_list, socket_type
from graph.spec import MISSING, Choice, FileChoice, Input, Number, Text, Toggle

INT = Input("x", socket_type("INT"), widget=Number(0, 100))
FLOAT = Input("x", socket_type("FLOAT"), widget=Number())
STRING = Input("x", socket_type("STRING"), widget=Text())
BOOLEAN = Input("x", socket_type("BOOLEAN"), widget=Toggle())
COMBO = Input("x", socket_type("COMBO"), widget=Choice(("a", 1, True)))
FILE = Input("x", socket_type("COMBO"), widget=FileChoice("loras"))
WILD = Input("x", ANY)
IMAGE = Input("x", socket_type("IMAGE"))
EVERY = (INT, FLOAT, STRING, BOOLEAN, COMBO, FILE, WILD, IMAGE)


@pytest.mark.parametrize(
    ("input", "raw", "value"),
    [
        (INT, 3, 3),
        (INT, 3.0, 3),
        (FLOAT, 3, 3.0),
        (FLOAT, 0.5, 0.5),
        (STRING, "a", "a"),
        (BOOLEAN, True, True),
        (COMBO, 1, 1),
        (COMBO, True, True),
        (FILE, "a\\b.safetensors", "a/b.safetensors"),
    ],
)
def test_a_right_value_is_given_in_its_own_type(input: Input, raw: Any, value: Any) -> None:
    read = read_literal(input, raw)
    assert (read.value, type(read.value), read.faults) == (value, type(value), ())


@pytest.mark.parametrize("raw", [1, True, 1.0, None, "1", [1], {"a": 1}])
def test_a_wildcard_takes_any_value_as_it_is(raw: Any) -> None:
    read = read_literal(WILD, raw)
    assert read.value is raw and not read.faults


@pytest.mark.parametrize(
    ("input", "raw", "value"),
    [
        (INT, "40", 40),
        (INT, 40.9, 40),
        (INT, True, 1),
        (FLOAT, "0.5", 0.5),
        (FLOAT, False, 0.0),
        (STRING, 7, "7"),
        (STRING, None, "None"),
        (BOOLEAN, "false", True),
        (BOOLEAN, "", False),
        (BOOLEAN, 0, False),
    ],
)
def test_lenient_reading_converts_as_the_field_does_and_warns(input: Input, raw: Any, value: Any) -> None:
    read = read_literal(input, raw, lenient=True)
    assert (read.value, type(read.value), read.wrong) == (value, type(value), False)
    assert [fault.code for fault in read.faults] == ["converted"]
    assert read_literal(input, raw).wrong


@pytest.mark.parametrize(
    ("input", "raw"), [(INT, "3.9"), (INT, None), (INT, [1]), (FLOAT, "many"), (FLOAT, "inf"), (FLOAT, {})]
)
def test_lenient_reading_refuses_what_cannot_be_converted(input: Input, raw: Any) -> None:
    assert read_literal(input, raw, lenient=True).wrong


def test_bounds_hold_for_converted_values_too() -> None:
    read = read_literal(INT, "400", lenient=True)
    assert [fault.code for fault in read.faults] == ["converted", "too_large"]


@pytest.mark.parametrize("raw", ["abc", "", None, [1, 2], {"a": 1}])
def test_what_is_no_number_is_told_which_numbers_may_stand_there(raw: Any) -> None:
    bounded = Input("x", socket_type("FLOAT"), widget=Number(0.0, 100.0))
    for input, fix in (
        (INT, "Write a whole number from 0 to 100."),
        (bounded, "Write a number from 0 to 100."),
        (FLOAT, "Write a number."),
    ):
        assert [fault.fix for fault in read_literal(input, raw).faults] == [fix]


def test_a_choice_is_strict_about_types() -> None:
    assert read_literal(COMBO, 1.0).wrong
    assert resolved_value(COMBO, 1.0, lenient=True) == 1


def test_null_leaves_an_optional_input_out() -> None:
    optional = Input("x", socket_type("INT"), required=False, widget=Number())
    assert read_literal(optional, None).value is None
    assert not read_literal(optional, None).faults
    assert read_literal(INT, None).wrong


def test_a_list_input_is_read_item_by_item() -> None:
    many = Input("x", as_list(socket_type("FLOAT")), widget=Number(0, 1))
    assert resolved_value(many, [0, 1]) == [0.0, 1.0]
    assert [fault.code for fault in read_literal(many, [0, "a", 5]).faults] == ["wrong_type", "too_large"]
    assert resolved_value(many, 1) == 1.0


def test_a_union_of_numbers_takes_the_type_that_fits() -> None:
    either = Input("x", SocketType(("INT", "FLOAT")), widget=Number())
    assert [type(resolved_value(either, raw)) for raw in (1, 1.5)] == [int, float]
    assert read_literal(either, "a").wrong


def test_an_unchecked_input_leaves_bounds_and_choices_to_the_node() -> None:
    free = Input("x", socket_type("INT"), widget=Number(0, 1), extra={"unchecked": True})
    assert not read_literal(free, 7).faults
    assert read_literal(free, "a").wrong
    chosen = Input("x", socket_type("COMBO"), widget=Choice(("a",)), extra={"unchecked": True})
    assert resolved_value(chosen, "new") == "new"


def test_values_that_are_no_json_pass_where_no_type_is_known() -> None:
    thing = object()
    assert resolved_value(IMAGE, thing) is thing


def test_sizes_go_in_steps_from_the_minimum() -> None:
    size = Input("x", socket_type("INT"), widget=Number(16, 100, step=8))
    assert not read_literal(size, 24).faults
    assert [fault.fix for fault in read_literal(size, 97).faults] == ["Use 96."]
    odd = Input("x", socket_type("INT"), widget=Number(1, 31, step=2))
    assert read_literal(odd, 4).faults[0].message == "4 is not 1 plus a multiple of 2."
    assert not read_literal(Input("x", FLOAT.type, widget=Number(0, 10, step=2)), 3.0).faults


RAW = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None)
@given(RAW, st.sampled_from(EVERY), st.booleans())
def test_any_value_is_read_without_an_exception_and_right_values_are_stable(
    raw: Any, input: Input, lenient: bool
) -> None:
    read = read_literal(input, raw, lenient)
    assert all(fault.message.endswith(".") for fault in read.faults)
    if not read.wrong:
        assert resolved_value(input, read.value, lenient) == read.value


def test_missing_is_shown_as_such() -> None:
    assert repr(MISSING) == "MISSING"
