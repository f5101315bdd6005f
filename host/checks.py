"""The project's own checks, one after the other: formatting, lint, types, tests."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "ruff format": ["ruff", "format", "--check", "."],
    "ruff check": ["ruff", "check", "."],
    "pyright": ["pyright", "--pythonpath", sys.executable],
    "pytest": ["pytest"],
}


def run_checks(arguments: Sequence[str]) -> int:
    """The exit code of every check, or of pytest alone when it is given arguments: 0 when all pass.

    Each runner prints its own closing line; pytest's comes last, followed by one line for them all.
    """
    missing = [name for name in ("ruff", "pyright", "pytest") if find_spec(name) is None]
    if missing:
        print(f"{', '.join(missing)} is not installed: run ./darkroom test, or pip install -e '.[test]'")
        return 2
    if arguments:
        return _run("pytest", arguments)
    results = {name: _timed(name) for name in CHECKS}
    print(" · ".join(f"{name} {_word(code)} ({seconds:.0f} s)" for name, (code, seconds) in results.items()))
    return int(any(code for code, _ in results.values()))


def _word(code: int) -> str:
    return "FAILED" if code else "passed"


def _timed(name: str) -> tuple[int, float]:
    start = monotonic()
    return _run(name, ()), monotonic() - start


def _run(name: str, arguments: Sequence[str]) -> int:
    """Runs one check in the project's root and gives its exit code; its output goes straight through."""
    print(f"== {name}", flush=True)
    command = [sys.executable, "-m", *CHECKS[name], *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:]))
