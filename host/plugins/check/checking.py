"""Checking a plugin: what can be read is read here, its code is run in other processes only."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from host.folders import SOURCES
from host.plugins.check.findings import Finding, finding_from
from host.plugins.manifest import FILE, WEB, Manifest, ManifestError, manifest_of, unfit_for
from host.worker.causes import cause

_SECONDS: Final = 300
_LINES: Final = 30


def check_plugin(folder: Path) -> list[Finding]:
    """Everything there is to say of a plugin's folder."""
    return [*_read(folder), *_tried(folder), *_tested(folder)]


def _read(folder: Path) -> Iterator[Finding]:
    try:
        manifest = manifest_of(folder)
    except ManifestError as error:
        yield Finding("manifest", "error", str(error), "See docs/plugins.md for what it may hold.")
        return
    if manifest is None:
        fix = f"Write one with a name, a version and a description; `darkroom plugin new` makes one. ({FILE})"
        yield Finding("manifest", "warning", f"There is no {FILE}.", fix)
    else:
        yield from _of_manifest(folder, manifest)
    if not any(folder.glob("README*")):
        yield Finding("docs", "warning", "There is no README.", "Say in README.md what it is for.")


def _of_manifest(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    if why := unfit_for(manifest):
        yield Finding("manifest", "error", why, 'Change "requires" in plugin.toml.')
        return
    missing = [file for file in manifest.web_modules if not (folder / WEB / file).is_file()]
    if missing:
        fix = f"Put it in {WEB}/, or take it out of web_modules."
        yield Finding("manifest", "error", f"The ES module {missing[0]} is not there.", fix)
        return
    empty = [name for name in ("version", "description", "requires") if getattr(manifest, name) in ("", "0")]
    if empty:
        yield Finding(
            "manifest", "warning", f"It says no {', '.join(empty)}.", f"Write {empty[0]} = ... in {FILE}."
        )
    else:
        yield Finding("manifest", "good", f"{manifest.name} {manifest.version}: {manifest.description}")


def _tried(folder: Path) -> list[Finding]:
    with tempfile.TemporaryDirectory(prefix="darkroom-check-") as place:
        answer = Path(place) / "findings.json"
        command = [sys.executable, "-m", "host.plugins.check.trial", str(folder), str(answer)]
        try:
            done = _called(command, SOURCES)
        except subprocess.TimeoutExpired:
            said = f"It was not done after {_SECONDS} s."
            return [Finding("loading", "error", said, "Look for a loop, or for a wait at import.")]
        if answer.is_file():
            return [finding_from(item) for item in json.loads(answer.read_text("utf-8"))]
    why = cause(done.returncode, 0) if done.returncode < 0 else f"exit code {done.returncode}"
    return [Finding("loading", "error", f"It ended the whole process: {why}.", _last(done.stdout))]


def _tested(folder: Path) -> Iterator[Finding]:
    tests = [path for path in (folder / "tests", *folder.glob("test_*.py")) if path.exists()]
    if not tests:
        fix = "Write test_nodes.py: import a node's function and call it."
        yield Finding("tests", "warning", "It has no tests.", fix)
        return
    if find_spec("pytest") is None:
        yield Finding("tests", "skipped", "pytest is not installed.", "`./darkroom test` installs it.")
        return
    options = [
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        f"--rootdir={folder.parent.parent}",
        "-c",
        os.devnull,
    ]
    try:
        done = _called([sys.executable, "-m", "pytest", *options, *map(str, tests)], folder.parent.parent)
    except subprocess.TimeoutExpired:
        yield Finding(
            "tests", "error", f"They were not done after {_SECONDS} s.", "Look for a loop or a wait."
        )
        return
    last = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")
    if done.returncode:
        yield Finding("tests", "error", f"Its own tests fail: {last.strip('= ')}.", _last(done.stdout))
    else:
        yield Finding("tests", "good", f"{last.strip('= ')}.")


def _called(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What a command wrote. Our own code and the folder are importable in it; it reads no terminal."""
    paths = os.pathsep.join(dict.fromkeys((str(folder), str(SOURCES))))
    return subprocess.run(
        command, cwd=folder, check=False, text=True, errors="replace", timeout=_SECONDS,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def _last(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LINES:])
