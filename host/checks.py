"""The project's own checks, one after the other: formatting, lint, types, the editor where npm is, tests.

Tests of one file run in one process, those of several files side by side.
"""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "ruff format": ["ruff", "format", "--check", "."],
    "ruff check": ["ruff", "check", "."],
    "pyright": ["pyright", "--pythonpath", sys.executable],
    "editor": [],
    "pytest": ["pytest"],
}
SIDE_BY_SIDE = ["-n", "logical", "--maxprocesses", "4", "--dist", "loadfile"]
"""Each process takes up to 2 GB."""
WEB = ROOT / "web"


def run_checks(arguments: Sequence[str]) -> int:
    """The exit code of every check, or of pytest alone when it is given arguments: 0 when all pass.

    Each runner prints its own closing line; pytest's comes last, followed by one line for them all.
    """
    missing = [name for name in ("ruff", "pyright", "pytest", "xdist") if find_spec(name) is None]
    if missing:
        print(f"{', '.join(missing)} is not installed: run ./darkroom test, or pip install -e '.[test]'")
        return 2
    if arguments:
        return _run("pytest", arguments)
    npm = which("npm")
    if npm is None:
        print("npm is not here: the editor is not checked.")
    results = {name: _timed(name, npm) for name in CHECKS if name != "editor" or npm is not None}
    print(" · ".join(f"{name} {_word(code)} ({seconds:.0f} s)" for name, (code, seconds) in results.items()))
    return int(any(code for code, _ in results.values()))


def _word(code: int) -> str:
    return "FAILED" if code else "passed"


def _timed(name: str, npm: str | None) -> tuple[int, float]:
    start = monotonic()
    code = (
        _check_editor(npm)
        if name == "editor" and npm
        else _run(name, SIDE_BY_SIDE if name == "pytest" else ())
    )
    return code, monotonic() - start


def _check_editor(npm: str) -> int:
    """The exit code of the editor's lint, types, tests and build; its packages are installed first."""
    print("== editor", flush=True)
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    is_ready = installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime
    steps = [["ci"], ["run", "check"], ["run", "build"]]
    commands = ([npm, *step] for step in steps[is_ready:])
    return next(filter(None, (_called(command, WEB) for command in commands)), 0)


def _run(name: str, arguments: Sequence[str]) -> int:
    """Runs one check in the project's root and gives its exit code; its output goes straight through."""
    print(f"== {name}", flush=True)
    command = [sys.executable, "-m", *CHECKS[name], *arguments]
    return _called(command, ROOT)


def _called(command: Sequence[str], folder: Path) -> int:
    return subprocess.run(command, cwd=folder, check=False, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:]))
