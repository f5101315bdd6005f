import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from compat.object_info import object_info, object_infos
from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Choice, FileChoice, Hint, Input, NodeSpec, Number, Output, Text, Toggle
from nodes import registry
from tests.compat.toys import NO_REFERENCE, REFERENCE, nothing, socket, widget

CORE = registry()
COMPARED = ("default", "min", "max", "step", "round", "multiline", "dynamicPrompts", "control_after_generate")
COMPARED += ("image_upload", "forceInput", "lazy", "rawLink", "display")


def files(kind: str) -> Sequence[str]:
    return {"checkpoints": ["a.ckpt", "b.ckpt"]}.get(kind, [])


def info(*inputs: Input, **facts: Any) -> dict[str, Any]:
    spec = NodeSpec("Toy", nothing, inputs, **facts)
    return object_info(spec, Registry((spec,)), files)


def test_every_key_is_there_and_the_rest_only_when_set() -> None:
    assert info(title="A toy", category="a/b", description="Plays.", output=True) == {
        "input": {"required": {}},
        "input_order": {"required": []},
        "output": [],
        "output_is_list": [],
        "output_name": [],
        "name": "Toy",
        "display_name": "A toy",
        "description": "Plays.",
        "python_module": "nodes",
        "category": "a/b",
        "output_node": True,
    }
    outputs = (
        Output("picture", socket_type("IMAGE"), tooltip="it"),
        Output("all", socket_type("MASK"), is_list=True),
    )
    found = info(outputs=outputs, deprecated="use another", experimental=True)
    assert (found["output"], found["output_name"]) == (["IMAGE", "MASK"], ["picture", "all"])
    assert (found["output_is_list"], found["output_tooltips"]) == ([False, True], ["it", ""])
    assert found["deprecated"] is found["experimental"] is True


@pytest.mark.parametrize(
    ("input", "entry"),
    [
        (socket("a", "IMAGE,MASK"), ["IMAGE,MASK"]),
        (socket("a", "*"), ["*"]),
        (
            widget("a", "INT", 3, Number(0, 2**64 - 1, 8, seed=True)),
            ["INT", {"default": 3, "min": 0, "max": 2**64 - 1, "step": 8, "control_after_generate": True}],
        ),
        (
            widget("a", "FLOAT", 0.5, Number(0.0, 1.0, 0.1, 0.01, look="slider")),
            [
                "FLOAT",
                {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.1, "round": 0.01, "display": "slider"},
            ],
        ),
        (
            widget("a", "STRING", "x", Text(True, True, "say")),
            ["STRING", {"default": "x", "multiline": True, "dynamicPrompts": True, "placeholder": "say"}],
        ),
        (
            widget("a", "BOOLEAN", False, Toggle("yes", "no")),
            ["BOOLEAN", {"default": False, "label_on": "yes", "label_off": "no"}],
        ),
        (widget("a", "COMBO", "y", Choice(("x", "y"))), [["x", "y"], {"default": "y"}]),
        (Input("a", socket_type("COMBO"), widget=FileChoice("checkpoints")), [["a.ckpt", "b.ckpt"]]),
        (Input("a", socket_type("COMBO"), widget=FileChoice("input", "image")), [[], {"image_upload": True}]),
        (
            Input(
                "a",
                socket_type("INT"),
                hint=Hint("what", lazy=True, raw_link=True, link_only=True, advanced=True),
            ),
            ["INT", {"lazy": True, "rawLink": True, "forceInput": True, "advanced": True, "tooltip": "what"}],
        ),
        (Input("a", socket_type("X"), extra={"color": 1, "unchecked": True}), ["X", {"color": 1}]),
    ],
)
def test_an_input_is_told_with_its_options(input: Input, entry: list[Any]) -> None:
    assert info(input)["input"]["required"]["a"] == entry


