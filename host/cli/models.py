"""`darkroom models`: the model files there are, and what their headers say of them."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.probe import FileFacts, probe
from graph.suggestions import did_you_mean
from host.cli.console import refuse, results, say
from host.folders import MODEL_KINDS, Folders, folders_of, installation


def list_models(kind: str) -> None:
    """Print the model files of a kind, or of all, with what their headers say."""
    if kind and kind not in MODEL_KINDS:
        refuse(f"There is no kind of model {kind}. {did_you_mean(kind, MODEL_KINDS)}".rstrip())
    files = folders_of(installation())
    found = [(name, file) for name in MODEL_KINDS if kind in ("", name) for file in files.names(name)]
    if not found:
        say(f"There are no model files yet. Put them in {installation() / 'models' / kind}.")
        return
    table = Table("kind", "name", "family", "precision", "size", box=None, pad_edge=False)
    for name, file in found:
        table.add_row(Text(name, "dim"), Text(file, "bold"), *_facts(files, name, file))
    results().print(table)


def _facts(files: Folders, kind: str, name: str) -> tuple[str | Text, str, str]:
    path = files.find(kind, name)
    if path is None:
        return Text("gone", "yellow"), "", ""
    try:
        facts = probe(path)
    except (DiffusionError, OSError) as error:
        return Text(str(error), "yellow"), "", human_size(_size(path))
    return _family(facts), facts.precision, human_size(facts.bytes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _family(facts: FileFacts) -> str:
    title = FAMILIES[facts.family].title if facts.family in FAMILIES else facts.family or "any"
    return title if facts.kind == "checkpoint" else f"{facts.kind}, {title}"


def human_size(count: float) -> str:
    """A number of bytes as people read it: "14.2 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
