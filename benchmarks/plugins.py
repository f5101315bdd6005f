"""What sixty plugins cost: the server's first answer, and the time until all their nodes are told.

.venv/bin/python benchmarks/plugins.py [rounds]

Forty packs of ComfyUI's contract and twenty plugins of ours are made for it; eight of them are broken in ways
that packs are. Servers with and without them start in turn, so that other work on the machine falls on both.
Exit code 1 when a goal is missed: the first answer may take no longer with sixty plugins than without, and
every node of the other plugins must be there.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
PACKS = 60
OURS_EVERY = 3
MOST_RATIO = 1.1
"""What noise alone makes of two equal servers."""
PATIENCE = 300.0
BROKEN = {
    4: "raise ValueError('no luck')",
    7: "import sys; sys.exit(1)",
    19: "this is no Python",
    25: "import a_package_that_nobody_has",
    31: "import ctypes; ctypes.string_at(0)",
    33: "raise KeyboardInterrupt.__base__",
    45: "import nowhere.to_be_found",
    58: "import os; os.abort()",
}
RUDE = {13: "import sys; sys.path.clear(); sys.modules.pop('json')", 40: "import os; os.chdir('/')"}
THEIRS = """\
{first}


class N{number}:
    @classmethod
    def INPUT_TYPES(cls):
        return {{"required": {{"x": ("INT", {{"default": {number}}}), "how": (["a", "b"],)}}}}

    RETURN_TYPES = ("INT",)
    FUNCTION = "run"

    def run(self, x, how):
        return (x,)


NODE_CLASS_MAPPINGS = {{"N{number}": N{number}}}
"""
OURS = """\
{first}
from typing import Annotated

from graph.node import node
from graph.spec import Number


@node("N{number}", category="small")
def dim(value: Annotated[float, Number(0, 1, 0.1)] = 0.5) -> float:
    '''A number made smaller.'''
    return value / 2
"""


def write_packs(home: Path) -> set[str]:
    """Sixty plugins; gives the bare names of the nodes that must be there."""
    for number in range(PACKS):
        is_ours = number % OURS_EVERY == 0
        folder = home / "custom_nodes" / f"pack{number:02}"
        folder.mkdir(parents=True)
        first = BROKEN.get(number) or RUDE.get(number, "")
        code = (OURS if is_ours else THEIRS).format(first=first, number=number)
        (folder / ("nodes.py" if is_ours else "__init__.py")).write_text(code, "utf-8")
    return {f"N{number}" for number in range(PACKS) if number not in BROKEN}


@contextmanager
def server(home: Path) -> Iterator[tuple[float, str]]:
    """When it was started, and where it answers, as soon as it says so."""
    environment = {**os.environ, "DARKROOM_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "server.py"), "serve", "--port", "0", "--cpu"]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().rpartition(" ")[2].strip()
        yield began, address
    finally:
        process.terminate()
        process.communicate(timeout=60)


def get(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"{address}{path}", timeout=PATIENCE) as reply:
        return json.load(reply)


def seconds_until(address: str, began: float, holds: Callable[[], bool]) -> float:
    while time.perf_counter() - began < PATIENCE:
        with suppress(urllib.error.URLError):
            if holds():
                return time.perf_counter() - began
        time.sleep(0.02)
    raise TimeoutError(f"{address} did not come so far in {PATIENCE:.0f} s.")


def first_answer(home: Path) -> float:
    """Seconds from the start of the process to its first answer."""
    with server(home) as (began, address):
        get(address, "/system_stats")
        return time.perf_counter() - began


def all_told(home: Path, wanted: set[str]) -> float:
    """Seconds until /object_info tells the nodes that are wanted."""
    with server(home) as (began, address):
        return seconds_until(address, began, lambda: wanted <= bare(get(address, "/object_info")))


def bare(names: Any) -> set[str]:
    return {str(name).rpartition("/")[2] for name in names}


def loaded(home: Path) -> float:
    """Seconds until a worker has loaded everything: none of the plugins waits."""
    (home / "cache" / "plugins-loaded.json").unlink(missing_ok=True)
    with server(home) as (began, address):
        return seconds_until(address, began, lambda: not waiting(address))


def waiting(address: str) -> list[str]:
    told = get(address, "/api/v1/plugins")["plugins"]
    return [item["name"] for item in told if item["state"] == "waiting"]


def main() -> int:
    """Prints the figures; the exit code."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with TemporaryDirectory(prefix="darkroom-plugins-") as place:
        none, sixty = Path(place, "none"), Path(place, "sixty")
        none.mkdir()
        wanted = write_packs(sixty)
        fresh = all_told(sixty, wanted)
        print(f"all {len(wanted)} nodes of the good plugins are there beside {len(BROKEN)} broken ones")
        print(f"first start, until /object_info has all: {fresh:.1f} s (the broken ones end two workers)")
        pairs = [(first_answer(none), first_answer(sixty)) for _ in range(rounds)]
        alone, beside = (median(times) for times in zip(*pairs, strict=True))
        ratio = median(there / here for here, there in pairs)
        print(
            f"first answer, median of {rounds}: {alone:.2f} s without, {beside:.2f} s with, ratio {ratio:.2f}"
        )
        told = [(all_told(none, set()), all_told(sixty, wanted)) for _ in range(rounds)]
        alone, beside = (median(times) for times in zip(*told, strict=True))
        print(f"later starts, until /object_info has all: {alone:.2f} s without, {beside:.2f} s with")
        print(f"later starts, until a worker has loaded all: {loaded(sixty):.1f} s")
    return int(ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
