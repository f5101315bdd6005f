"""The nearest fix, and values as people write them."""

import pytest

from graph.suggestions import did_you_mean, listed, nearest, shown


def test_the_nearest_ignores_case() -> None:
    assert nearest("ksampler", ["VAEDecode", "KSampler"]) == ["KSampler"]


def test_nothing_like_it_gives_nothing() -> None:
    assert nearest("zzz", ["KSampler"]) == []
    assert nearest("", ["KSampler"]) == []


def test_a_huge_word_is_compared_by_its_start() -> None:
    assert nearest("x" * 10**6, ["KSampler"]) == []


def test_few_options_are_listed_when_none_is_near() -> None:
    assert did_you_mean("steps", ["stepz"]) == "Did you mean stepz?"
    assert did_you_mean("zzz", ["a", "b"]) == "There are a and b."
    assert did_you_mean("zzz", ["a"]) == "There is a."
    assert did_you_mean("zzz", []) == did_you_mean("zzz", map(str, range(50))) == ""


def test_words_are_listed_as_in_a_sentence() -> None:
    assert (listed(["a"]), listed(["a", "b"]), listed("abc")) == ("a", "a and b", "a, b and c")
    assert listed("abcdef", 2) == "a, b and 4 more"
    assert listed([]) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("a", '"a"'),
        (None, "null"),
        (1.5, "1.5"),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "an object of 1"),
        ([], "[]"),
        (10**400, "a number of 1329 bits"),
        (object(), "a object"),
        ("x" * 100, '"' + "x" * 58 + "…"),
    ],
    ids=range(10),
)
def test_a_value_is_shown_as_it_is_written(value: object, text: str) -> None:
    assert shown(value) == text
