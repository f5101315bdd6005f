"""The text `parameters` that AUTOMATIC1111's web UI and Forge write into pictures, as a workflow."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compat.formats.parameters_names import sampling_of
from graph.document import Link, Node, Port, Workflow
from graph.formats import NodeTypes
from graph.problems import Problem, WorkflowError
from nodes.prompt_loras import NamedLora, named_loras, without_loras

_ENTRY: Final = re.compile(r'\s*([\w /()-]+?):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_NEGATIVE: Final = "Negative prompt:"
_ENDING: Final = ".safetensors"
_DEFAULTS: Final[Mapping[str, str]] = {"Steps": "20", "CFG scale": "7", "Seed": "0", "Size": "512x512"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What such a text says. settings: its last line, by name."""

    prompt: str
    negative: str
    settings: Mapping[str, str]


def recognises_parameters(data: Any) -> bool:
    """A text whose last lines name steps and a sampler."""
    return isinstance(data, str) and "Steps:" in data and "Sampler:" in data


def read_parameters(data: Any, types: NodeTypes) -> Workflow:
    """The workflow that makes such a picture, as near as this host comes. Raises WorkflowError."""
    found = parse_parameters(str(data))
    try:
        return _workflow(found)
    except ValueError as error:
        message = f"The parameters of this picture cannot be read: {error}."
        raise WorkflowError([Problem("bad_parameters", message)]) from None


def write_parameters(workflow: Workflow, types: NodeTypes) -> Any:
    """Never: the text says too little of a workflow."""
    raise WorkflowError(
        [Problem("not_writable", "Parameters are only read.", fix="Write darkroom, api or editor.")]
    )


def parse_parameters(text: str) -> Parameters:
    """The parts of such a text. Lines of extensions between prompt and settings are left out."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = max((at for at, line in enumerate(lines) if "Steps:" in line), default=len(lines))
    body, settings = "\n".join(lines[:last]), " ".join(lines[last:])
    prompt, _, negative = body.partition(_NEGATIVE)
    return Parameters(prompt.strip(), negative.strip(), dict(_entries(settings)))


def _entries(line: str) -> Iterable[tuple[str, str]]:
    for name, value in _ENTRY.findall(line):
        yield name.strip(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value
    except ValueError:
        return value.strip('"')


def _workflow(found: Parameters) -> Workflow:
    settings = {**_DEFAULTS, **found.settings}
    prompt, loras = without_loras(found.prompt), named_loras(found.prompt)
    width, _, height = settings["Size"].lower().partition("x")
    sampler, schedule = sampling_of(settings.get("Sampler", ""), settings.get("Schedule type", ""))
    nodes = dict[str, Node]()
    model, clip = _models(nodes, settings, loras)
    nodes["positive"] = Node("CLIPTextEncode", {"text": prompt, "clip": clip}, "Prompt")
    nodes["negative"] = Node("CLIPTextEncode", {"text": found.negative, "clip": clip}, "Negative prompt")
    nodes["latent"] = Node(
        "EmptyLatentImage", {"width": _multiple(width), "height": _multiple(height), "batch_size": 1}, "Size"
    )
    nodes["sampler"] = Node(
        "KSampler",
        {
            "seed": int(settings["Seed"]) % 2**64,
            "steps": int(settings["Steps"]),
            "cfg": float(settings["CFG scale"]),
            "sampler_name": sampler,
            "scheduler": schedule,
            "denoise": 1.0,
            "model": model,
            "positive": Link("positive", "CONDITIONING"),
            "negative": Link("negative", "CONDITIONING"),
            "latent_image": Link("latent", "LATENT"),
        },
        "Sampler",
    )
    vae = _vae(nodes, settings)
    nodes["decode"] = Node("VAEDecode", {"samples": Link("sampler", "LATENT"), "vae": vae}, "Develop")
    save = {"images": Link("decode", "IMAGE"), "filename_prefix": "ComfyUI"}
    nodes["save"] = Node("SaveImage", save, "Save")
    return Workflow(nodes, _ports(), lock=_lock(nodes, settings), notes=_notes(found), imported=True)


def _models(nodes: dict[str, Node], settings: Mapping[str, str], loras: list[NamedLora]) -> tuple[Link, Link]:
    name = settings.get("Model") or "unknown"
    nodes["checkpoint"] = Node("CheckpointLoaderSimple", {"ckpt_name": _file(name)}, "Checkpoint")
    model, clip = Link("checkpoint", "MODEL"), Link("checkpoint", "CLIP")
    for place, lora in enumerate(loras, 1):
        id = "lora" if place == 1 else f"lora_{place}"
        strengths = {"strength_model": lora.model, "strength_clip": lora.clip}
        nodes[id] = Node(
            "LoraLoader", {"lora_name": _file(lora.name), **strengths, "model": model, "clip": clip}
        )
        model, clip = Link(id, "MODEL"), Link(id, "CLIP")
    skip = int(settings.get("Clip skip") or 1)
    if skip > 1:
        nodes["clip_skip"] = Node("CLIPSetLastLayer", {"stop_at_clip_layer": -skip, "clip": clip})
        clip = Link("clip_skip", "CLIP")
    nodes["weighting"] = Node("PromptWeighting", {"mode": "a1111", "clip": clip}, "Weights as there")
    return model, Link("weighting", "CLIP")


def _vae(nodes: dict[str, Node], settings: Mapping[str, str]) -> Link:
    name = settings.get("VAE", "")
    if name in ("", "None", "Automatic"):
        return Link("checkpoint", "VAE")
    nodes["vae"] = Node("VAELoader", {"vae_name": _file(name)})
    return Link("vae", "VAE")


def _file(name: str) -> str:
    return name if "." in name[-12:] and name.endswith((_ENDING, ".ckpt", ".pt")) else f"{name}{_ENDING}"


def _multiple(text: str) -> int:
    return max(int(text) // 8 * 8, 16)


def _ports() -> dict[str, Port]:
    return {
        "prompt": Port("positive", "text"),
        "negative": Port("negative", "text"),
        "seed": Port("sampler", "seed"),
    }


def _lock(nodes: Mapping[str, Node], settings: Mapping[str, str]) -> dict[str, Any]:
    """The beginnings of hashes that the text tells: enough to find the same file under another name."""
    models = dict[str, str]()
    if settings.get("Model hash"):
        models[f"checkpoints/{nodes['checkpoint'].inputs['ckpt_name']}"] = f"sha256:{settings['Model hash']}"
    return {"models": models} if models else {}


_ORIGIN: Final = (
    "Read from a picture that AUTOMATIC1111's web UI or Forge made. Noise there mostly comes from the GPU, "
    "so the same seed makes a picture of the same kind, not the same picture."
)
_NOT_TAKEN: Final = (
    ("Hires upscale", "The second pass at a larger size (hires fix) is left out."),
    ("Denoising strength", "It was made from another picture or in two passes; this makes it from noise."),
    ("Refiner", "The switch to a refiner is left out."),
    ("ControlNet 0", "ControlNet is left out."),
)


def _notes(found: Parameters) -> tuple[dict[str, Any], ...]:
    left_out = [sentence for name, sentence in _NOT_TAKEN if name in found.settings]
    return ({"text": "\n\n".join([_ORIGIN, *left_out]), "at": [0, -190, 420, 150], "markdown": True},)
