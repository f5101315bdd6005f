"""Results of quick nodes wait before they are written; a process that is killed loses next to nothing."""

import time
from pathlib import Path
from typing import Any

from graph.disk_store import DiskStore
from graph.document import Link, Node
from graph.guard import seal
from graph.late_writes import LateWrites, Pace, Waiting
from graph.memory_store import Entry, MemoryStore
from graph.node import node
from tests.graph.running import Ran, run

PATIENCE = 0.03


@node("Wait")
def wait(a: int, seconds: float = 0.0) -> int:
    """Take a while."""
    time.sleep(seconds)
    return a


@node("Look", output=True)
def look(a: int, folder: str) -> int:
    """Count what is stored while it runs."""
    return stored(Path(folder))


@node("Refuse", output=True)
def fail(a: int) -> int:
    """Raise."""
    raise ValueError("no")


def stored(folder: Path) -> int:
    """How many results lie in a store."""
    return sum(path.is_file() for path in (folder / "index").glob("*/*"))


def chain(folder: Path, number: int, seconds: float = 0.0) -> dict[str, Node]:
    """A number that goes through a node and is looked at."""
    return {
        "a": Node("Number", {"value": number}),
        "w": Node("Wait", {"a": Link("a", "INT"), "seconds": seconds}),
        "l": Node("Look", {"a": Link("w", "INT"), "folder": str(folder)}),
    }


def patient(folder: Path) -> DiskStore:
    return DiskStore(folder, patience=PATIENCE)


def go(workflow: dict[str, Node], disk: DiskStore) -> Ran:
    return run(workflow, wait, look, fail, memory=MemoryStore(), disk=disk)


def kept(folder: Path, workflow: dict[str, Node]) -> dict[str, Any]:
    """What another process finds."""
    return dict(go(workflow, patient(folder)).verdicts)


def test_a_type_that_was_never_seen_may_take_long_so_all_before_it_is_written_first(tmp_path: Path) -> None:
    ran = go(chain(tmp_path, 1), patient(tmp_path))
    assert ran.result.state == "done" and stored(tmp_path) == 2


def test_quick_nodes_that_are_known_write_nothing(tmp_path: Path) -> None:
    disk = patient(tmp_path)
    go(chain(tmp_path, 1), disk)
    before = stored(tmp_path)
    assert all(go(chain(tmp_path, number), disk).state == "done" for number in range(2, 6))
    assert stored(tmp_path) == before


def test_what_took_long_is_written_at_once_with_all_that_waited(tmp_path: Path) -> None:
    disk = patient(tmp_path)
    go(chain(tmp_path, 1), disk)
    assert go(chain(tmp_path, 2, seconds=2 * PATIENCE), disk).state == "done"
    assert kept(tmp_path, chain(tmp_path, 2, seconds=2 * PATIENCE))["w"] == "disk"
    assert not disk.pace.is_quick("Wait") and disk.pace.is_quick("Number")


def test_short_times_add_up(tmp_path: Path) -> None:
    disk = patient(tmp_path)
    nodes = {f"w{number}": Node("Wait", {"a": number, "seconds": PATIENCE / 3}) for number in range(8)}
    outputs = {
        f"l{number}": Node("Look", {"a": Link(f"w{number}", "INT"), "folder": str(tmp_path)})
        for number in range(8)
    }
    go(chain(tmp_path, 1), disk)
    before = stored(tmp_path)
    go(nodes | outputs, disk)
    assert stored(tmp_path) - before >= 4


def test_a_run_that_is_not_done_keeps_what_it_finished(tmp_path: Path) -> None:
    disk = patient(tmp_path)
    workflow = chain(tmp_path, 1) | {"f": Node("Refuse", {"a": Link("w", "INT")})}
    go(workflow, disk)
    disk.pace.note("Refuse", 0.0)
    again = chain(tmp_path, 5) | {"f": Node("Refuse", {"a": Link("w", "INT")})}
    assert go(again, disk).state == "failed"
    assert kept(tmp_path, again)["w"] == "disk"


def test_what_was_changed_in_place_while_it_waited_is_not_written() -> None:
    written = list[bytes]()
    late = LateWrites(Pace(1.0), lambda result: written.append(result.key))
    for key, value in ((b"a", [1]), (b"b", [2])):
        late.add(Waiting(key, Entry(([value],), seal([value])), ""), 0.1)
        if key == b"a":
            value.append(3)
    late.flush()
    assert written == [b"b"]
