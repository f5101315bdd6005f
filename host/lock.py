"""The lock of a workflow: the model files and versions that made a picture, so that it can be made again."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from graph.context import Files
from graph.document import Workflow
from graph.registry import Registry
from graph.spec import FileChoice
from host.folders import HOME_KINDS
from host.versions import versions

HASHES: Final = "hashes.json"


@dataclass(frozen=True, slots=True)
class Hashes:
    """SHA-256 of files, remembered in a file by their path, size and time."""

    remembered: Path

    def of(self, path: Path) -> str:
        """The digest of a file, as "sha256:...". Raises OSError."""
        facts = path.stat()
        known = self._read()
        name = str(path.resolve())
        mark = [facts.st_size, facts.st_mtime_ns]
        match known.get(name):
            case [size, time, str(digest)] if [size, time] == mark:
                return digest
            case _:
                digest = _digest(path)
                self._write(known | {name: [*mark, digest]})
                return digest

    def known(self, paths: Iterable[Path]) -> dict[Path, str]:
        """The digests that are remembered, without reading any of the files."""
        remembered, found = self._read(), dict[Path, str]()
        for path in paths:
            with suppress(OSError):
                facts = path.stat()
                match remembered.get(str(path.resolve())):
                    case [size, time, str(digest)] if (size, time) == (facts.st_size, facts.st_mtime_ns):
                        found[path] = digest
                    case _:
                        pass
        return found

    def _read(self) -> dict[str, Any]:
        try:
            found: object = json.loads(self.remembered.read_bytes())
        except (OSError, ValueError):
            return {}
        return cast(dict[str, Any], found) if isinstance(found, dict) else {}

    def _write(self, known: Mapping[str, Any]) -> None:
        draft = self.remembered.with_name(f"{HASHES}.{os.getpid()}")
        with suppress(OSError):
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(known, indent=1))
            draft.replace(self.remembered)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def lock_of(
    workflow: Workflow, types: Registry, files: Files, hashes: Hashes, precision: str
) -> dict[str, Any]:
    """What a workflow is run with: versions, precision, and the hash of every model file it names."""
    models = dict[str, str]()
    for kind, name in model_files(workflow, types):
        path = files.find(kind, name)
        with suppress(OSError):
            if path is not None:
                models[f"{kind}/{name}"] = hashes.of(path)
    return {"versions": versions(), "precision": precision, "models": dict(sorted(models.items()))}


def model_files(workflow: Workflow, types: Registry) -> Iterator[tuple[str, str]]:
    """The kind and name of every model file that a workflow names."""
    for node in workflow.nodes.values():
        spec = types.get(node.type)
        for item in spec.inputs if spec else ():
            name = node.inputs.get(item.name)
            if (
                isinstance(item.widget, FileChoice)
                and item.widget.kind not in HOME_KINDS
                and isinstance(name, str)
            ):
                yield item.widget.kind, name
