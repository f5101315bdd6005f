"""Where a workflow to run comes from: a file of any format, a picture, or standard input."""

import sys
from pathlib import Path
from typing import Final, NoReturn

from graph.document import Workflow
from graph.formats import LARGEST_PICTURE, read_any
from graph.problems import Problem, WorkflowError
from graph.registry import Registry
from graph.suggestions import nearest
from host.folders import installation
from host.services import Services

STANDARD_INPUT: Final = "-"


def read_source(source: str, services: Services, types: Registry) -> Workflow:
    """The workflow in a file, or from standard input ("-"). Raises WorkflowError with a sentence."""
    data = sys.stdin.buffer.read(LARGEST_PICTURE + 1) if source == STANDARD_INPUT else _contents(Path(source))
    name = "Standard input" if source == STANDARD_INPUT else Path(source).name
    return read_any(data, services.formats(), types, name)


def _contents(path: Path) -> bytes:
    try:
        if path.is_dir():
            _refuse(f"{path} is a folder. Name a workflow in it{_example(path)}.")
        if path.is_char_device() or path.is_block_device():
            _refuse(f"{path} is a device, not a workflow.")
        with path.open("rb") as file:
            return file.read(LARGEST_PICTURE + 1)
    except FileNotFoundError:
        _refuse(f"There is no file {path}.", _nearest_file(path))
    except PermissionError:
        _refuse(f"{path} may not be read by you.", "Change its permissions, or copy it.")
    except (OSError, ValueError) as error:
        _refuse(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.")


def _example(folder: Path) -> str:
    found = sorted(folder.glob("*.json"))
    return f", such as {found[0]}" if found else ""


def _nearest_file(path: Path) -> str:
    """The file that was probably meant: of a like name in the same folder, or among the shipped workflows."""
    places = [path.parent, installation() / "workflows"]
    for folder in places:
        names = [item.name for item in folder.iterdir() if item.is_file()] if folder.is_dir() else []
        if found := nearest(path.name, names):
            return f"Did you mean {folder / found[0]}?"
    return ""


def _refuse(message: str, fix: str = "") -> NoReturn:
    raise WorkflowError([Problem("no_file", message, fix=fix)])
