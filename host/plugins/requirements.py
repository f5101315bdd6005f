"""What a plugin requires of Python, resolved against Darkroom's own pins before anything is installed."""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from host.folders import SOURCES
from host.plugins.manifest import manifest_of

LOCK: Final = SOURCES / "requirements.lock"
_SECONDS: Final = 900
_CONFLICT: Final = re.compile(r"^\s*(The user requested.*|.* depends on .*)$", re.MULTILINE)
_NOWHERE: Final = (
    "No matching distribution",
    "Could not find a version",
    "Connection",
    "Name or service",
    "Max retries",
)


class RequirementError(Exception):
    """Requirements that cannot be met; the message says which, who wants what, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What installing would add: packages with versions."""

    wanted: tuple[str, ...]
    new: tuple[str, ...] = ()


def requirements_of(folder: Path) -> tuple[str, ...]:
    """What a plugin of ours or a pack of ComfyUI's says that it requires. Raises RequirementError."""
    manifest = manifest_of(folder)
    found = manifest.requirements if manifest is not None else (*_of_text(folder), *_of_project(folder))
    return tuple(dict.fromkeys(found))


def _of_text(folder: Path) -> Iterator[str]:
    """The lines of requirements.txt; options for pip are left out, and so are addresses."""
    file = folder / "requirements.txt"
    for line in file.read_text("utf-8", "replace").splitlines() if file.is_file() else ():
        text = line.partition(" #")[0].strip()
        if text and not text.startswith(("#", "-")):
            yield _readable(text)


def _of_project(folder: Path) -> Iterator[str]:
    file = folder / "pyproject.toml"
    try:
        told = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise RequirementError(f"Its pyproject.toml cannot be read: {error}.") from None
    listed: Any = told.get("project", {}).get("dependencies", [])
    yield from (_readable(str(item)) for item in cast("Sequence[Any]", listed) if isinstance(item, str))


def _readable(text: str) -> str:
    try:
        read = Requirement(text)
    except InvalidRequirement:
        raise RequirementError(
            f"It requires {text!r}, which is no name of a package. Install that by hand."
        ) from None
    return str(read)


def missing(wanted: Sequence[str]) -> tuple[str, ...]:
    """Those that are not met by what is installed."""
    return tuple(text for text in wanted if not _is_met(Requirement(text)))


def _is_met(wanted: Requirement) -> bool:
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return False
    return (
        not wanted.extras
        and wanted.url is None
        and wanted.specifier.contains(found.version, prereleases=True)
    )


def pins() -> dict[str, str]:
    """Darkroom's own pins, by canonical name."""
    lines = LOCK.read_text("utf-8").splitlines() if LOCK.is_file() else []
    pairs = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name.strip()): version.split(";")[0].strip() for name, _, version in pairs}


def resolve(wanted: Sequence[str], plugin: str) -> Plan:
    """What would be installed; nothing is. Raises RequirementError where that cannot be."""
    if conflicts := list(_against_pins(wanted, plugin)):
        raise RequirementError(" ".join(conflicts))
    left = missing(wanted)
    if not left:
        return Plan(tuple(wanted))
    with tempfile.TemporaryDirectory(prefix="darkroom-resolve-") as place:
        report = Path(place) / "report.json"
        done = _pip("install", "--dry-run", "--quiet", "--report", str(report), *_constrained(place), *left)
        if done.returncode or not report.is_file():
            raise RequirementError(_why(done.stderr, left))
        told = json.loads(report.read_text("utf-8"))
    parts = (item["metadata"] for item in told["install"])
    return Plan(tuple(wanted), tuple(f"{item['name']}=={item['version']}" for item in parts))


def install(plan: Plan) -> None:
    """Install what was resolved, and nothing else. Raises RequirementError."""
    if plan.new:
        done = _pip("install", "--quiet", "--no-deps", "--only-binary=:all:", *plan.new)
        if done.returncode:
            raise RequirementError(_why(done.stderr, plan.new))


def _against_pins(wanted: Sequence[str], plugin: str) -> Iterator[str]:
    known = pins()
    for text in wanted:
        asked = Requirement(text)
        pinned = known.get(canonicalize_name(asked.name))
        applies = asked.marker is None or asked.marker.evaluate()
        if pinned and applies and not asked.specifier.contains(pinned, prereleases=True):
            yield (
                f"{plugin} wants {asked.name} {asked.specifier}, and Darkroom {asked.name} {pinned}. "
                "Ask its author for a version that goes with it."
            )


def _constrained(place: str) -> tuple[str, ...]:
    """Holds pip to the pins, and to packages that need no program of theirs to be run."""
    file = Path(place) / "constraints.txt"
    file.write_text("".join(f"{name}=={version}\n" for name, version in pins().items()), "utf-8")
    return ("--constraint", str(file), "--only-binary=:all:")


def _pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments]
    try:
        return subprocess.run(
            command,
            check=False,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise RequirementError(
            f"pip was not done after {_SECONDS // 60} minutes. Check the network."
        ) from None


def _why(said: str, wanted: Sequence[str]) -> str:
    names = ", ".join(wanted)
    if conflict := _CONFLICT.findall(said):
        told = "; ".join(line.strip() for line in conflict)
        return f"Its requirements do not go together with Darkroom's: {told}."
    if any(text in said for text in _NOWHERE):
        return (
            f"pip finds no {names} that can be installed here. Check the network and PIP_INDEX_URL, "
            "or install it by hand; without a network, put its wheel where PIP_FIND_LINKS points."
        )
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it failed")
    return f"pip cannot install {names}: {last.removeprefix('ERROR: ').rstrip('.')}."
