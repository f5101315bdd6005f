"""A prompt that names LoRAs as other programs do says so, with what makes them nodes."""

from pathlib import Path

import pytest

from graph.problems import Repair
from nodes.prompt_loras import NamedLora, lora_fault, named_loras, without_loras
from tests.nodes.contexts import ToyFiles


@pytest.fixture
def files(tmp_path: Path) -> ToyFiles:
    found = ToyFiles(tmp_path)
    for name in ("Fine Lines.safetensors", "soft.safetensors"):
        (found.folder("loras") / name).write_bytes(b"")
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a fox", []),
        ("a <lora:soft> fox", [("soft", 1.0, 1.0)]),
        ("<LORA:soft:0.8>", [("soft", 0.8, 0.8)]),
        ("<lora:soft:0.8:.5>", [("soft", 0.5, 0.8)]),
        ("<lora:soft:-1:unet=0.25>", [("soft", 0.25, -1.0)]),
        ("<lora:soft:much>", [("soft", 1.0, 1.0)]),
        ("<lora:> <lora> lora:soft <tree>", []),
        ("<lora:a b:1> <lora:c:2>", [("a b", 1.0, 1.0), ("c", 2.0, 2.0)]),
    ],
)
def test_the_words_tell_a_name_and_two_strengths(text: str, found: list[tuple[str, float, float]]) -> None:
    assert [(item.name, item.model, item.clip) for item in named_loras(text)] == found


def test_without_them_a_prompt_reads_as_if_they_had_not_been_there() -> None:
    assert without_loras("<lora:a:1> a fox <lora:b:1>, forest <lora:c:1>") == "a fox, forest"


def test_those_that_are_here_can_be_made_nodes(files: ToyFiles) -> None:
    fault = lora_fault(files, "a fox <lora:fine lines:0.6>, <lora:gone:1>")
    assert fault is not None and fault.warning
    assert fault.message.startswith("names the LoRA fine lines, gone")
    assert fault.fix == "Make it a Load LoRA node."
    word = NamedLora("<lora:fine lines:0.6>", "fine lines", 0.6, 0.6)
    wanted = {"word": word.word, "file": "Fine Lines.safetensors", "model": 0.6, "clip": 0.6}
    assert fault.repair == Repair("lora", [wanted])


def test_for_those_that_are_not_here_the_nearest_name_is_told(files: ToyFiles) -> None:
    fault = lora_fault(files, "a fox <lora:sofd:0.6>")
    assert fault is not None and fault.repair is None
    assert fault.fix == "Did you mean soft.safetensors?"
    assert lora_fault(files, "a fox") is None
