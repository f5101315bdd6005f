"""extra_model_paths.yaml: model folders of other programs, used where they lie.

The file's form is ComfyUI's: sections of any name, each with an optional base_path and is_default, and for
each kind of model one folder a line. Relative folders start at base_path, or where the file lies; ~ and
variables of the environment are filled in.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

EXTRA_PATHS: Final = "extra_model_paths.yaml"


@dataclass(frozen=True, slots=True)
class ExtraPath:
    """A folder for a kind of model; `first` puts it before the others, so that new files go there."""

    kind: str
    path: Path
    first: bool = False


def read_extra_paths(config: Path) -> list[ExtraPath]:
    """The folders that a file names, in its order; ValueError says what is wrong with it."""
    try:
        sections = yaml.safe_load(config.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{config} cannot be read: {error.strerror or error}. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place else ""
        raise ValueError(f"{config} is no YAML{where}. Indent with spaces; write kind: folder.") from None
    if sections is None:
        return []
    if not isinstance(sections, Mapping):
        raise ValueError(f"{config} holds no sections. Write a name, then base_path and kinds below it.")
    found = cast(Mapping[Any, Any], sections)
    return [extra for name, section in found.items() for extra in _section(config, str(name), section)]


def _section(config: Path, name: str, section: Any) -> Iterator[ExtraPath]:
    if section is None:
        return
    if not isinstance(section, Mapping):
        raise ValueError(f"{config}: section {name} holds no kinds. Write kind: folder below it.")
    entries = dict(cast(Mapping[Any, Any], section))
    first = bool(entries.pop("is_default", False))
    base = _expanded(config.resolve().parent, str(entries.pop("base_path", None) or "."))
    for kind, folders in entries.items():
        for line in _lines(config, name, kind, folders):
            yield ExtraPath(str(kind), _expanded(base, line), first)


def _lines(config: Path, name: str, kind: Any, folders: Any) -> list[str]:
    """The folders of a kind: one a line of a text, or a list of them; an empty one is the base itself."""
    if folders is None:
        return []
    if isinstance(folders, str):
        # In a text of several lines YAML knows no comments, but people write them.
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in folders.split("\n"))
        return [line for line in lines if line]
    if isinstance(folders, list) and all(isinstance(item, str) for item in cast(list[Any], folders)):
        return cast(list[str], folders)
    raise ValueError(f"{config}: {kind} in section {name} is no folder. Write one folder a line.")


def _expanded(base: Path, text: str) -> Path:
    path = Path(os.path.expandvars(text)).expanduser()
    return Path(os.path.normpath(base / path))
