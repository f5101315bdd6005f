"""The memory store: a budget in bytes, the least used go first, what is in use stays, all accounted for."""

from typing import Any

from graph.document import Link, Node
from graph.memory_store import Entry, MemoryStore, measure_value
from graph.node import node
from tests.graph.running import run

ONE, TWO, THREE = b"1", b"2", b"3"


def entry(size: int, node: str = "n") -> Entry:
    return Entry(([b"x" * size],), node=node)


def store(budget: int) -> MemoryStore:
    return MemoryStore(budget, measure=lambda value: len(value) - 256)


def test_what_several_results_share_is_counted_once_and_freed_with_the_last() -> None:
    shared: dict[str, dict[int, int]] = {"model": {1: 5000}, "with lora": {1: 5000, 2: 100}, "latent": {}}
    memory = MemoryStore(
        10_000, measure=lambda value: 10 + sum(shared[value].values()), shares=shared.__getitem__
    )
    for name in shared:
        memory.put(name.encode(), Entry(([name],)))
    assert memory.total == 3 * 266 + 5000 + 100
    assert [held.bytes for held in memory.entries()] == [266 + 2500, 266 + 2500 + 100, 266]
    memory.drop(b"model")
    assert memory.total == 2 * 266 + 5000 + 100
    memory.put(b"with lora", Entry((["latent"],)))
    assert memory.total == 2 * 266


def test_shrinking_goes_on_until_shared_parts_are_free() -> None:
    memory = MemoryStore(1 << 30, measure=lambda value: 5000, shares=lambda value: {7: 5000})
    for name in ("a", "b", "c"):
        memory.put(name.encode(), Entry(([name],)))
    assert memory.shrink(1000) == 3 * 256 + 5000
    assert len(memory) == 0


def test_the_least_recently_used_goes_first() -> None:
    memory = store(2000)
    memory.put(ONE, entry(1000))
    memory.put(TWO, entry(1000))
    assert memory.get(ONE) is not None
    memory.put(THREE, entry(1000))
    assert [key in memory for key in (ONE, TWO, THREE)] == [True, False, True]
    assert memory.total == 2000


def test_what_is_pinned_stays_until_it_is_unpinned() -> None:
    memory = store(1000)
    memory.pin(ONE)
    memory.put(ONE, entry(900))
    memory.put(TWO, entry(900))
    assert (ONE in memory, TWO in memory) == (True, False)
    memory.unpin(ONE)
    memory.put(TWO, entry(900))
    assert (ONE in memory, TWO in memory) == (False, True)


def test_the_account_names_nodes_bytes_and_pins() -> None:
    memory = store(10_000)
    memory.put(ONE, entry(1000, "a"))
    memory.put(TWO, entry(3000, "b"))
    memory.pin(TWO)
    assert [(held.node, held.bytes, held.pinned) for held in memory.entries()] == [
        ("a", 1000, False),
        ("b", 3000, True),
    ]
    assert memory.bytes_by_node() == {"b": 3000, "a": 1000}


def test_putting_a_key_again_counts_it_once() -> None:
    memory = store(10_000)
    memory.put(ONE, entry(1000))
    memory.put(ONE, entry(2000))
    assert (memory.total, len(memory)) == (2000, 1)
    memory.drop(ONE)
    memory.drop(ONE)
    assert (memory.total, len(memory)) == (0, 0)


def test_values_are_measured_with_what_they_hold_each_object_once() -> None:
    data = bytes(1000)
    ring = list[Any]()
    ring.append(ring)
    assert 1000 <= measure_value([data, data, {"a": data}]) < 1500
    assert measure_value(memoryview(bytearray(5000))) >= 5000
    assert measure_value(ring) < 100


def test_a_run_lets_go_of_values_when_their_last_user_has_run() -> None:
    alive = set[int]()
    most = list[int]()

    class Big:
        def __init__(self, number: int) -> None:
            self.number = number
            alive.add(number)

        def __del__(self) -> None:
            alive.discard(self.number)

    @node("Big")
    def big(n: int, before: Any = None) -> Any:
        """A big value made from another."""
        most.append(len(alive))
        return Big(n)

    nodes = {"0": Node("Big", {"n": 0})}
    nodes |= {str(n): Node("Big", {"n": n, "before": Link(str(n - 1), "*")}) for n in range(1, 50)}
    nodes["end"] = Node("Show", {"value": Link("49", "*")})
    run(nodes, big, memory=MemoryStore(budget=0))
    assert max(most) <= 2


def test_models_can_go_and_leave_the_pictures() -> None:
    memory = MemoryStore(
        1 << 30, measure=lambda value: 10, shares=lambda value: {7: 5} if value == "m" else {}
    )
    for key, value in ((b"a", "m"), (b"b", "picture"), (b"c", "m")):
        memory.put(key, Entry(([value],)))
    memory.pin(b"c")
    assert memory.shared_parts() == [5], "both hold the same model"
    memory.drop_shared()
    assert [key in memory for key in (b"a", b"b", b"c")] == [False, True, True]
    memory.unpin(b"c")
    memory.drop_shared()
    assert memory.shared_parts() == []
