"""The disk store: survives restarts and kills, trusts no file that is not what its digest says."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest

from graph.disk_store import Damaged, DiskStore, PlainCodec, Unstorable, write_atomically
from graph.document import Link, Node
from graph.memory_store import MemoryStore
from graph.node import node
from graph.sockets import Socket
from tests.graph.running import Ran, run, show_of

KEY, OTHER = b"k" * 16, b"o" * 16
BIG = "x" * 5000


def nodes(b: int = 1) -> dict[str, Node]:
    return {
        "a": Node("Number", {"value": 1}),
        "b": Node("Add", {"a": Link("a", "INT"), "b": b}),
        "s": show_of("b"),
    }


def restarted(folder: Path, workflow: dict[str, Node], *functions: Any, **more: Any) -> Ran:
    """A run as a new process would make it."""
    return run(workflow, *functions, memory=MemoryStore(), disk=DiskStore(folder, **more))


def test_results_survive_a_restart_and_outputs_run_again(tmp_path: Path) -> None:
    restarted(tmp_path, nodes())
    again = restarted(tmp_path, nodes())
    assert (again.started, again.shown("s")) == (["s"], [2])
    assert again.verdicts == {"a": "skipped", "b": "disk", "s": "ran"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -0.0,
        10**40,
        "é\n",
        b"\0\xff",
        [1, [2.5, None]],
        {"a": (1, [{}])},
        (),
        float("inf"),
        BIG,
        [BIG, BIG],
    ],
)
def test_plain_values_come_back_the_same_in_value_and_type(tmp_path: Path, value: Any) -> None:
    store = DiskStore(tmp_path)
    assert store.put(KEY, ([value], []))
    stored = DiskStore(tmp_path).find(KEY)
    assert stored is not None
    assert repr(store.load(stored, 3)) == repr(([value], []))


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {3}}, "\ud800", 10**4000, type])
def test_values_without_a_codec_are_not_stored(tmp_path: Path, value: Any) -> None:
    assert not DiskStore(tmp_path).put(KEY, ([value],))
    assert DiskStore(tmp_path).find(KEY) is None


def test_a_list_in_itself_or_nested_too_deeply_is_not_stored(tmp_path: Path) -> None:
    ring, deep = list[Any](), [1]
    ring.append(ring)
    for _ in range(200):
        deep = [deep]
    assert not PlainCodec().can_store(ring)
    assert not PlainCodec().can_store(deep)


def damage_index(folder: Path, change: Any) -> None:
    for path in (folder / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(change(path.read_bytes()))


DAMAGES = [
    lambda data: data[: len(data) // 2],
    lambda data: b"",
    lambda data: data[:-3] + b"\0" + data[-2:],
    lambda data: b"\xff\xfe" * 50,
]


@pytest.mark.parametrize("change", DAMAGES)
def test_a_damaged_index_line_is_dropped_and_the_result_made_again(tmp_path: Path, change: Any) -> None:
    restarted(tmp_path, nodes())
    damage_index(tmp_path, change)
    again = restarted(tmp_path, nodes())
    assert (again.state, again.shown("s"), again.started) == ("done", [2], ["a", "b", "s"])
    assert "The stored result of node b (Add) was damaged; it is made again." in again.logs
    assert again.reasons["b"] == "not in cache (its stored result was damaged)"
    assert restarted(tmp_path, nodes()).verdicts["b"] == "disk"


@node("Long")
def long(n: int) -> str:
    """A text too long for the index."""
    return str(n) * 5000


LONG = {"l": Node("Long", {"n": 3}), "s": show_of("l", "STRING")}


@pytest.mark.parametrize("change", DAMAGES)
def test_a_damaged_value_is_dropped_and_made_again(tmp_path: Path, change: Any) -> None:
    restarted(tmp_path, LONG, long)
    (value,) = (path for path in (tmp_path / "values").rglob("*") if path.is_file())
    value.write_bytes(change(value.read_bytes()))
    again = restarted(tmp_path, LONG, long)
    assert (again.state, again.shown("s"), again.verdicts["l"]) == ("done", ["3" * 5000], "ran")
    assert restarted(tmp_path, LONG, long).verdicts["l"] == "disk"


def test_a_missing_value_is_made_again(tmp_path: Path) -> None:
    restarted(tmp_path, LONG, long)
    for path in (tmp_path / "values").rglob("*"):
        if path.is_file():
            path.unlink()
    assert restarted(tmp_path, LONG, long).verdicts["l"] == "ran"


def full(path: Path, data: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_a_full_disk_is_a_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    ran = restarted(tmp_path, nodes(), write=full)
    assert (ran.state, ran.shown("s")) == ("done", [2])
    assert ran.logs == [
        f"Results cannot be kept in {tmp_path} (no space left on device); "
        "the run goes on, and they stay in memory only."
    ]
    assert run(nodes(), memory=MemoryStore(), disk=DiskStore(tmp_path)).verdicts["a"] == "ran"


def test_a_file_size_limit_leaves_no_half_written_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(Unstorable):
            DiskStore(tmp_path).put(KEY, ([BIG],))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = restarted(tmp_path / "file", nodes())
    assert (ran.state, len(ran.logs)) == ("done", 1)


def test_the_least_recently_used_go_when_the_budget_is_passed(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, budget=30_000)
    for number in range(10):
        store.put(bytes([number]) * 16, ([str(number) * 5000],))
        for path in (tmp_path / "index").rglob("*"):
            if path.is_file():
                os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 100))
    assert store.total() <= 30_000
    assert store.find(bytes([9]) * 16) is not None
    assert store.find(bytes([0]) * 16) is None
    kept = [stored for number in range(10) if (stored := store.find(bytes([number]) * 16))]
    assert all(store.load(stored, 1) for stored in kept) and len(kept) >= 3


def test_equal_values_are_stored_once(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    store.put(KEY, ([BIG],))
    store.put(OTHER, ([BIG], [BIG]))
    assert len([path for path in (tmp_path / "values").rglob("*") if path.is_file()]) == 1


Thing = Annotated[Any, Socket("THING")]


def test_what_has_no_codec_is_made_again_only_when_it_is_needed(tmp_path: Path) -> None:
    loads = list[int]()

    @node("Load")
    def load() -> Thing:
        """A model: no codec can store it."""
        loads.append(1)
        return object()

    @node("Sample")
    def sample(model: Thing, seed: int) -> int:
        """Uses the model."""
        return seed

    def workflow(seed: int, more: int) -> dict[str, Node]:
        return {
            "load": Node("Load"),
            "sample": Node("Sample", {"model": Link("load", "THING"), "seed": seed}),
            "more": Node("Add", {"a": Link("sample", "INT"), "b": more}),
            "s": show_of("more"),
        }

    assert restarted(tmp_path, workflow(1, 1), load, sample).verdicts["load"] == "ran"
    assert restarted(tmp_path, workflow(1, 2), load, sample).started == ["more", "s"]
    assert restarted(tmp_path, workflow(2, 2), load, sample).started == ["load", "sample", "more", "s"]
    assert len(loads) == 2


def test_outputs_with_and_without_codec_are_told_apart(tmp_path: Path) -> None:
    from typing import NamedTuple

    class Both(NamedTuple):
        thing: Thing
        number: int

    @node("Both")
    def both() -> Both:
        """One output that can be stored and one that cannot."""
        return Both(object(), 5)

    number = {"b": Node("Both"), "s": show_of("b", "number")}
    thing = number | {"t": show_of("b", "thing")}
    restarted(tmp_path, number, both)
    assert restarted(tmp_path, number, both).verdicts["b"] == "disk"
    again = restarted(tmp_path, thing, both)
    assert (again.verdicts["b"], again.state) == ("ran", "done")


def test_a_store_of_other_codecs_is_left_alone(tmp_path: Path) -> None:
    class Reverse:
        name = "reverse/1"

        def can_store(self, value: Any) -> bool:
            return isinstance(value, str)

        def dump(self, value: Any) -> bytes:
            return value[::-1].encode()

        def load(self, data: bytes) -> Any:
            return data.decode()[::-1]

    codecs = [Reverse()]
    restarted(tmp_path, LONG, long, codecs=codecs)
    assert restarted(tmp_path, LONG, long, codecs=codecs).verdicts["l"] == "disk"
    stored = DiskStore(tmp_path).find(next(iter_keys(tmp_path)))
    assert stored is not None and stored.outputs == (None,)
    assert restarted(tmp_path, LONG, long, codecs=codecs).verdicts["l"] == "disk"


def iter_keys(folder: Path) -> Any:
    return (bytes.fromhex(path.name) for path in (folder / "index").rglob("*") if path.is_file())


def test_a_codec_that_fails_costs_only_the_stored_result(tmp_path: Path) -> None:
    class Broken:
        name = "broken/1"

        def can_store(self, value: Any) -> bool:
            return True

        def dump(self, value: Any) -> bytes:
            raise RuntimeError("cannot")

        def load(self, data: bytes) -> Any:
            raise RuntimeError("cannot")

    ran = restarted(tmp_path, nodes(), codecs=[Broken()])
    assert (ran.state, ran.logs[0]) == ("done", "The result of node a (Number) could not be stored: cannot.")


def test_reading_damage_raises_and_drops(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    store.put(KEY, ([BIG],))
    damage_index(tmp_path, lambda data: json.dumps({"outputs": 3}).encode())
    with pytest.raises(Damaged):
        store.find(KEY)
    assert store.find(KEY) is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # pyright: ignore[reportArgumentType]
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"old")]


KILLED = """
import sys, time
from pathlib import Path
from graph.disk_store import DiskStore
from graph.document import Link, Node
from graph.node import node
from tests.graph.running import run, show_of

@node("Hang")
def hang(a: int, hang: bool = False) -> int:
    '''Hangs the first time.'''
    if Path(sys.argv[2]).exists():
        return a * 10
    Path(sys.argv[2]).write_text("")
    print("hanging", flush=True)
    time.sleep(60)

nodes = {
    "a": Node("Number", {"value": 4}),
    "b": Node("Add", {"a": Link("a", "INT")}),
    "h": Node("Hang", {"a": Link("b", "INT")}),
    "s": show_of("h"),
}
ran = run(nodes, hang, disk=DiskStore(Path(sys.argv[1])))
print(ran.shown("s"), dict(ran.verdicts), ran.reasons["h"])
"""


def test_a_killed_run_goes_on_from_its_finished_nodes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "store"), str(tmp_path / "mark")]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "hanging\n"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert again == "[50] {'a': 'skipped', 'b': 'disk', 'h': 'ran', 's': 'ran'} first run\n"
