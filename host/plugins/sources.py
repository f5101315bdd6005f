"""Where plugins come from: a folder, a file, or a git repository, brought into a folder of their own."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

_SECONDS: Final = 300
_LEFT_OUT: Final = (".git", "__pycache__", ".venv", "node_modules", ".pytest_cache", ".ruff_cache")
_GIT: Final = ("https://", "http://", "git://", "ssh://", "file://", "git@")


class SourceError(Exception):
    """A plugin that cannot be brought; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A plugin's files, not yet in their place. name: what its folder is to be called."""

    folder: Path
    name: str
    source: str
    commit: str = ""


def is_git(source: str) -> bool:
    """Whether a source is a git repository's address."""
    return source.startswith(_GIT) or source.endswith(".git")


def bring(source: str, into: Path) -> Brought:
    """Copy a plugin into a new folder. Nothing of it is run. Raises SourceError."""
    if is_git(source):
        return _cloned(source, into)
    path = Path(source).expanduser().resolve()
    if path.is_dir():
        shutil.copytree(path, into, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
        return Brought(into, path.name, str(path))
    if path.suffix == ".py" and path.is_file():
        into.mkdir(parents=True)
        shutil.copy2(path, into / "__init__.py")
        return Brought(into, path.stem, str(path))
    raise SourceError(f"{source} is neither a folder, a file of Python nor a git URL.")


def _cloned(source: str, into: Path) -> Brought:
    address, _, wanted = source.partition("#")
    _git("clone", "--quiet", "--no-recurse-submodules", "--", address, str(into))
    if wanted:
        _git("-C", str(into), "checkout", "--quiet", "--detach", wanted)
    commit = _git("-C", str(into), "rev-parse", "HEAD").strip()
    shutil.rmtree(into / ".git")
    name = address.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2]
    return Brought(into, name, source, commit)


def _git(*arguments: str) -> str:
    """What git says; it asks nobody for a password and runs no hook of the repository."""
    if (program := shutil.which("git")) is None:
        raise SourceError("git is not installed. Install it, or give the folder of the plugin.")
    command = [program, "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.ext.allow=never", *arguments]
    try:
        done = subprocess.run(
            command, check=False, text=True, errors="replace", stdin=subprocess.DEVNULL, capture_output=True,
            timeout=_SECONDS, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SourceError(f"git was not done after {_SECONDS} s. Check the network and the URL.") from None
    if done.returncode:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it failed")
        raise SourceError(f"git cannot bring it: {said.removeprefix('fatal: ').rstrip('.')}.")
    return done.stdout


def content_digest(folder: Path) -> str:
    """A digest of all files of a folder, the same wherever it lies."""
    total = blake2b(digest_size=16)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not _is_aside(path, folder)):
        name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
        total.update(len(name).to_bytes(4, "big") + name + blake2b(path.read_bytes()).digest())
    return total.hexdigest()


def _is_aside(path: Path, folder: Path) -> bool:
    return any(part in _LEFT_OUT for part in path.relative_to(folder).parts)
