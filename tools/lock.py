"""Writes requirements.lock: the version of every package that pyproject.toml's pins bring along.

    .venv/bin/python tools/lock.py

Run it after changing a pin. The launcher hands the file to pip as constraints: a package is never installed
only because it stands there. torch's own parts for GPUs are left out: torch pins them itself.
"""

import json
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH_PINS_THEM = re.compile(r"(nvidia|cuda|triton)(-|$)")
HEADER = "# Made by tools/lock.py from pyproject.toml; pip reads it as constraints.\n"


def main() -> int:
    """Resolves every pin anew, without installing anything, and writes the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    (ROOT / "requirements.lock").write_text(HEADER + "".join(resolve(pins)), "utf-8")
    return 0


def resolve(pins: list[str]) -> list[str]:
    """One line a package, `name==version`, in the order of their names."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", *options, *pins]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    found = (line(entry["metadata"]) for entry in report["install"])
    return sorted(entry for entry in found if not TORCH_PINS_THEM.match(entry))


def line(metadata: dict[str, str]) -> str:
    name = re.sub(r"[-_.]+", "-", metadata["name"]).lower()
    public = metadata["version"].partition("+")[0]  # +cpu and the like differ from machine to machine
    return f"{name}=={public}\n"


if __name__ == "__main__":
    sys.exit(main())
