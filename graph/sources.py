"""Source files and what they import: so that changed code is told from the same code."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]*))",
    re.MULTILINE,
)
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
_ENGINE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Source:
    """A source file: a digest of its text, and the files of its own root that it imports."""

    digest: bytes
    imports: tuple[Path, ...]


def source_digest(path: Path, root: Path, known: dict[Path, Source] | None = None) -> str:
    """A digest that changes when a source file changes, or a file below `root` that it imports, however deep.

    The engine's own files do not count: they move values and do not make them. `known` remembers files for
    the next call. Code is read as text and never run, so imports inside functions count too.
    """
    memo = {} if known is None else known
    waiting, seen = [path], dict[Path, bytes]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        if file not in memo:
            memo[file] = _read(file, root)
        seen[file] = memo[file].digest
        waiting.extend(memo[file].imports)
    total = hashlib.blake2b(digest_size=16)
    for file in sorted(seen):
        total.update(
            str(file.relative_to(root)).encode("utf-8", "replace") if file.is_relative_to(root) else b""
        )
        total.update(seen[file])
    return total.hexdigest()


def _read(path: Path, root: Path) -> Source:
    try:
        data = path.read_bytes()
    except OSError:
        return Source(b"", ())
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return Source(digest, tuple(dict.fromkeys(_imported(data.decode("utf-8", "replace"), path, root))))


def _imported(text: str, path: Path, root: Path) -> Iterator[Path]:
    for match in _IMPORT.finditer(text):
        dots, module, names, plain = match.groups()
        if plain is not None:
            for name in plain.split(","):
                yield from _files(root, name.split(" as ")[0].strip())
            continue
        start = path.parents[len(dots) - 1] if 0 < len(dots) <= len(path.parents) else root
        yield from _files(start, module)
        for name in _NAME.findall(names):
            yield from _files(start, f"{module}.{name}" if module else name)


def _files(start: Path, module: str) -> Iterator[Path]:
    """The source file of a dotted module name below `start`, where there is one."""
    if not module:
        return
    path = start.joinpath(*module.split("."))
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        if _ENGINE not in file.parents and file.is_file():
            yield file
