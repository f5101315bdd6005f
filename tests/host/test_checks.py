"""The checks, run in their own process as the launcher runs them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run_checks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "host.checks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_with_arguments_only_pytest_runs() -> None:
    done = run_checks("--version")
    assert done.stdout.splitlines()[0] == "== pytest"
    assert "ruff" not in done.stdout
    assert done.returncode == 0


def test_a_failing_check_gives_its_exit_code() -> None:
    assert run_checks("-q", "tests/no_such_folder").returncode == 4


def test_the_installed_command_runs_the_checks_too() -> None:
    command = [sys.executable, "server.py", "test", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0] == "== pytest"
    assert done.returncode == 0
