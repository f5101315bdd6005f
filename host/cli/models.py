"""`darkroom models`: the model files there are, and what their headers say of them."""

from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.hub import fetch, hub_id
from diffusion.probe import FileFacts, probe
from graph.suggestions import did_you_mean
from host.cli.console import messages, refuse, results, say
from host.cli.folders import model_folders
from host.folders import MODEL_KINDS, Folders, installation


def list_models(kind: str, extra_paths: Sequence[Path] = ()) -> None:
    """Print the model files of a kind, or of all, with what their headers say."""
    if kind and kind not in MODEL_KINDS:
        refuse(f"There is no kind of model {kind}. {did_you_mean(kind, MODEL_KINDS)}".rstrip())
    files = model_folders(extra_paths)
    found = [(name, file) for name in MODEL_KINDS if kind in ("", name) for file in files.names(name)]
    if not found:
        say(f"There are no model files yet. Put them in {installation() / 'models' / kind}.")
        return
    table = Table("kind", "name", "family", "precision", "size", box=None, pad_edge=False)
    for name, file in found:
        table.add_row(Text(name, "dim"), Text(file, "bold"), *_facts(files, name, file))
    results().print(table)


def download_model(id: str, extra_paths: Sequence[Path] = ()) -> None:
    """Fetch a model from the hub, with a bar on terminals, and print where it lies."""
    folder = model_folders(extra_paths).folder("diffusers")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=messages(), transient=True) as bars:
        task = bars.add_task(id, total=None)
        try:
            place = fetch(
                hub_id(id), folder, lambda done, total: bars.update(task, completed=done, total=total)
            )
        except DiffusionError as error:
            refuse(str(error))
    print(place)


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
