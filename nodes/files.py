"""Finding the files that nodes name."""

import difflib
from pathlib import Path

from graph.context import Context


def existing(context: Context, kind: str, name: str) -> Path:
    """The path of a named file of a kind ("checkpoints", "input").

    Raises:
        FileNotFoundError: with the nearest name, when there is no such file.
    """
    files = context.job.files
    if (path := files.find(kind, name)) is not None:
        return path
    near = difflib.get_close_matches(name, files.names(kind), n=1, cutoff=0.3)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise FileNotFoundError(f"There is no file {name} among the {kind} files.{hint}")
