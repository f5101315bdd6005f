"""Node types that bear the field's names have its inputs, in its order, with its defaults and ranges."""

from collections.abc import Mapping
from typing import Any

import pytest

from diffusion.names import SAMPLER_NAMES, SCHEDULE_NAMES
from graph.spec import MISSING, Choice, FileChoice, NodeSpec, Number, Text
from nodes import registry

TYPES = registry()
SEED = (0, 2**64 - 1, None, 0)
SIDE = (16, 16384, 8, 512)
FREE = (0, 16384, 8, 512)
STEPS = (1, 10000, None, 20)
CFG = (0, 100, 0.1, 8.0)
COUNT = (1, 4096, None, 1)
CROP = ("disabled", "center")
IMAGE_SCALING = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
LATENT_SCALING = ("nearest-exact", "bilinear", "area", "bicubic", "bislerp")
SAMPLING = {"sampler_name": SAMPLER_NAMES, "scheduler": SCHEDULE_NAMES}
SIDES = {"positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"}

STANDARD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "CheckpointLoaderSimple": ({"ckpt_name": "checkpoints"}, ["MODEL", "CLIP", "VAE"]),
    "CLIPTextEncode": ({"text": "multiline dynamic", "clip": "CLIP"}, ["CONDITIONING"]),
    "CLIPSetLastLayer": ({"clip": "CLIP", "stop_at_clip_layer": (-24, -1, 1, -1)}, ["CLIP"]),
    "EmptyLatentImage": ({"width": SIDE, "height": SIDE, "batch_size": COUNT}, ["LATENT"]),
    "KSampler": (
        {
            "model": "MODEL",
            "seed": SEED,
            "steps": STEPS,
            "cfg": CFG,
            **SAMPLING,
            **SIDES,
            "denoise": (0, 1, 0.01, 1.0),
        },
        ["LATENT"],
    ),
    "KSamplerAdvanced": (
        {
            "model": "MODEL",
            "add_noise": ("enable", "disable"),
            "noise_seed": SEED,
            "steps": STEPS,
            "cfg": CFG,
            **SAMPLING,
            **SIDES,
            "start_at_step": (0, 10000, None, 0),
            "end_at_step": (0, 10000, None, 10000),
            "return_with_leftover_noise": ("disable", "enable"),
        },
        ["LATENT"],
    ),
    "VAEDecode": ({"samples": "LATENT", "vae": "VAE"}, ["IMAGE"]),
    "VAEEncode": ({"pixels": "IMAGE", "vae": "VAE"}, ["LATENT"]),
    "SetLatentNoiseMask": ({"samples": "LATENT", "mask": "MASK"}, ["LATENT"]),
    "LatentUpscale": (
        {"samples": "LATENT", "upscale_method": LATENT_SCALING, "width": FREE, "height": FREE, "crop": CROP},
        ["LATENT"],
    ),
    "LatentUpscaleBy": (
        {"samples": "LATENT", "upscale_method": LATENT_SCALING, "scale_by": (0.01, 8, 0.01, 1.5)},
        ["LATENT"],
    ),
    "LatentFromBatch": (
        {"samples": "LATENT", "batch_index": (0, 63, None, 0), "length": (1, 64, None, 1)},
        ["LATENT"],
    ),
    "RepeatLatentBatch": ({"samples": "LATENT", "amount": (1, 64, None, 1)}, ["LATENT"]),
    "LoadImage": ({"image": "input"}, ["IMAGE", "MASK"]),
    "LoadImageMask": ({"image": "input", "channel": ("alpha", "red", "green", "blue")}, ["MASK"]),
    "SaveImage": ({"images": "IMAGE", "filename_prefix": "text ComfyUI"}, []),
    "PreviewImage": ({"images": "IMAGE"}, []),
    "EmptyImage": (
        {
            "width": (1, 16384, 1, 512),
            "height": (1, 16384, 1, 512),
            "batch_size": COUNT,
            "color": (0, 0xFFFFFF, 1, 0),
        },
        ["IMAGE"],
    ),
    "ImageScale": (
        {
            "image": "IMAGE",
            "upscale_method": IMAGE_SCALING,
            "width": (0, 16384, 1, 512),
            "height": (0, 16384, 1, 512),
            "crop": CROP,
        },
        ["IMAGE"],
    ),
    "ImageScaleBy": (
        {"image": "IMAGE", "upscale_method": IMAGE_SCALING, "scale_by": (0.01, 8, 0.01, 1.0)},
        ["IMAGE"],
    ),
    "ImageInvert": ({"image": "IMAGE"}, ["IMAGE"]),
    "ImageBatch": ({"image1": "IMAGE", "image2": "IMAGE"}, ["IMAGE"]),
    "GetImageSize": ({"image": "IMAGE"}, ["width", "height", "batch_size"]),
    "PrimitiveInt": ({"value": (1 - 2**63, 2**63 - 1, None, MISSING)}, ["INT"]),
    "PrimitiveFloat": ({"value": (1 - 2**63, 2**63 - 1, None, MISSING)}, ["FLOAT"]),
    "PrimitiveString": ({"value": "text"}, ["STRING"]),
    "PrimitiveStringMultiline": ({"value": "multiline"}, ["STRING"]),
    "PrimitiveBoolean": ({"value": "BOOLEAN"}, ["BOOLEAN"]),
    "PreviewAny": ({"source": "*"}, []),
}
"""Inputs by name and outputs: a socket or folder, choices, or (minimum, maximum, step, default)."""


def told(spec: NodeSpec) -> dict[str, Any]:
    """A node type's inputs in the form above."""
    found = dict[str, Any]()
    for item in spec.inputs:
        match item.widget:
            case Number(minimum, maximum, step):
                found[item.name] = (minimum, maximum, step, item.default)
            case Choice(options):
                found[item.name] = options
            case FileChoice(kind):
                found[item.name] = kind
            case Text(multiline, dynamic):
                words = ("multiline" if multiline else "text", "dynamic" if dynamic else "", item.default)
                found[item.name] = " ".join(word for word in words if isinstance(word, str) and word)
            case _:
                found[item.name] = str(item.type)
    return found


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_node_has_the_field_s_inputs_and_outputs(name: str) -> None:
    inputs, outputs = STANDARD[name]
    spec = TYPES.get(name)
    assert spec is not None
    assert list(told(spec).items()) == list(inputs.items())
    assert [output.name for output in spec.outputs] == outputs
    assert spec.output == (not outputs)
    assert all(item.required for item in spec.inputs)


def seeds(types: Mapping[str, NodeSpec]) -> set[str]:
    return {
        f"{name}.{item.name}"
        for name, spec in types.items()
        for item in spec.inputs
        if isinstance(item.widget, Number) and item.widget.seed
    }


def test_seeds_and_whole_primitives_change_after_a_run() -> None:
    standard = {name: spec for name in STANDARD if (spec := TYPES.get(name))}
    assert seeds(standard) == {"KSampler.seed", "KSamplerAdvanced.noise_seed", "PrimitiveInt.value"}


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
