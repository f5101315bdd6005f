"""How long the launcher takes when everything is installed: from the call to the first line of the command.

.venv/bin/python benchmarks/launcher.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

LAUNCHER = Path(__file__).resolve().parent.parent / "darkroom"
CALLS = 20


def main() -> None:
    """Prints the median and the worst call, with the time that an empty Python call takes beside them."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        command = [sys.executable, str(prepare(root))]
        through = measure(command)
        bare = measure([str(root / ".venv/bin/python"), str(root / "server.py")])
    print(f"launcher, {CALLS} calls: median {median(through):.0f} ms, worst {max(through):.0f} ms")
    print(f"of which the command's own Python: median {median(bare):.0f} ms")


def prepare(root: Path) -> Path:
    """A project with the real pins, a command that ends at once, and an environment stamped as complete."""
    for name in ("darkroom", "pyproject.toml", "requirements.lock"):
        shutil.copy(LAUNCHER.parent / name, root)
    (root / "server.py").write_text("", "utf-8")
    pins = (root / "pyproject.toml").read_text("utf-8")
    (root / "pyproject.toml").write_text("[project]\ndependencies = []\n", "utf-8")
    subprocess.run([sys.executable, root / "darkroom"], check=True, capture_output=True)
    (root / "pyproject.toml").write_text(pins, "utf-8")
    restamp(root)
    return root / "darkroom"


def restamp(root: Path) -> None:
    code = (
        "from runpy import run_path; l = run_path('darkroom'); "
        "l['write_stamp'](l['venv_folder'](), l['read_pins'](), set())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DARKROOM_VENV"}
    subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=True)


def measure(command: list[str]) -> list[float]:
    """Milliseconds of each call."""
    return [milliseconds(command) for _ in range(CALLS)]


def milliseconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True)
    return (perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
