"""Text nodes give what their names say."""

import pytest

from nodes.strings import (
    Extraction,
    case_converter,
    regex_extract,
    regex_match,
    regex_replace,
    string_compare,
    string_concatenate,
    string_contains,
    string_length,
    string_replace,
    string_substring,
    string_trim,
)


def test_texts_are_joined_cut_and_measured() -> None:
    assert string_concatenate("a", "b", ", ") == "a, b"
    assert string_substring("photograph", 2, -2) == "otogra"
    assert string_length("grüße 🙂") == (7,)
    assert string_replace("a b a", "a", "") == " b "


def test_letters_change_their_size() -> None:
    text = "a red FOX"
    assert case_converter(text, "UPPERCASE") == "A RED FOX"
    assert case_converter(text, "lowercase") == "a red fox"
    assert case_converter(text, "Capitalize") == "A red fox"
    assert case_converter(text, "Title Case") == "A Red Fox"


def test_ends_are_trimmed() -> None:
    assert [string_trim("\n a \t", mode) for mode in ("Both", "Left", "Right")] == ["a", "a \t", "\n a"]  # pyright: ignore[reportArgumentType]


def test_texts_are_compared_with_or_without_their_case() -> None:
    assert string_contains("A Fox", "fox", False) == (True,)
    assert string_contains("A Fox", "fox", True) == (False,)
    assert string_compare("A Fox", "a f", "Starts With", False)
    assert not string_compare("A Fox", "a f", "Starts With")
    assert string_compare("A Fox", "Fox", "Ends With")
    assert string_compare("A Fox", "A FOX", "Equal", False)


def test_patterns_are_searched_with_their_flags() -> None:
    assert regex_match("one\nTwo", "two") == (True,)
    assert regex_match("one\nTwo", "two", False) == (False,)
    assert regex_match("one\nTwo", "^two", True, True) == (True,)
    assert regex_match("one\nTwo", "e.t", True, False, True) == (True,)


@pytest.mark.parametrize(
    ("mode", "group", "expected"),
    [
        ("First Match", 1, "cat 3"),
        ("All Matches", 1, "cat\ndog"),
        ("First Group", 2, "3"),
        ("All Groups", 2, "3\n45"),
        ("All Groups", 0, "cat 3\ndog 45"),
        ("First Group", 3, ""),
        ("First Group", 0, "cat 3"),
    ],
)
def test_matches_and_groups_are_given_one_a_line(mode: Extraction, group: int, expected: str) -> None:
    text = "cat 3, dog 45, 7"
    assert regex_extract(text, r"([a-z]+) (\d+)", mode, group_index=group) == expected


def test_nothing_found_is_an_empty_text() -> None:
    modes: list[Extraction] = ["First Match", "All Matches", "First Group", "All Groups"]
    assert [regex_extract("abc", r"\d", mode) for mode in modes] == [""] * 4
    assert regex_extract("cat dog", "[a-z]+", "All Matches") == "cat\ndog"
    assert regex_extract("b", "(a)?b", "First Group") == ""
    assert regex_extract("cat dog", "[a-z]+", "First Group", group_index=0) == "cat"


def test_what_a_pattern_finds_is_replaced() -> None:
    assert regex_replace("a1b22", r"(\d+)", r"<\1>") == "a<1>b<22>"
    assert regex_replace("AaA", "a", "x", False) == "AxA"
    assert regex_replace("aaa", "a", "x", count=2) == "xxa"


def test_a_wrong_pattern_says_where_it_is_wrong() -> None:
    with pytest.raises(ValueError, match=r'"a\(b" is wrong at character 2: missing \)'):
        regex_match("ab", "a(b")
    with pytest.raises(ValueError, match=r'The replacement "\\2" is wrong'):
        regex_replace("ab", "a", r"\2")
