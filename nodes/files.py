"""Finding the files that nodes name."""

from pathlib import Path

from graph.context import Context
from graph.suggestions import did_you_mean


def existing(context: Context, kind: str, name: str) -> Path:
    """The path of a named file of a kind ("checkpoints", "input").

    Raises:
        FileNotFoundError: with the nearest name, when there is no such file.
    """
    files = context.job.files
    if (path := files.find(kind, name)) is not None:
        return path
    hint = did_you_mean(name, files.names(kind))
    raise FileNotFoundError(f"There is no file {name} among the {kind} files. {hint}".rstrip())
