"""Finding plugins without running them: folders and files in custom_nodes/, and installed packages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from host.plugins.lock import disabled_in
from host.plugins.manifest import FILE, NAME, WEB, Manifest, ManifestError, manifest_of
from host.plugins.packs import Pack

GROUP: Final = "darkroom.plugins"
"""The group of entry points by which an installed package is a plugin: NAME = "package"."""
DISABLED: Final = ".disabled"
_MARKED: Final = re.compile(
    r"^[ \t]*(from|import)[ \t]+(graph\.node|host\.plugins\.hookspecs)\b", re.MULTILINE
)
_FOREIGN: Final = re.compile(r"\bNODE_CLASS_MAPPINGS\b|\bcomfy_entrypoint\b")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin of ours that was found.

    path: its folder or file. package: the module that an entry point names, "" for a folder. enabled: whether
    it is to be loaded. trouble: why it cannot be, in a sentence.
    """

    name: str
    path: Path
    manifest: Manifest
    package: str = ""
    enabled: bool = True
    trouble: str = ""


def pack_of(found: Found) -> Pack:
    """What is known of a plugin before it is loaded."""
    manifest = found.manifest
    return Pack(
        found.name,
        str(found.path),
        "loaded",
        web=str(found.path / WEB) if (found.path / WEB).is_dir() else "",
        kind="native",
        version=manifest.version,
        description=manifest.description,
        capabilities=manifest.capabilities,
    )


def entries(root: Path) -> list[Path]:
    """What may be a plugin of any kind in a folder of plugins, disabled ones too, by name."""
    if not root.is_dir():
        return []
    found = sorted(root.iterdir(), key=lambda path: (path.name.casefold(), path.name))
    return [path for path in found if _may_be(path)]


def _may_be(path: Path) -> bool:
    if path.name.startswith((".", "_")) and path.name != "__init__.py":
        return False
    return path.is_dir() or path.name.removesuffix(DISABLED).endswith(".py")


def find_plugins(roots: Sequence[Path]) -> list[Found]:
    """The plugins of ours in these folders, then those of installed packages."""
    places = [(root, path) for root in roots for path in entries(root)]
    off = {root: disabled_in(root) for root in roots}
    found = [_found(path, off[root]) for root, path in places if is_ours(path)]
    everywhere = frozenset[str]().union(*off.values())
    return _once([*found, *(replace(item, enabled=item.name not in everywhere) for item in installed())])


def _found(path: Path, off: frozenset[str]) -> Found:
    name = folder_name(path)
    enabled = not path.name.endswith(DISABLED) and name not in off
    try:
        manifest = manifest_of(path)
    except ManifestError as error:
        return Found(
            name, path, Manifest(name=_UNFIT.sub("-", name).strip("._-") or "plugin"), "", enabled, str(error)
        )
    if manifest is not None:
        return Found(manifest.name, path, manifest, "", enabled and manifest.name not in off)
    if not re.fullmatch(NAME, name):
        fix = f"Its name {name} cannot begin ids of nodes: use letters, digits, dots, dashes, underscores."
        return Found(name, path, Manifest(name="plugin"), "", enabled, fix)
    return Found(name, path, Manifest(name=name), "", enabled)


def folder_name(path: Path) -> str:
    """What a folder or file of plugins is called, enabled or not."""
    name = path.name.removesuffix(DISABLED)
    return name if path.is_dir() else name.removesuffix(".py")


def is_ours(path: Path) -> bool:
    """Whether a folder or file is a plugin of ours: it has a plugin.toml, or marks functions `@node`."""
    if path.is_dir():
        if (path / FILE).is_file():
            return True
        return not _mentions(path / "__init__.py", _FOREIGN) and any(
            _mentions(file, _MARKED) for file in sources(path)
        )
    return _mentions(path, _MARKED) and not _mentions(path, _FOREIGN)


def scanned(folder: Path) -> Iterator[Path]:
    """The modules in which nodes and hooks are looked for; one whose name begins with _ is its author's."""
    for path in sources(folder):
        parts = path.relative_to(folder).parts
        if not any(part.startswith("_") and part != "__init__.py" for part in parts):
            yield path


def sources(folder: Path) -> Iterator[Path]:
    """The modules of a plugin's folder, by name; its tests and what browsers read are none."""
    waiting = [folder]
    while waiting:
        inner = sorted(waiting.pop().iterdir())
        yield from (
            path for path in inner if path.suffix == ".py" and path.is_file() and not _is_test(path.stem)
        )
        waiting.extend(
            path for path in inner if path.is_dir() and path.name.isidentifier() and not _is_aside(path.name)
        )


def _is_test(stem: str) -> bool:
    return stem == "conftest" or stem.startswith("test_")


def _is_aside(name: str) -> bool:
    return name in ("tests", "web", "node_modules") or name.startswith("__")


def _mentions(path: Path, pattern: re.Pattern[str]) -> bool:
    try:
        return pattern.search(path.read_text("utf-8", "replace")) is not None
    except OSError:
        return False


def installed() -> Iterator[Found]:
    """Plugins that are installed packages, by their entry points."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        top = point.module.partition(".")[0]
        path = Path(str(point.dist.locate_file(point.module.replace(".", "/")))) if point.dist else Path(top)
        try:
            manifest = manifest_of(path) or Manifest(name=point.name)
            yield Found(manifest.name, path, manifest, point.module)
        except (ManifestError, ValueError) as error:
            yield Found(point.name, path, Manifest(name="plugin"), point.module, True, str(error))


def _once(found: Sequence[Found]) -> list[Found]:
    """The same, with a trouble for every enabled one whose name another has before it."""
    first, told = dict[str, Path](), list[Found]()
    for item in found:
        taken = first.get(item.name.casefold()) if item.enabled else None
        if item.enabled:
            first.setdefault(item.name.casefold(), item.path)
        trouble = f"Another plugin is called {item.name} too ({taken}). Rename or remove one of them."
        told.append(
            item
            if taken is None or item.trouble
            else Found(item.name, item.path, item.manifest, item.package, True, trouble)
        )
    return told
