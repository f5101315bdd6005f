"""Expressions are worked out as arithmetic, and nothing but arithmetic can be written."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.arithmetic import ExpressionError, evaluate
from nodes.expression import math_expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("a * b - c", 2.5),
        ("7 // 2 + 7 % 2", 4),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("-a + +b", -0.5),
        ("round(a / 64) * 64", 0),
        ("clamp(100, 0, b)", 2.5),
        ("max(a, b, 1) if a > b else min(a, b)", 3),
        ("1 < a <= 3 and not 0", 1),
        ("a > 5 or b == 2.5", 1),
        ("floor(2.7) + ceil(2.1)", 5),
        ("sqrt(16) + pi - pi", 4),
        ("\n 4 /\n 2 ", 2),
    ],
)
def test_arithmetic_has_its_value(text: str, expected: float) -> None:
    assert evaluate(text, {"a": 3, "b": 2.5, "c": 5}) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no expression"),
        ("a +", "is no expression"),
        ("1 + ) 2", "no expression at character 5"),
        ("x + 1", "no variable x"),
        ("1 / 0", "divides by zero"),
        ("9 ** 9 ** 9", "too large"),
        ("1e308 * 10", "infinite"),
        ("sqrt(-1)", "no value"),
        ("(-8) ** 0.5", "no value"),
        ("min()", "no value"),
        ("open(1)", "no function open"),
        ("__import__('os')", "no function __import__"),
        ("a.real", "not allowed"),
        ("'a' * 3", "not allowed"),
        ("[1, 2]", "not allowed"),
        ("(lambda: 1)()", "not allowed"),
        ("max(a for a in b)", "not allowed"),
        ("max(*b)", "not allowed"),
        ("round(a, ndigits=1)", "no function|not allowed"),
        ("a := 3", "no expression"),
        ("import os", "no expression"),
        ("1 << 9999999", "not allowed"),
        ("a" * 2000, "1000 are the most"),
        ("(" * 300 + "1" + ")" * 300, "cannot be read|no expression"),
        ("-" * 200 + "1", "nested more than"),
        ("10 ** 300 ** 2", "too large"),
        ("\0", "cannot be read|no expression"),
    ],
)
def test_anything_else_is_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why) as caught:
        evaluate(text, {"a": 1, "b": 2})
    assert str(caught.value).endswith(".")


@given(st.text(alphabet="ab0123456789.+-*/%()<>=! ,maxindloge_[]'", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_number_or_a_sentence(text: str) -> None:
    try:
        assert math.isfinite(evaluate(text, {"a": 3, "b": 0.5}))
    except ExpressionError as error:
        assert str(error).endswith(".")


def test_the_node_gives_a_whole_number_a_fraction_and_a_switch() -> None:
    assert math_expression("a / b", 7, 2) == (4, 3.5, True)
    assert math_expression("a - b", 2, 2.0) == (0, 0.0, False)
    assert math_expression("c * d", c=2**60, d=2) == (2**61, float(2**61), True)
