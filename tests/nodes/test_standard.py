"""Node types that bear the field's names have its inputs, in its order, with its defaults and ranges.

`standard.json` holds the facts of ComfyUI v0.3.64 by group: of every node its rank (core, common or rare),
its inputs with types, defaults, ranges and options, and its outputs.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from graph.spec import MISSING, Choice, FileChoice, Input, NodeSpec, Number, Text
from nodes import registry

TYPES = registry()
GROUPS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("standard.json").read_text("utf-8"))
STANDARD = {name: node for group in GROUPS.values() for name, node in group.items()}
HERE = [name for name in STANDARD if TYPES.get(name) is not None]

EXCEPTIONS: dict[str, str] = {
    "WebcamCapture": "its picture comes from a browser's camera, which a saved file and LoadImage replace",
}
"""Standard nodes that are left out on purpose, each with its reason."""

OTHERWISE: dict[str, str] = {
    "ImageScaleToMaxDimension.upscale_method": "the field lists bilinear twice",
}
"""Inputs that differ on purpose, each with its reason."""


def kind_of(fact: Mapping[str, Any]) -> str:
    """The socket type that a fact names; a union's parts may be in any order."""
    return ",".join(sorted(str(fact["type"]).split(",")))


def whole(fact: Mapping[str, Any]) -> bool:
    return fact["type"] == "INT"


def differences(item: Input, fact: Mapping[str, Any], required: bool) -> Iterator[str]:
    """What of an input is not as the field has it."""
    if item.required != required:
        yield "required" if required else "optional"
    default = fact.get("default", MISSING)
    if default is MISSING and not required:
        default = fact["options"][0] if isinstance(fact.get("options"), list) else None
    if item.default != default:
        yield f"default {default}, not {item.default}"
    match item.widget:
        case Number(minimum, maximum, step, rounded, seed):
            found = (minimum, maximum, step or (1 if whole(fact) else None), rounded, seed)
            steps = fact.get("step", 1 if whole(fact) else None)
            wanted = (fact.get("min"), fact.get("max"), steps, fact.get("round"), fact.get("seed", False))
            names = ("min", "max", "step", "round", "seed")
            yield from (
                f"{name} {theirs}, not {mine}"
                for name, theirs, mine in zip(names, wanted, found, strict=True)
                if theirs != mine and not (name == "round" and theirs in (None, False))
            )
        case Choice(options):
            if fact.get("options") not in ("*", list(options)):
                yield f"options {fact.get('options')}, not {list(options)}"
        case FileChoice():
            if fact.get("options") != "*":
                yield "a choice of files"
        case Text(multiline, dynamic):
            if (multiline, dynamic) != (fact.get("multiline", False), fact.get("dynamic", False)):
                yield f"multiline {multiline}, dynamic {dynamic}"
        case _:
            if ",".join(sorted(item.type.names)) != kind_of(fact):
                yield f"type {fact['type']}, not {item.type}"


def told(name: str) -> Iterator[str]:
    """Everything in which a node type is not as the field has it."""
    spec, node = TYPES.get(name), STANDARD[name]
    assert spec is not None
    facts = {**node["required"], **node.get("optional", {})}
    if [item.name for item in spec.inputs] != list(facts):
        yield f"inputs {list(facts)}, not {[item.name for item in spec.inputs]}"
        return
    for item in spec.inputs:
        if f"{name}.{item.name}" not in OTHERWISE:
            for what in differences(item, facts[item.name], item.name in node["required"]):
                yield f"{item.name}: {what}"
    outputs = [[output.name, ",".join(output.type.names)] for output in spec.outputs]
    if outputs != node["outputs"]:
        yield f"outputs {node['outputs']}, not {outputs}"
    flags = {
        "output_node": spec.output,
        "experimental": spec.experimental,
        "deprecated": bool(spec.deprecated),
    }
    yield from (f"{flag} is {mine}" for flag, mine in flags.items() if mine != node.get(flag, False))
    if [output.is_list for output in spec.outputs] != node.get("output_is_list", [False] * len(outputs)):
        yield "outputs that are lists"


@pytest.mark.parametrize("name", HERE)
def test_a_standard_node_has_the_field_s_inputs_and_outputs(name: str) -> None:
    assert list(told(name)) == []


def test_a_wrong_input_would_be_found() -> None:
    """The comparison itself: every kind of difference is told."""
    fact = {"type": "INT", "default": 1, "min": 0, "max": 9, "step": 2}
    item = next(item for item in spec_of("LatentFromBatch").inputs if item.name == "length")
    assert len(list(differences(item, fact, False))) == 4
    assert list(differences(item, {"type": "INT", "default": 1, "min": 1, "max": 64}, True)) == []


def spec_of(name: str) -> NodeSpec:
    spec = TYPES.get(name)
    assert spec is not None
    return spec


def missing(group: Mapping[str, Any], *ranks: str) -> list[str]:
    """The nodes of these ranks that are neither here nor left out on purpose."""
    absent = [name for name, node in group.items() if node["rank"] in ranks and TYPES.get(name) is None]
    return [name for name in absent if name not in EXCEPTIONS]


def coverage() -> Iterator[str]:
    """A line a group: how many of its core and common, and of all its nodes, are here."""
    for title, group in GROUPS.items():
        wanted = [name for name, node in group.items() if node["rank"] in ("core", "common")]
        here = [name for name in group if TYPES.get(name) is not None]
        share = sum(name in here for name in wanted)
        line = (
            f"{title:42} core and common {share:3} of {len(wanted):3}   all {len(here):3} of {len(group):3}"
        )
        absent = [name for name in group if name not in here]
        yield line + (f"   without {', '.join(absent)}" if absent else "")


def test_coverage_is_complete_but_for_what_is_left_out_on_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(coverage()))
        print("\n".join(f"left out: {name}, because {reason}" for name, reason in EXCEPTIONS.items()))
    assert [name for group in GROUPS.values() for name in missing(group, "core", "common")] == []


def test_exceptions_are_no_longer_needed_when_a_node_is_here() -> None:
    assert [name for name in EXCEPTIONS if name not in STANDARD or TYPES.get(name) is not None] == []
    inputs = {f"{name}.{item.name}" for name in HERE for item in spec_of(name).inputs}
    assert [name for name in OTHERWISE if name not in inputs] == []


def test_every_node_says_what_it_gives_and_what_its_inputs_are() -> None:
    plain = {"model", "clip", "vae", "image", "samples", "image1", "pixels", "mask", "images", "conditioning"}
    silent = [
        f"{spec.id}.{item.name}"
        for spec in TYPES
        for item in spec.inputs
        if not item.hint.tooltip and item.name not in plain
    ]
    assert silent == []
    assert [spec.id for spec in TYPES if not spec.description.endswith((".", ")"))] == []
    assert [spec.id for spec in TYPES if not spec.category or spec.title == ""] == []
