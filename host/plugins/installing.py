"""Installing, updating and removing plugins: whole or not at all, with the version before kept."""

import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from host.plugins.found import DISABLED, folder_name, installed
from host.plugins.lock import Entry, LockError, read_lock, write_lock
from host.plugins.manifest import FILE, NAME, ManifestError, manifest_of, unfit_for
from host.plugins.requirements import Plan, RequirementError, install, requirements_of, resolve
from host.plugins.sources import Brought, SourceError, bring, content_digest

PREVIOUS: Final = ".previous"
"""The folder among plugins that holds the version before of each."""


class InstallError(Exception):
    """Why nothing was changed; the message is a sentence with its fix."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, or would be: a plugin's name, its entry in the lock, and what pip adds."""

    name: str
    entry: Entry
    plan: Plan


def install_plugin(root: Path, source: str, dry_run: bool = False, replace: str = "") -> Done:
    """Bring a plugin and put it in its place. replace: the installed one that it takes the place of.

    Raises InstallError, after which everything is as it was.
    """
    with _told_apart(), _workplace(root) as place:
        brought = bring(source, place / "new")
        entry, name = _entry(brought), replace or _name(brought)
        lock = read_lock(root)
        if not replace and (there := place_of(root, name)) is not None:
            raise InstallError(
                f"{there} is there already. Write ./darkroom plugin update {name}, or remove it first."
            )
        plan = resolve(entry.requirements, name)
        if not dry_run:
            install(plan)
            before = lock.get(name)
            entry = entry.model_copy(
                update={"previous": before and before.model_copy(update={"previous": None})}
            )
            _swap(root, name, brought.folder)
            write_lock(root, {**lock, name: entry})
        return Done(name, entry, plan)


def update_plugin(root: Path, name: str, dry_run: bool = False) -> Done:
    """Bring an installed plugin again from where it came. Raises InstallError."""
    with _told_apart():
        entry = read_lock(root).get(name)
    if entry is None or not entry.source:
        raise InstallError(f"Nothing says where {name} came from. Install it with ./darkroom plugin install.")
    return install_plugin(root, entry.source, dry_run, name)


def roll_back(root: Path, name: str) -> Entry:
    """Put the version before in the place of a plugin; the two change places. Raises InstallError."""
    with _told_apart():
        lock = read_lock(root)
    kept, entry = root / PREVIOUS / name, lock.get(name)
    if not kept.is_dir() or entry is None or entry.previous is None:
        raise InstallError(f"No version before the installed one is kept of {name}.")
    with _workplace(root) as place:
        shutil.move(kept, place / "old")
        _swap(root, name, place / "old")
    back = entry.previous.model_copy(update={"previous": entry.model_copy(update={"previous": None})})
    write_lock(root, {**lock, name: back})
    return back


def remove_plugin(root: Path, name: str) -> Path:
    """Take a plugin away, with what was kept of it. Raises InstallError."""
    there = place_of(root, name)
    if there is None:
        raise _gone(root, name)
    names = {name, folder_name(there)}
    with _told_apart():
        lock = read_lock(root)
    with _workplace(root) as place:
        shutil.move(there, place / "gone")
    for kept in names:
        shutil.rmtree(root / PREVIOUS / kept, ignore_errors=True)
    write_lock(root, {key: entry for key, entry in lock.items() if key not in names})
    return there


def set_enabled(root: Path, name: str, enabled: bool) -> None:
    """Say in the lock whether a plugin is to be loaded, an installed package too. Raises InstallError."""
    there = place_of(root, name)
    if there is None and not is_installed(name):
        raise InstallError(f"There is no plugin {name} in {root}. ./darkroom plugin list names them.")
    with _told_apart():
        lock = read_lock(root)
        if enabled and there is not None and there.name.endswith(DISABLED):
            there.rename(there.with_name(there.name.removesuffix(DISABLED)))
        names = {name} if there is None else {folder_name(there), *({name} & lock.keys())}
        told = {key: lock.get(key, Entry()).model_copy(update={"enabled": enabled}) for key in names}
        root.mkdir(parents=True, exist_ok=True)
        write_lock(root, {**lock, **told})


def is_installed(name: str) -> bool:
    """Whether an installed package is a plugin of this name."""
    return any(found.name == name for found in installed())


def place_of(root: Path, name: str) -> Path | None:
    """Where a plugin lies: by its folder's name, else by what its plugin.toml calls it."""
    inner = [path for path in root.iterdir() if path.name[0] not in "._"] if root.is_dir() else []
    named = (path for path in inner if folder_name(path) == name and _may_be(path))
    called = (path for path in inner if path.is_dir() and _called(path) == name)
    return next(chain(named, called), None)


def _may_be(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".py", DISABLED)


def _called(folder: Path) -> str:
    """What a folder's plugin.toml calls it, "" where nothing does."""
    try:
        manifest = manifest_of(folder)
    except ManifestError:
        return ""
    return manifest.name if manifest else ""


def _gone(root: Path, name: str) -> InstallError:
    if is_installed(name):
        return InstallError(f"{name} is an installed package. Remove it with pip, or disable it.")
    return InstallError(f"There is no plugin {name} in {root}. ./darkroom plugin list names them.")


def _entry(brought: Brought) -> Entry:
    manifest = manifest_of(brought.folder)
    if manifest is not None and (why := unfit_for(manifest)):
        raise InstallError(why)
    return Entry(
        version=manifest.version if manifest else "",
        source=brought.source,
        commit=brought.commit,
        content=content_digest(brought.folder),
        requirements=requirements_of(brought.folder),
    )


def _name(brought: Brought) -> str:
    manifest = manifest_of(brought.folder)
    name = manifest.name if manifest else brought.name.removesuffix(DISABLED)
    if not re.fullmatch(NAME, name):
        raise InstallError(f"{name!r} cannot be a folder of plugins. Give the plugin a {FILE} with a name.")
    return name


def _swap(root: Path, name: str, new: Path) -> None:
    """Put a folder in a plugin's place, and keep what was there as the version before."""
    there, kept = place_of(root, name), root / PREVIOUS / name
    if there is None:
        new.rename(root / name)
        return
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    there.rename(kept)
    try:
        new.rename(root / name)
    except OSError:
        kept.rename(there)
        raise


@contextmanager
def _workplace(root: Path) -> Generator[Path]:
    """A folder beside plugins, on the same disk, so that a change of places is one step."""
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=root) as place:
        yield Path(place)


@contextmanager
def _told_apart() -> Generator[None]:
    """Every known failure as an InstallError."""
    try:
        yield
    except (SourceError, RequirementError, ManifestError, LockError) as error:
        raise InstallError(str(error)) from None
    except OSError as error:
        raise InstallError(f"It cannot be written: {error}.") from None
