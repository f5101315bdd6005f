"""What node types can tell before they run: families of files, sizes of pictures."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.probe import FileFacts, probe
from graph.facts import Facts, Inferred, Known
from graph.literals import Fault

CELL: Final = 8
"""Pixels a side of one latent value."""


LOADERS: Final = {
    "checkpoint": ("a checkpoint", "CheckpointLoaderSimple"),
    "unet": ("a U-Net", "UNETLoader"),
    "clip": ("a text encoder", "CLIPLoader"),
    "clip_vision": ("a CLIP vision model", "CLIPVisionLoader"),
    "vae": ("a VAE", "VAELoader"),
    "taesd": ("one half of a small VAE", "VAELoader, from models/vae_approx"),
    "lora": ("a LoRA", "LoraLoader"),
    "controlnet": ("a ControlNet", "ControlNetLoader"),
    "embedding": ("an embedding", "a prompt, as embedding:NAME"),
    "upscaler": ("an upscaler", "UpscaleModelLoader"),
}
"""What people call a kind of file, and what uses it."""


def chosen_file(known: Known, input: str, kind: str) -> Path | None:
    """The path of the file chosen at an input; None when it is linked or missing."""
    name = known.values.get(input)
    return known.files.find(kind, name) if known.files and isinstance(name, str) else None


def read_facts(path: Path, wanted: Collection[str]) -> FileFacts | Fault:
    """What a file's header says; a fault when it is damaged or of none of the wanted kinds.

    A file of unknown kind is let pass: its loader can say more.
    """
    try:
        found = probe(path)
    except DiffusionError as error:
        return Fault("bad_file", str(error))
    if found.kind in wanted or found.kind not in LOADERS:
        return found
    what, loader = LOADERS[found.kind]
    asked = " or ".join(LOADERS[kind][0] for kind in wanted if kind in LOADERS)
    return Fault("wrong_file", f"{path.name} is {what}, not {asked}.", f"It is for {loader}.")


def file_faults(known: Known, input: str, kind: str, *wanted: str) -> Mapping[str, Fault]:
    """What is wrong with the file chosen at an input, for an `Inferred`; empty when nothing is."""
    path = chosen_file(known, input, kind)
    found = read_facts(path, wanted) if path else None
    return {input: found} if isinstance(found, Fault) else {}


def checkpoint_facts(input: str, kind: str) -> Callable[[Known], Inferred]:
    """An `infer` that reads a checkpoint's header: its family for MODEL and CLIP, its latents for VAE."""

    def infer(known: Known) -> Inferred:
        path = chosen_file(known, input, kind)
        return checkpoint_at(path, input) if path else Inferred()

    return infer


def checkpoint_at(path: Path, input: str) -> Inferred:
    """What a checkpoint's header says, chosen at an input: facts of its parts, or a fault."""
    found = read_facts(path, ("checkpoint",))
    if isinstance(found, Fault):
        return Inferred(faults={input: found})
    family = FAMILIES.get(found.family or "")
    if family is None:
        return Inferred()
    space = {"latents": latent_space(family.latent_scale)}
    text = {"family": family.base}
    return Inferred({"MODEL": text | space, "CLIP": text, "VAE": space}, {input: {"family": family.name}})


def file_family(known: Known, input: str, kind: str) -> str | None:
    """The base family of the file chosen at an input; None when its header does not tell."""
    path = chosen_file(known, input, kind)
    if path is None:
        return None
    try:
        family = FAMILIES.get(probe(path).family or "")
    except DiffusionError:
        return None
    return family.base if family else None


def latent_space(scale: float) -> str:
    """What latents of this scale are called: families with the same one share their VAE."""
    return "sdxl" if scale == FAMILIES["sdxl"].latent_scale else "sd"


def given_size(output: str) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` for nodes whose width, height and batch_size inputs are the size of what they give."""

    def infer(known: Known) -> Mapping[str, Facts]:
        names = {"width": "width", "height": "height", "batch_size": "batch"}
        return {output: {fact: known.values.get(name) for name, fact in names.items()}}

    return infer


def scaled_size(source: str, output: str, by: str, cell: int = 1) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` for nodes that scale what is at `source`, in cells of pixels, by the factor at `by`."""

    def infer(known: Known) -> Mapping[str, Facts]:
        factor: Any = known.values.get(by)
        facts = dict(known.facts.get(source, {}))
        sides = {
            side: round(facts[side] * factor) for side in ("width", "height") if factor and side in facts
        }
        return {output: facts | dict.fromkeys(("width", "height")) | sides}

    return infer
