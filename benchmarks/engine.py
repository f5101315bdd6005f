"""What the engine itself costs: trivial nodes in chains and fans, first run and all cached.

.venv/bin/python benchmarks/engine.py

Each figure is the best of several, in wall seconds and in CPU seconds: other work on the machine shows only
in the former. Exit code 1 when a goal is missed by CPU time.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from graph.disk_store import DiskStore
from graph.document import Link, Node, Workflow
from graph.executor import execute
from graph.memory_store import MemoryStore
from graph.node import node, spec_of
from graph.plan import Plan, plan
from graph.registry import Registry
from graph.results import JobResult
from graph.validation import validate

CHAIN = 10_000
FAN = 2_000
LARGE = 100_000
TIMES = 5


@node("Number")
def number(value: int = 0) -> int:
    """A number."""
    return value


@node("Add")
def add(a: int, b: int = 1) -> int:
    """A sum."""
    return a + b


@node("Show", output=True)
def show(value: int) -> None:
    """Takes a number."""


REGISTRY = Registry(spec for toy in (number, add, show) if (spec := spec_of(toy)) is not None)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; times in seconds, a goal of 0 means there is none."""

    what: str
    wall: float
    cpu: float
    goal: float = 0.0

    @property
    def met(self) -> bool:
        """Whether the goal is met by CPU time."""
        return not self.goal or self.cpu < self.goal


def chain(length: int) -> Workflow:
    """A number, `length` sums one after the other, and an output."""
    nodes = {"0": Node("Number", {"value": 1})}
    nodes |= {str(n): Node("Add", {"a": Link(str(n - 1), "INT")}) for n in range(1, length)}
    return Workflow(nodes | {"end": Node("Show", {"value": Link(str(length - 1), "INT")})})


def fan(width: int) -> Workflow:
    """`width` outputs that have nothing to do with each other."""
    nodes = dict[str, Node]()
    for n in range(width):
        nodes[f"n{n}"] = Node("Number", {"value": n})
        nodes[f"s{n}"] = Node("Show", {"value": Link(f"n{n}", "INT")})
    return Workflow(nodes)


def timed(what: str, action: Callable[[], Any], goal: float = 0.0, times: int = TIMES) -> Row:
    """The best of several calls."""
    best = [float("inf"), float("inf")]
    for _ in range(times):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        best[1] = min(best[1], time.process_time() - cpu)
        best[0] = min(best[0], time.perf_counter() - wall)
    return Row(what, best[0], best[1], goal)


def run(planned: Plan, memory: MemoryStore | None = None, disk: DiskStore | None = None) -> JobResult:
    """A run that must end well."""
    result = execute(planned, REGISTRY, memory=memory, disk=disk)
    assert result.state == "done", result.errors
    return result


def rows() -> Iterator[Row]:
    """All measurements, one by one."""
    row = chain(CHAIN)
    planned, warm = plan(row, REGISTRY), MemoryStore()
    yield timed(f"chain of {CHAIN:,}: validate", lambda: validate(row, REGISTRY))
    yield timed(f"chain of {CHAIN:,}: plan", lambda: plan(row, REGISTRY))
    yield timed(f"chain of {CHAIN:,}: plan and first run", lambda: run(plan(row, REGISTRY)), 2.0)
    run(planned, warm)
    yield timed(f"chain of {CHAIN:,}: plan and run, all cached", lambda: run(plan(row, REGISTRY), warm), 0.3)
    yield timed(
        f"chain of {CHAIN:,}: validate, plan and run, all cached",
        lambda: (validate(row, REGISTRY), run(plan(row, REGISTRY), warm)),
        0.3,
    )
    with TemporaryDirectory() as folder:
        disk = DiskStore(Path(folder))
        yield timed(f"chain of {CHAIN:,}: first run, kept on disk", lambda: run(planned, None, disk), times=1)
        yield timed(f"chain of {CHAIN:,}: new process, from disk", lambda: run(planned, None, disk), times=2)
    wide = fan(FAN)
    yield timed(f"{FAN:,} independent outputs: plan and first run", lambda: run(plan(wide, REGISTRY)), 1.0)
    large = chain(LARGE)
    yield timed(f"chain of {LARGE:,}: validate", lambda: validate(large, REGISTRY), times=2)
    yield timed(f"chain of {LARGE:,}: plan", lambda: plan(large, REGISTRY), times=2)
    yield timed(f"chain of {LARGE:,}: first run", lambda: run(plan(large, REGISTRY)), times=1)


def memory_rows() -> Iterator[tuple[str, float]]:
    """Bytes a node at the height of a run and after it, with all results cached."""
    for length in (CHAIN, 2 * CHAIN, 4 * CHAIN):
        row, memory = chain(length), MemoryStore()
        gc.collect()
        tracemalloc.start()
        run(plan(row, REGISTRY), memory)
        gc.collect()
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        yield f"chain of {length:,}: at its height", most / length
        yield f"chain of {length:,}: kept after it", kept / length


def main() -> int:
    """Print the tables; gives the exit code."""
    met = True
    print(f"{'what':<58} {'wall s':>8} {'CPU s':>8} {'goal s':>8}")
    for row in rows():
        met = met and row.met
        goal = f"{row.goal:8.1f}" if row.goal else " " * 8
        print(
            f"{row.what:<58} {row.wall:8.3f} {row.cpu:8.3f} {goal} {'' if row.met else 'missed'}", flush=True
        )
    print(f"\n{'memory':<58} {'bytes a node':>12}")
    for what, size in memory_rows():
        print(f"{what:<58} {size:12,.0f}", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
