import random
from datetime import datetime

import pytest

from compat.formats.texts import choose, choose_prompts, fill_prefixes
from graph.document import Node, Workflow
from tests.compat.toys import TOYS


def read(text: str, seed: int = 0) -> str:
    return choose(text, random.Random(seed))


def encode(text: str) -> Workflow:
    return Workflow({"1": Node("Encode", {"text": text})})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain | text }", "plain | text }"),
        (r"\{a\|b\}", "{a|b}"),
        (r"{a\|b}", "a|b"),
        (r"C:\dir", r"C:\dir"),
        ("{x|{x|x}}{}", "x"),
        ("{open", "open"),
        ("a // gone\nb /* gone\n */c", "a \nb c"),
    ],
)
def test_a_text_is_read_as_the_front_end_reads_it(text: str, expected: str) -> None:
    assert read(text) == expected


def test_every_option_can_come_up() -> None:
    assert {read("{a|{b|c}|d}", seed) for seed in range(60)} == {"a", "b", "c", "d"}


def test_ten_thousand_levels_are_read() -> None:
    assert read("{" * 10_000 + "x" + "}" * 10_000) == "x"


def test_the_seed_decides_and_nothing_else() -> None:
    text = "{a|b|c|d|e|f|g|h}" * 4
    one, two = (choose_prompts(encode(text), TOYS, seed).nodes["1"].inputs["text"] for seed in (1, 2))
    assert one == choose_prompts(encode(text), TOYS, 1).nodes["1"].inputs["text"] != two


def test_a_chosen_text_is_not_chosen_from_again() -> None:
    once = choose_prompts(encode(r"\{a|b\}"), TOYS, 0)
    assert once.nodes["1"].inputs["text"] == "{a|b}"
    assert choose_prompts(once, TOYS, 0) is once


def test_only_inputs_with_dynamic_prompts_are_touched() -> None:
    workflow = Workflow(
        {"1": Node("Save", {"filename_prefix": "{a|b}"}), "2": Node("Strange", {"text": "{a|b}"})}
    )
    assert choose_prompts(workflow, TOYS, 0) is workflow


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("%date:yyyy-MM-dd hhmmss%", "2026-03-04 050607"),
        ("%date:yy.M.d_h:m:s%", "26.3.4_5:6:7"),
        ("%Sampler.seed%/%Mine.text%", "77/a_b"),
        ("%width%_%nothing.here%", "%width%_%nothing.here%"),
    ],
)
def test_file_name_macros_are_filled_in(prefix: str, expected: str) -> None:
    nodes = {"1": Node("Sampler", {"seed": 77}), "2": Node("Encode", {"text": "a/b"}, title="Mine")}
    nodes["3"] = Node("Save", {"filename_prefix": prefix})
    filled = fill_prefixes(Workflow(nodes), datetime(2026, 3, 4, 5, 6, 7))
    assert filled.nodes["3"].inputs["filename_prefix"] == expected
