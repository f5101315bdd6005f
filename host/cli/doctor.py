"""`darkroom doctor`: whether this machine can make pictures, and what is in the way."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, Literal

import psutil
from rich.table import Table
from rich.text import Text

from host.cli.console import results
from host.cli.models import human_size
from host.folders import MODEL_KINDS, WORK_KINDS, folders_of, installation
from host.versions import versions

State = Literal["good", "warning", "bad"]
MARKS: Final[dict[State, tuple[str, str]]] = {
    "good": ("✓", "green"),
    "warning": ("!", "yellow"),
    "bad": ("✗", "red"),
}
LITTLE_DISK: Final = 2 * 10**9
EMBEDDED: Final = "darkroom-tiny.safetensors"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and a sentence."""

    name: str
    state: State
    text: str


def examine() -> int:
    """Print what works on this machine and what does not; gives the exit code, 1 when something is bad."""
    found = list(findings())
    table = Table(box=None, show_header=False, pad_edge=False)
    for item in found:
        mark, colour = MARKS[item.state]
        table.add_row(Text(mark, colour), Text(item.name, "bold"), Text(item.text))
    results().print(table)
    return int(any(item.state == "bad" for item in found))


def findings() -> Iterator[Finding]:
    """Everything that is looked at, one after the other; what fails is a finding too."""
    for look in (_python, _packages, _device, _memory, _folders, _disk, _cache, _model):
        name = look.__name__.strip("_")
        try:
            yield from look()
        except Exception as error:  # whatever breaks here is what the person came to find
            yield Finding(name, "bad", f"could not be looked at: {error}")


def _python() -> Iterator[Finding]:
    text = f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}"
    yield Finding("python", "good" if sys.version_info >= (3, 11) else "bad", text)


def _packages() -> Iterator[Finding]:
    found = versions()
    missing = [name for name, number in found.items() if not number]
    listed = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    yield Finding("packages", "good", listed)
    if missing:
        yield Finding("packages", "bad", f"{', '.join(missing)} is not installed. Run ./darkroom again.")


def _device() -> Iterator[Finding]:
    import torch

    from diffusion.devices import choose_device, free_memory

    device = choose_device()
    kind = str(device.dtype).removeprefix("torch.")
    name = (
        torch.cuda.get_device_name() if device.device.type == "cuda" else f"{torch.get_num_threads()} threads"
    )
    free = human_size(free_memory(device.device))
    yield Finding("device", "good", f"{device.device}, {name}, computes in {kind}, {free} free")


def _memory() -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    state: State = "good" if memory.total >= 4 * 10**9 else "warning"
    yield Finding("memory", state, f"{human_size(memory.available)} of {human_size(memory.total)} free")


def _folders() -> Iterator[Finding]:
    files = folders_of(installation())
    for kind in WORK_KINDS:
        folder = files.folder(kind)
        yield Finding(kind, *_writable(folder))
    count = sum(len(files.names(kind)) for kind in MODEL_KINDS)
    yield Finding("models", "good" if count else "warning", f"{count} files in {installation() / 'models'}")


def _writable(folder: Path) -> tuple[State, str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "good", f"{folder} can be written"
    except OSError as error:
        return "bad", f"{folder} cannot be written: {error.strerror or error}. Change its permissions."


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(installation()).free
    yield Finding("disk", "good" if free > LITTLE_DISK else "warning", f"{human_size(free)} free")


def _cache() -> Iterator[Finding]:
    folder = installation() / "cache"
    state, text = _writable(folder)
    if state == "good":
        sizes = [item.stat().st_size for item in folder.rglob("*") if item.is_file()]
        text = f"{folder} holds {len(sizes)} files, {human_size(sum(sizes))}; delete it at any time"
    yield Finding("cache", state, text)


def _model() -> Iterator[Finding]:
    path = folders_of(installation()).find("checkpoints", EMBEDDED)
    if path is None:
        yield Finding(
            "model", "bad", f"{EMBEDDED} is missing from {installation() / 'models' / 'checkpoints'}."
        )
        return
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    seconds = _timed(lambda: _load(path))
    yield Finding("model", "good", f"{EMBEDDED} loads, {seconds:.1f} s")


def _load(path: Path) -> None:
    from diffusion.loading import load_checkpoint

    load_checkpoint(path)


def _timed(work: Callable[[], None]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
