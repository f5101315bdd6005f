"""Prompt weights: which words weigh how much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusion.prompts import BREAK, a1111_parts, weighted_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a red apple", [("a red apple", 1.0)]),
        ("a (red:1.3) apple", [("a ", 1.0), ("red", 1.3), (" apple", 1.0)]),
        ("(a)", [("a", 1.1)]),
        ("((a))", [("a", pytest.approx(1.21))]),
        ("(a (b:2) c)", [("a ", 1.1), ("b", 2.0), (" c", 1.1)]),
        ("(a (b):0.5)", [("a ", 0.5), ("b", pytest.approx(0.55))]),
        ("[a]", [("[a]", 1.0)]),
        (r"a \(b\)", [("a (b)", 1.0)]),
        (r"(a \(b\):1.5)", [("a (b)", 1.5)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(:1.5)", [(":1.5", 1.1)]),
        ("(a:-1)", [("a", -1.0)]),
        ("", []),
        ("a (b", [("a ", 1.0), ("(b", 1.0)]),
        ("a) b", [("a) b", 1.0)]),
    ],
)
def test_a_prompt_is_cut_into_weighted_parts(text: str, parts: list[tuple[str, float]]) -> None:
    assert weighted_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a red apple", [("a red apple", 1.0)]),
        ("a (red:1.3) apple", [("a ", 1.0), ("red", 1.3), (" apple", 1.0)]),
        ("[a]", [("a", pytest.approx(1 / 1.1))]),
        ("(a (b:2))", [("a ", 1.1), ("b", pytest.approx(2.2))]),
        (r"\(a\)", [("(a)", 1.0)]),
        ("(a", [("a", 1.1)]),
        ("a)", [("a)", 1.0)]),
        ("a BREAK b", [("a ", 1.0), (BREAK, 0.0), (" b", 1.0)]),
    ],
)
def test_a_prompt_may_be_read_as_the_web_ui_does(text: str, parts: list[tuple[str, float]]) -> None:
    assert a1111_parts(text) == parts


def test_brackets_nest_without_bound() -> None:
    [(words, weight)] = weighted_parts("(" * 2000 + "a" + ")" * 2000)
    assert words == "a"
    assert weight > 1e80


@given(st.text(alphabet="ab()\\:.1 ", max_size=40))
def test_any_text_is_cut_without_losing_letters(text: str) -> None:
    kept = "".join(words for words, _ in weighted_parts(text))
    assert [c for c in kept if c == "b"] == [c for c in text if c == "b"]
