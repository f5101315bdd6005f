import random

import pytest

from graph.document import Node, Workflow
from graph.dynamic_prompts import choose, choose_prompts
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Input, NodeSpec, Text

TYPES = Registry(
    (
        NodeSpec("Encode", print, (Input("text", socket_type("STRING"), widget=Text(dynamic_prompts=True)),)),
        NodeSpec("Save", print, (Input("filename_prefix", socket_type("STRING"), widget=Text()),)),
    )
)


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
    one, two = (choose_prompts(encode(text), TYPES, seed).nodes["1"].inputs["text"] for seed in (1, 2))
    assert one == choose_prompts(encode(text), TYPES, 1).nodes["1"].inputs["text"] != two


def test_a_chosen_text_is_not_chosen_from_again() -> None:
    once = choose_prompts(encode(r"\{a|b\}"), TYPES, 0)
    assert once.nodes["1"].inputs["text"] == "{a|b}"
    assert choose_prompts(once, TYPES, 0) is once


def test_only_inputs_with_dynamic_prompts_are_touched() -> None:
    workflow = Workflow(
        {"1": Node("Save", {"filename_prefix": "{a|b}"}), "2": Node("Strange", {"text": "{a|b}"})}
    )
    assert choose_prompts(workflow, TYPES, 0) is workflow
