"""LoRAs that a prompt names as other programs do, <lora:NAME:0.8>: here these are words like all others."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from graph.context import Files
from graph.literals import Fault
from graph.problems import Repair
from graph.suggestions import did_you_mean

_WORD: Final = re.compile(r"<lora:([^:<>\n]+)((?::[^:<>\n]*)*)>", re.IGNORECASE)
_MEANT: Final = "A prompt loads no LoRA: put it into models/loras and add a Load LoRA node."


@dataclass(frozen=True, slots=True)
class NamedLora:
    """A LoRA in a prompt: the word as it stands there, the name, and the strengths that it asks for."""

    word: str
    name: str
    model: float
    clip: float


def named_loras(text: str) -> list[NamedLora]:
    """The LoRAs a prompt names. Of two strengths the first is for the text encoder; te= and unet= say so."""
    return [_named(found[0], found[1], found[2].split(":")[1:]) for found in _WORD.finditer(text)]


def without_loras(text: str) -> str:
    """The prompt as a text encoder is to get it."""
    return re.sub(r"[ \t]+(?=[ \t,])", "", _WORD.sub("", text)).strip(" \t\n,")


def lora_fault(files: Files, text: str) -> Fault | None:
    """The warning that a prompt names LoRAs, with the files that it can be mended with."""
    named = named_loras(text)
    if not named:
        return None
    known = tuple(files.names("loras"))
    paired = [(item, _file(item.name, known)) for item in named]
    missing = [item.name for item, file in paired if file is None]
    wanted = [
        {"word": item.word, "file": file, "model": item.model, "clip": item.clip}
        for item, file in paired
        if file is not None
    ]
    names = ", ".join(item.name[:80] for item in named)
    message = f"names the LoRA {names}, but a prompt loads none: that is read as words."
    if not wanted:
        fix = did_you_mean(f"{missing[0]}.safetensors", known) or _MEANT
        return Fault("lora_in_prompt", message, fix, warning=True)
    return Fault("lora_in_prompt", message, _fix(len(wanted)), warning=True, repair=Repair("lora", wanted))


def _fix(count: int) -> str:
    return "Make it a Load LoRA node." if count == 1 else "Make them Load LoRA nodes."


def _named(word: str, name: str, parts: Sequence[str]) -> NamedLora:
    plain = [_number(part, 1.0) for part in parts if "=" not in part]
    told = dict(part.split("=", 1) for part in parts if "=" in part)
    clip = _number(told.get("te", ""), plain[0] if plain else 1.0)
    return NamedLora(
        word, name.strip(), _number(told.get("unet", ""), plain[1] if len(plain) > 1 else clip), clip
    )


def _number(text: str, otherwise: float) -> float:
    return float(text) if re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)\s*", text) else otherwise


def _file(name: str, known: Sequence[str]) -> str | None:
    """The file that a name means: with or without its ending and its folder."""
    wanted = name.casefold()
    for form in (str, _bare, _stem):
        if found := next((file for file in known if form(file).casefold() == wanted), None):
            return found
    return None


def _bare(file: str) -> str:
    return str(PurePosixPath(file).with_suffix(""))


def _stem(file: str) -> str:
    return PurePosixPath(file).stem
