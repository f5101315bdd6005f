"""Node types for the tests of formats: a handful by hand, and all standard ones where the reference lies."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from graph.registry import Registry
from graph.sockets import socket_type
from graph.spec import Choice, FileChoice, Hint, Input, NodeSpec, Number, Output, Text, Toggle, Widget

REFERENCE = Path(os.environ.get("DARKROOM_REFERENCE") or Path(__file__).parents[3] / "shared" / "reference")
NO_REFERENCE = "the reference folder is not beside the checkout (or name it in DARKROOM_REFERENCE)"


def nothing(**_inputs: Any) -> tuple[Any, ...]:
    """A node's work, where no test runs it."""
    return ()


def node_type(id: str, inputs: Iterable[Input] = (), outputs: str = "", title: str = "") -> NodeSpec:
    """A node type with outputs named as their types: "MODEL CLIP VAE"."""
    sockets = tuple(Output(name, socket_type(name)) for name in outputs.split())
    return NodeSpec(id, nothing, tuple(inputs), sockets, title or id, output=not sockets)


def socket(name: str, type: str, required: bool = True) -> Input:
    return Input(name, socket_type(type), required)


def widget(name: str, type: str, default: Any, look: Widget, required: bool = True, **more: Any) -> Input:
    return Input(name, socket_type(type), required, default, look, **more)


def whole(name: str, default: int = 0, seed: bool = False) -> Input:
    return widget(name, "INT", default, Number(seed=seed))


SAMPLER = node_type(
    "Sampler",
    [
        socket("model", "MODEL"),
        whole("seed", 0, seed=True),
        whole("steps", 20),
        widget("cfg", "FLOAT", 8.0, Number()),
        widget("method", "COMBO", "euler", Choice(("euler", "ddim"))),
        socket("positive", "CONDITIONING"),
        socket("latent", "LATENT", required=False),
    ],
    "LATENT",
)
CHECKPOINT = node_type(
    "Checkpoint", [widget("name", "COMBO", "a.ckpt", FileChoice("checkpoints"))], "MODEL CLIP VAE", "Load it"
)
LORA = node_type(
    "Lora",
    [socket("model", "MODEL"), socket("clip", "CLIP"), widget("strength", "FLOAT", 1.0, Number())],
    "MODEL CLIP",
)
ENCODE = node_type(
    "Encode",
    [widget("text", "STRING", "", Text(multiline=True, dynamic_prompts=True)), socket("clip", "CLIP")],
    "CONDITIONING",
)
DECODE = node_type("Decode", [socket("samples", "LATENT"), socket("vae", "VAE")], "IMAGE")
LOAD = node_type(
    "Load", [widget("image", "COMBO", "a.png", FileChoice("input", upload="image"))], "IMAGE MASK"
)
SAVE = node_type("Save", [socket("images", "IMAGE"), widget("filename_prefix", "STRING", "out", Text())])
INVERT = node_type("Invert", [socket("image", "IMAGE")], "IMAGE")
BLANK = node_type("Blank", [whole("width", 512), whole("height", 512)], "IMAGE")
MIXED = node_type(
    "Mixed",
    [
        widget("late", "FLOAT", 0.5, Number(), required=False),
        socket("image", "IMAGE"),
        widget("on", "BOOLEAN", True, Toggle()),
        Input("forced", socket_type("INT"), widget=Number(), hint=Hint(link_only=True)),
        whole("last", 3),
    ],
    "IMAGE",
)
TOYS = Registry((SAMPLER, CHECKPOINT, LORA, ENCODE, DECODE, LOAD, SAVE, INVERT, BLANK, MIXED))


def standard_types() -> Registry:
    """The field's standard node types, as the reference lists them."""
    nodes = json.loads((REFERENCE / "comfy_nodes.json").read_text("utf-8"))["nodes"]
    return Registry(_standard_type(id, facts) for id, facts in nodes.items())


def _standard_type(id: str, facts: Mapping[str, Any]) -> NodeSpec:
    inputs = [
        _standard_input(name, options, group == "required")
        for group in ("required", "optional")
        for name, options in facts[group].items()
    ]
    outputs = tuple(Output(output["name"], socket_type(output["type"])) for output in facts["outputs"])
    return NodeSpec(id, nothing, tuple(inputs), outputs, id, output=facts["output_node"])


def _standard_input(name: str, options: Mapping[str, Any], required: bool) -> Input:
    kind = options["type"]
    more: dict[str, Any] = {"default": options["default"]} if "default" in options else {}
    hint = Hint(link_only=options.get("forceInput", False))
    return Input(name, socket_type(kind), required, widget=_look(kind, options), hint=hint, **more)


def _look(kind: str, options: Mapping[str, Any]) -> Widget | None:
    match kind:
        case "INT" | "FLOAT":
            return Number(
                options.get("min"), options.get("max"), seed=options.get("control_after_generate", False)
            )
        case "STRING":
            return Text(options.get("multiline", False), options.get("dynamicPrompts", False))
        case "BOOLEAN":
            return Toggle()
        case "COMBO" if isinstance(options.get("options"), list):
            return Choice(tuple(options["options"]))
        case "COMBO":
            return FileChoice("files", upload="image" if options.get("image_upload") else "")
        case _:
            return None
