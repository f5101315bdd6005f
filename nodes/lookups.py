"""What node types can tell before they run: families of files, sizes of pictures."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.probe import probe
from graph.facts import Facts, Inferred, Known

CELL: Final = 8
"""Pixels a side of one latent value."""


def checkpoint_facts(input: str, kind: str) -> Callable[[Known], Inferred]:
    """An `infer` that reads a checkpoint's header: its family for MODEL and CLIP, its latents for VAE."""

    def infer(known: Known) -> Inferred:
        name = known.values.get(input)
        path = known.files.find(kind, name) if known.files and isinstance(name, str) else None
        if path is None:
            return Inferred()
        found = probe(path)
        family = FAMILIES.get(found.family or "")
        if family is None:
            return Inferred()
        space = {"latents": latent_space(family.latent_scale)}
        text = {"family": family.base}
        return Inferred({"MODEL": text | space, "CLIP": text, "VAE": space}, {input: {"family": family.name}})

    return infer


def file_family(known: Known, input: str, kind: str) -> str | None:
    """The base family of the file chosen at an input; None when its header does not tell."""
    name = known.values.get(input)
    path = known.files.find(kind, name) if known.files and isinstance(name, str) else None
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