def test_inputs_are_told_by_group_in_order() -> None:
    hidden = {"me": "UNIQUE_ID", "context": "context"}
    found = info(socket("z", "X", required=False), socket("b", "X"), socket("a", "X"), hidden=hidden)
    assert found["input_order"] == {"required": ["b", "a"], "optional": ["z"], "hidden": ["me"]}
    assert found["input"]["hidden"] == {"me": "UNIQUE_ID"}


def test_a_plugins_type_goes_by_its_bare_name_unless_that_is_taken() -> None:
    specs = [
        NodeSpec(id, nothing, source=source) for id, source in (("A", "core"), ("A", "pack"), ("B", "pack"))
    ]
    found = object_infos(Registry(specs), files)
    assert {name: entry["python_module"] for name, entry in found.items()} == {
        "A": "nodes",
        "pack/A": "custom_nodes.pack",
        "B": "custom_nodes.pack",
    }
    assert [entry["name"] for entry in found.values()] == ["A", "pack/A", "B"]


def test_all_of_it_is_json() -> None:
    assert json.loads(json.dumps(object_infos(CORE, files))).keys() == {spec.id for spec in CORE}


@cache
def standard() -> Mapping[str, Any]:
    return (
        json.loads((REFERENCE / "comfy_nodes.json").read_text("utf-8"))["nodes"] if REFERENCE.is_dir() else {}
    )


def told(entry: list[Any]) -> dict[str, Any]:
    """An input of ours as the reference lists it."""
    options = entry[1] if len(entry) > 1 else {}
    kind = "COMBO" if isinstance(entry[0], list) else entry[0]
    return {"type": kind, **{key: options[key] for key in COMPARED if key in options}}


def listed(options: Mapping[str, Any], optional: bool) -> dict[str, Any]:
    """An input of theirs; where an optional choice has no default, ours says that it is the first one."""
    if optional and isinstance(options.get("options"), list):
        options = {"default": options["options"][0], **options}
    found = {"type": options["type"], **{key: options[key] for key in COMPARED if key in options}}
    usual = {key for key, value in found.items() if value is False or (key, value) == ("display", "number")}
    return {key: value for key, value in found.items() if key not in usual or key == "default"}


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=NO_REFERENCE)
@pytest.mark.parametrize("spec", [spec for spec in CORE if spec.id in standard()], ids=lambda spec: spec.id)
def test_a_standard_node_is_told_as_the_field_tells_it(spec: NodeSpec) -> None:
    ours, theirs = object_info(spec, CORE, files), standard()[spec.id]
    for group in ("required", "optional"):
        given, wanted = ours["input"].get(group, {}), theirs[group]
        expected = {name: listed(options, group == "optional") for name, options in wanted.items()}
        assert {name: told(entry) for name, entry in given.items()} == expected
        assert list(given) == list(wanted)
        assert all(_choices_fit(given[name][0], item) for name, item in wanted.items())
    assert ours["output_name"] == [output["name"] for output in theirs["outputs"]]
    assert ours["output"] == [output["type"] for output in theirs["outputs"]]
    assert ours["output_is_list"] == theirs["output_is_list"]
    assert ours["output_node"] == theirs["output_node"]
    assert ours["category"] == theirs["category"]


def _choices_fit(given: Any, wanted: Mapping[str, Any]) -> bool:
    """Ours are among theirs and in their order: those that come later may be missing yet."""
    if not isinstance(wanted.get("options"), list):
        return True
    places = [wanted["options"].index(option) if option in wanted["options"] else -1 for option in given]
    return -1 not in places and places == sorted(places)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=NO_REFERENCE)
def test_the_nodes_of_the_first_picture_are_standard_ones() -> None:
    wanted = """CheckpointLoaderSimple CLIPTextEncode EmptyLatentImage KSampler KSamplerAdvanced VAEDecode
    VAEEncode LoadImage SaveImage PreviewImage ImageScale PrimitiveInt PrimitiveFloat PrimitiveString
    PrimitiveBoolean"""
    assert set(wanted.split()) <= {spec.id for spec in CORE} & standard().keys()
