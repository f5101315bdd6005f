"""What a prompt tells before it is read: whether the files it names are there, and for this model."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from diffusion.errors import DiffusionError
from diffusion.probe import FileFacts, probe
from graph.context import Files
from graph.facts import Inferred, Known
from graph.literals import Fault
from graph.suggestions import did_you_mean
from nodes.prompt_loras import lora_fault

ENDINGS: Final = ("", ".safetensors", ".pt", ".bin")
WIDTHS: Final = {"sd1": (768,), "sd2": (1024,), "sdxl": (768, 1280), "sdxl-refiner": (1280,)}
"""How wide the vectors are that the text encoders of a family take."""
_PUBLISHED: Final = frozenset(width for widths in WIDTHS.values() for width in widths)
_ANGLED: Final = re.compile(r"<([^<>\s]+)>")
_NAMED: Final = re.compile(r"(?:^|\s)\(*embedding:([^\s,:()\[\]]+)")


def prompt_facts(*texts: str) -> Callable[[Known], Inferred]:
    """An `infer` for nodes that read prompts, at these inputs, with the text encoder at `clip`."""

    def infer(known: Known) -> Inferred:
        family = known.fact("clip", "family")
        faults = {name: fault for name in texts for fault in _faults(known, name, family)}
        return Inferred({"CONDITIONING": {"family": family}}, {}, faults)

    return infer


def embedding_files(*texts: str) -> Callable[..., list[list[str]]]:
    """A `fingerprint` for such nodes: the embeddings that the prompts name, each with its file's identity.

    A prompt that comes by link may name any, so all of them count then.
    """

    def fingerprint(files: Files | None = None, **known: Any) -> list[list[str]]:
        given = [known.get(name, "") for name in texts]
        if files is None:
            return []
        if any(text is None for text in given):
            names = list(files.names("embeddings"))
        else:
            found = {name for text in given for name in _candidates(str(text))}
            names = sorted(f"{name}{end}" for name in found for end in ENDINGS)
        identities = ([name, files.identity("embeddings", name)] for name in names)
        return [pair for pair in identities if pair[1]]

    return fingerprint


def _candidates(text: str) -> list[str]:
    return _NAMED.findall(text) + _ANGLED.findall(text)


def _faults(known: Known, input: str, family: str | None) -> Iterator[Fault]:
    """The last one counts: what stops a run after what does not."""
    text = known.values.get(input)
    if known.files is None or not isinstance(text, str):
        return
    if found := lora_fault(known.files, text):
        yield found
    if "embedding:" not in text:
        return
    for name in _NAMED.findall(text):
        path = _find(known.files, name)
        if path is None:
            fix = did_you_mean(name, known.files.names("embeddings"))
            message = f"there is no embedding {name[:80]}, so its name is left out."
            yield Fault("missing_embedding", message, fix or "Put it into models/embeddings.", warning=True)
        elif fault := _misfit(path, family):
            yield fault


def _find(files: Files, name: str) -> Path | None:
    return next((path for end in ENDINGS if (path := files.find("embeddings", f"{name}{end}"))), None)


def _misfit(path: Path, family: str | None) -> Fault | None:
    try:
        found = probe(path)
    except DiffusionError as error:
        return Fault("bad_file", str(error))
    widths = _widths(found)
    if family not in WIDTHS or not widths or widths & set(WIDTHS[family]):
        return None
    told = ", ".join(map(str, sorted(widths)))
    message = f"the embedding {path.name} has vectors of {told} values, this model's text encoder takes "
    taken = " and ".join(map(str, WIDTHS[family]))
    return Fault("family_mismatch", f"{message}{taken}.", "Remove it, or use a model that it is for.")


def _widths(facts: FileFacts) -> set[int]:
    return {size for size in facts.dimensions.values() if isinstance(size, int)} & _PUBLISHED
