"""Every node has its sentence, its inputs with units and ranges, its outputs with shapes, and an example."""

import re

import pytest

from graph.document_json import parse_workflow
from graph.spec import FileChoice, Input, NodeSpec, Number, Output
from graph.validation import validate
from host.examples import example, example_text
from host.node_words import output_words, value_words
from nodes import registry
from nodes.shapes import SHAPES
from tests.host.conftest import Command
from tools.node_pages import ROOT, pages

TYPES = registry()
SPECS = sorted(TYPES, key=lambda spec: spec.id)
INNER = {"LoopNext": "a loop places it by itself"}
"""Nodes that nobody places by hand, so that no example of them can be."""
LENGTH = re.compile(
    r"(width|height|x|y|left|top|right|bottom|.*padding|feather\w*|.*radius|(?!temporal).*_size)"
)
UNITS = re.compile(
    r"pixel|percent|share|tensor|side|picture|latent|how many|height|width|tokens|points|radii|area|frame",
    re.IGNORECASE,
)


def test_every_node_has_one_sentence() -> None:
    sentence = re.compile(r"[A-Z0-9].*[.)]")
    first = {spec.id: spec.description.strip().partition("\n\n")[0].replace("\n", " ") for spec in SPECS}
    assert [id for id, text in first.items() if not sentence.fullmatch(text)] == []


def test_every_input_and_output_says_its_values() -> None:
    ends = [(spec, item) for spec in SPECS for item in (*spec.inputs, *spec.outputs)]
    assert [f"{spec.id}.{item.name}" for spec, item in ends if not told(item)] == []
    assert {name for _, item in ends for name in item.type.names} <= SHAPES.keys()


def told(item: Input | Output) -> str:
    return value_words(item) if isinstance(item, Input) else output_words(item)


def test_every_length_says_its_unit() -> None:
    numbers = [(spec, item) for spec in SPECS for item in spec.inputs if isinstance(item.widget, Number)]
    lengths = [(spec, item) for spec, item in numbers if LENGTH.fullmatch(item.name)]
    assert len(lengths) > 50
    assert [f"{spec.id}.{item.name}" for spec, item in lengths if not UNITS.search(item.hint.tooltip)] == []


def test_every_example_is_a_workflow_without_mistakes() -> None:
    assert {spec.id: mistakes(spec) for spec in SPECS if spec.id not in INNER and mistakes(spec)} == {}


def mistakes(spec: NodeSpec) -> list[str]:
    workflow = parse_workflow(example_text(example(TYPES, spec)))
    assert any(node.type == spec.id for node in workflow.nodes.values())
    return [str(one) for one in validate(workflow, TYPES) if one.code != "deprecated_node"]


def test_an_example_shares_its_sources_and_names_the_embedded_model() -> None:
    spec = TYPES.get("KSampler")
    assert spec is not None
    nodes = example(TYPES, spec).nodes
    assert [node.type for node in nodes.values()].count("CheckpointLoaderSimple") == 1
    assert nodes["CheckpointLoaderSimple"].inputs["ckpt_name"] == "darkroom-tiny.safetensors"
    assert list(nodes)[-1] == "shown"


def test_files_of_one_kind_are_two_in_an_example() -> None:
    for spec in SPECS:
        files = [item.name for item in spec.inputs if isinstance(item.widget, FileChoice)]
        node = next(node for node in example(TYPES, spec).nodes.values() if node.type == spec.id)
        named = [node.inputs[name] for name in files if name in node.inputs]
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("name", ["ImageStitch", "Epsilon Scaling", "LoopNext", "SaveImage"])
def test_the_command_tells_all_of_it(command: Command, name: str) -> None:
    spec = TYPES.get(name)
    assert spec is not None
    said = command("nodes", name)
    assert said.code == 0
    assert parse_workflow(said.out[said.out.index("example") + len("example") :]).nodes
    assert all(item.name in said.out for item in (*spec.inputs, *spec.outputs))


def test_the_pages_are_made_from_the_nodes_as_they_are() -> None:
    """After changing a node, run tools/node_pages.py."""
    made = pages()
    there = {file.name: file.read_text("utf-8") for file in (ROOT / "docs/nodes").glob("*.md")}
    stale = [name for name in {*made, *there} if made.get(name) != there.get(name)]
    assert stale == []
    assert all(f"## {spec.id}\n" in "".join(made.values()) for spec in SPECS)
