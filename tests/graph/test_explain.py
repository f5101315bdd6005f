"""Why a node runs, in a few words; also after a restart."""

from pathlib import Path

from graph.disk_store import DiskStore
from graph.document import Link, Node
from graph.explain import History
from graph.memory_store import MemoryStore
from tests.graph.running import Ran, run, show_of


def nodes(seed: int = 4, text: str = "a cat") -> dict[str, Node]:
    return {
        "text": Node("Number", {"value": len(text)}),
        "sampler": Node("Add", {"a": Link("text", "INT"), "b": seed}),
        "s": show_of("sampler"),
    }


def test_reasons_say_what_changed() -> None:
    memory = MemoryStore()
    assert set(run(nodes(), memory=memory).reasons.values()) == {"first run"}
    assert run(nodes(5), memory=memory).reasons == {"sampler": "b 4 → 5", "s": "upstream sampler changed"}
    assert run(nodes(5, "dog"), memory=memory).reasons["text"] == "value 5 → 3"
    relinked = nodes(5) | {"s": show_of("text")}
    assert run(relinked, memory=memory).reasons["s"] == "value now from text"
    removed = nodes(5) | {"sampler": Node("Add", {"a": 1})}
    assert run(removed, memory=memory).reasons["sampler"] == "a unset → 1, b 5 → unset, a unlinked"
    assert (
        run(nodes(5) | {"sampler": Node("Number")}, memory=memory).reasons["sampler"] == "type Add → Number"
    )


def test_long_values_are_told_apart_and_shown_in_short() -> None:
    memory = MemoryStore()
    long = "word " * 50
    run({"s": Node("Show", {"value": long + "one"})}, memory=memory)
    reason = run({"s": Node("Show", {"value": long + "two"})}, memory=memory).reasons["s"]
    assert reason.startswith("value 'word word") and len(reason) < 80


def test_what_was_evicted_is_told_so() -> None:
    memory = MemoryStore()
    run(nodes(), memory=memory)
    memory.clear()
    assert run(nodes(), memory=memory).reasons["sampler"] == "not in cache (evicted)"


def after_restart(folder: Path, seed: int) -> Ran:
    return run(nodes(seed), memory=MemoryStore(), disk=DiskStore(folder))


def test_reasons_outlive_the_process(tmp_path: Path) -> None:
    after_restart(tmp_path, 4)
    again = after_restart(tmp_path, 5)
    assert again.reasons["sampler"] == "b 4 → 5"
    assert again.verdicts == {"text": "disk", "sampler": "ran", "s": "ran"}
    assert after_restart(tmp_path, 5).reasons == {"s": "not in cache (an output runs again in every process)"}


def test_a_damaged_history_loses_only_reasons(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    history = History(path)
    history.record("a", {"node": "a", "key": "1"})
    history.close()
    path.write_bytes(b"junk\n[]\n{}\n\xff\n" + path.read_bytes() + b'{"node": "b", "ke')
    assert (History(path).last("a"), History(path).last("b")) == ({"node": "a", "key": "1"}, None)


def test_a_long_history_is_written_anew_in_short(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"node": "a", "key": "1"}\n' * 3000)
    assert History(path).last("a") == {"node": "a", "key": "1"}
    assert len(path.read_text().splitlines()) == 1


def test_a_change_is_told_from_the_last_run_even_if_that_was_cached() -> None:
    memory = MemoryStore()
    for seed in (4, 5, 4):
        run(nodes(seed), memory=memory)
    assert run(nodes(6), memory=memory).reasons["sampler"] == "b 4 → 6"
