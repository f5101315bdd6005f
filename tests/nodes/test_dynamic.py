"""Dynamic prompts, wildcards and prompts with times are read as people write them."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from graph.keys import fingerprint
from nodes import dynamic, registry
from nodes.dynamic import dynamic_prompt, prompt_schedule
from nodes.prompt_schedule import spans
from nodes.wildcards import pick, settled
from tests.nodes.contexts import ToyContext, context_in

LISTS = {"colours": ["red", "green", "blue"], "things": ["a __colours__ fox", "{old|new} house"]}


def lines(name: str) -> Sequence[str]:
    return LISTS[name]


def readings(text: str, count: int = 200) -> Counter[str]:
    return Counter(settled(text, seed, lines) for seed in range(count))


def test_a_choice_is_one_of_its_options() -> None:
    assert set(readings("a {red|green {dark|light}|} fox")) == {
        "a red fox", "a green dark fox", "a green light fox", "a  fox",
    }  # fmt: skip


def test_the_same_seed_gives_the_same_prompt() -> None:
    text = "{a|b|c} __colours__ {2$$x|y|z}"
    assert [settled(text, 7, lines) for _ in range(3)] == [settled(text, 7, lines)] * 3
    assert len(readings(text)) > 10


def test_weights_make_an_option_likelier() -> None:
    drawn = readings("{9::a|b}", 500)
    assert 0.8 < drawn["a"] / 500 < 0.98
    assert set(readings("{0::a|b}")) == {"b"}


def test_several_are_drawn_without_repeating() -> None:
    for reading in readings("{2$$a|b|c}"):
        first, second = reading.split(", ")
        assert first != second and {first, second} <= {"a", "b", "c"}
    assert set(readings("{2$$ and $$a|b}")) == {"a and b", "b and a"}
    assert {len(reading.split(", ")) for reading in readings("{1-3$$a|b|c}")} == {1, 2, 3}
    assert set(readings("{9$$a|b}")) == {"a, b", "b, a"}
    assert {len(reading.split(", ")) for reading in readings("{-2$$a|b|c}")} == {1, 2}


def test_wildcards_are_lines_that_may_hold_more() -> None:
    assert set(readings("__colours__")) == {"red", "green", "blue"}
    assert set(readings("__things__")) == {
        "a red fox", "a green fox", "a blue fox", "old house", "new house",
    }  # fmt: skip
    for reading in readings("{2$$__colours__}"):
        assert len(set(reading.split(", "))) == 2


def test_plain_texts_and_escapes_stay_as_they_are() -> None:
    assert settled("a (red:1.2) fox, snake_case", 1, lines) == "a (red:1.2) fox, snake_case"
    assert settled(r"\{a\|b\} // gone", 1, lines) == "{a|b} "


def test_a_wildcard_that_names_itself_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="without an end"):
        settled("__self__", 1, lambda name: ["x __self__"])


def test_picking_draws_from_what_it_is_given() -> None:
    assert pick(["only"], random.Random(1)) == "only"
    assert pick(["0::a", "0::b"], random.Random(1)) == ""


def wild(folder: Path) -> ToyContext:
    context = context_in(folder)
    place = context.job.files.folder("wildcards")
    (place / "colours.txt").write_text("# colours\nred\n\n  green  \n", "utf-8")
    (place / "coats.txt").write_text("\ufefffur\n", "utf-8")
    return context


def test_wildcards_are_read_from_their_folder(tmp_path: Path) -> None:
    context = wild(tmp_path)
    assert {dynamic_prompt("a __colours__ __coats__", context, seed) for seed in range(30)} == {
        "a red fur", "a green fur",
    }  # fmt: skip
    assert {dynamic_prompt("__co*__", context, seed) for seed in range(60)} == {"red", "green", "fur"}


def test_a_wildcard_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no wildcard colors, or it is empty. Did you mean colours"):
        dynamic_prompt("__colors__", wild(tmp_path))
    with pytest.raises(ValueError, match=r"There are coats and colours\. It would be .+wildcards/zebra\.txt"):
        dynamic_prompt("__zebra__", wild(tmp_path))


def test_the_node_runs_again_when_a_wildcard_changes(tmp_path: Path) -> None:
    spec = registry().get("DynamicPrompt")
    assert spec is not None and spec.fingerprint is not None
    files = wild(tmp_path).job.files
    assert spec.fingerprint(text="a fox", files=files) == []
    assert spec.fingerprint(text="__colours__", files=files) == [["coats.txt"] * 2, ["colours.txt"] * 2]
    assert spec.fingerprint(text=None, files=files) != []
    assert "files" in fingerprint.__code__.co_varnames


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a fox", ["a fox"] * 4),
        ("a [red:green:0.5] fox", ["a red fox"] * 2 + ["a green fox"] * 2),
        ("a [red:green:1] fox", ["a red fox"] + ["a green fox"] * 3),
        ("a[ red::0.25] fox", ["a red fox"] + ["a fox"] * 3),
        ("a[: red:0.75] fox", ["a fox"] * 3 + ["a red fox"]),
        ("a[ red:3] fox", ["a fox"] * 3 + ["a red fox"]),
        ("[a|b|c]", ["a", "b", "c", "a"]),
        ("[a|]x", ["ax", "x", "ax", "x"]),
        ("[a:[b:c:0.75]:0.25]", ["a", "b", "b", "c"]),
        ("[(a:1.2):(b:0.8):0.5]", ["(a:1.2)"] * 2 + ["(b:0.8)"] * 2),
        ("[a|b] [x:y:2]", ["a x", "b x", "a y", "b y"]),
        ("[plain] \\[a|b\\] [a:b:c]", ["[plain] \\[a|b\\] [a:b:c]"] * 4),
        ("[a:b:0.5", ["[a:b:0.5"] * 4),
        ("[a:b:1.0]", ["a"] * 4),
        ("[a:b:99]", ["a"] * 4),
        ("[a:b:0]", ["b"] * 4),
    ],
)
def test_a_prompt_with_times_says_what_each_step_sees(text: str, expected: list[str]) -> None:
    found = list[str]()
    for start, end, wording in spans(text, 4):
        found += [wording] * sum(start <= (step / 4 + step / 3) / 2 < end for step in range(4))
    assert found == expected


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 50])
def test_spans_follow_one_another_and_part_even_schedules_right(steps: int) -> None:
    found = spans("[a|b]", steps)
    assert found[0][0] == 0 and found[-1][1] == 1 and len(found) == steps
    for step, (start, end, wording) in enumerate(found):
        assert wording == "ab"[step % 2]
        assert start <= step / steps < end
        assert steps == 1 or start <= step / (steps - 1) <= end
    assert [one[1] for one in found[:-1]] == [one[0] for one in found[1:]]


class Words:
    """Stands for the text encoder: a prompt's conditioning is its length."""

    said: list[str]

    def __init__(self) -> None:
        self.said = []

    def encode(self, clip: Any, text: str) -> list[Any]:
        self.said.append(text)
        return [[torch.full((1, 1, 1), len(text)), {"pooled_output": text}]]


def test_each_wording_is_encoded_once_and_has_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words()
    monkeypatch.setattr(dynamic, "words", words)
    made = prompt_schedule(None, "[a|bb]", 4)
    assert words.said == ["a", "bb"]
    assert [item[0].item() for item in made] == [1, 2, 1, 2]
    assert made[0][1]["start_percent"] == 0 and made[-1][1]["end_percent"] == 1
    assert made[0][1]["end_percent"] == made[1][1]["start_percent"]
