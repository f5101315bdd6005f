"""The example workflows that plugins bring, with their pictures. No code of theirs is run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.covers import PICTURE_ENDINGS
from host.paths import inside_file

EXAMPLE_FOLDERS: Final = ("example_workflows", "example", "examples", "workflow", "workflows")

_DISABLED: Final = ".disabled"


@dataclass(frozen=True, slots=True)
class PackExample:
    """An example workflow of a plugin."""

    pack: str
    path: Path

    @property
    def name(self) -> str:
        """What it is called among templates: the plugin's name, a slash and its own."""
        return f"{self.pack}/{self.path.stem}"

    @property
    def picture(self) -> Path | None:
        """The picture that lies beside it."""
        return next((path for end in PICTURE_ENDINGS if (path := self.path.with_suffix(end)).is_file()), None)


def examples_of(pack: Path) -> Iterator[Path]:
    """The files of the example workflows of a plugin's folder."""
    for name in EXAMPLE_FOLDERS:
        for path in sorted((pack / name).glob("*.json")):
            if inside_file(pack, f"{name}/{path.name}") is not None:
                yield path


def all_examples(roots: Iterable[Path]) -> Iterator[PackExample]:
    """Those of all plugins in these folders."""
    for root in roots:
        for pack in sorted(root.iterdir()) if root.is_dir() else ():
            if (pack / "__init__.py").is_file() and not pack.name.endswith(_DISABLED):
                yield from (PackExample(pack.name, path) for path in examples_of(pack))
