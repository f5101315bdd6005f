"""Results kept in memory, within a budget of bytes, by key; the least used go first."""

import dataclasses
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from graph.explain import History
from graph.guard import Seal

Items = list[Any]
Fact = tuple[str, str, str]
"""Something that a result rests on beyond its key: (what, name, mark). See graph.storage."""

DEFAULT_BUDGET: Final = 4 * 1024**3
_ENTRY_BYTES: Final = 256
_PLAIN_BYTES: Final = 32
_MOST_OBJECTS: Final = 10_000


class Shown(NamedTuple):
    """What a person saw of a node: its id then, the node it stands for, and its `ui`."""

    node: str
    display: str
    ui: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A node's result: for each output the list of its items (None: not loaded), its seal, what was shown.

    node: the id of the node that made it, for accounting. inside: facts of the nodes that were made while
    making it; the result holds while they are true.
    """

    values: tuple[Items | None, ...]
    seal: Seal = ()
    node: str = ""
    shown: tuple[Shown, ...] = ()
    inside: frozenset[Fact] = frozenset()

    def covers(self, wanted: int) -> bool:
        """Whether all wanted outputs (bit i for output i) are there."""
        return all(items is not None or not wanted >> index & 1 for index, items in enumerate(self.values))


class Held(NamedTuple):
    """One line of the store's account."""

    key: str
    node: str
    bytes: int
    pinned: bool


class MemoryStore:
    """Keeps results up to `budget` bytes, as `measure` counts them. Pinned ones stay, whatever the budget.

    shares: of a value the parts that other results may hold as well (a model's weights), bytes by identity.
    `measure` counts them in; the store counts each once, as long as any result holds it. For one running job
    at a time; `entries` may be read from other threads.
    """

    __slots__ = (
        "_entries",
        "_holders",
        "_pins",
        "_shared",
        "_sizes",
        "_total",
        "budget",
        "history",
        "measure",
        "shares",
    )

    def __init__(
        self,
        budget: int = DEFAULT_BUDGET,
        measure: Callable[[Any], int] | None = None,
        shares: Callable[[Any], Mapping[int, int]] | None = None,
    ) -> None:
        self.budget = budget
        self.shares = shares
        self._shared = dict[bytes, Mapping[int, int]]()
        self._holders = Counter[int]()
        self.measure = measure_value if measure is None else measure
        self.history = History()
        self._entries = OrderedDict[bytes, Entry]()
        self._sizes = dict[bytes, int]()
        self._pins = Counter[bytes]()
        self._total = 0

    def __contains__(self, key: bytes) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def total(self) -> int:
        """Bytes held."""
        return self._total

    def get(self, key: bytes) -> Entry | None:
        """The result of a key, now the most recently used; or None."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep a result; others go if the budget is passed."""
        self.drop(key)
        size = _ENTRY_BYTES + sum(self._size(items) for items in entry.values if items is not None)
        shared = self._shares(entry)
        self._entries[key] = entry
        self._sizes[key] = size - sum(shared.values())
        self._total += self._sizes[key] + self._take(key, shared)
        if self._total > self.budget:
            self.shrink(self.budget)

    def _size(self, items: Items) -> int:
        return sum(map(self.measure, items))

    def drop(self, key: bytes) -> None:
        """Forget a result."""
        if self._entries.pop(key, None) is not None:
            self._total -= self._sizes.pop(key) + self._let_go(key)

    def _shares(self, entry: Entry) -> dict[int, int]:
        found = dict[int, int]()
        if self.shares is not None:
            for items in entry.values:
                for item in items or ():
                    found |= self.shares(item)
        return found

    def _take(self, key: bytes, shared: Mapping[int, int]) -> int:
        """Note what an entry shares; gives the bytes that nobody held before."""
        if shared:
            self._shared[key] = shared
        added = sum(size for part, size in shared.items() if not self._holders[part])
        self._holders.update(shared.keys())
        return added

    def _let_go(self, key: bytes) -> int:
        """Forget what an entry shared; gives the bytes that nobody holds any more."""
        shared, freed = self._shared.pop(key, {}), 0
        for part, size in shared.items():
            self._holders[part] -= 1
            if not self._holders[part]:
                del self._holders[part]
                freed += size
        return freed

    def pin(self, key: bytes) -> None:
        """Keep a key's result until it is unpinned as often as it was pinned."""
        self._pins[key] += 1

    def unpin(self, key: bytes) -> None:
        """Undo one pin."""
        self._pins[key] -= 1
        if self._pins[key] <= 0:
            del self._pins[key]
            if self._total > self.budget:
                self.shrink(self.budget)

    def shrink(self, budget: int) -> int:
        """Drop the least recently used unpinned results down to `budget` bytes; gives the bytes freed."""
        before = self._total
        for key in list(self._entries):
            if self._total <= budget:
                break
            if key not in self._pins:
                self.drop(key)
        return before - self._total

    def clear(self) -> None:
        """Drop every result that is not in use."""
        self.shrink(-1)

    def drop_shared(self) -> int:
        """Drop unpinned results with parts that others may hold too (models); gives the bytes freed."""
        before = self._total
        for key in list(self._shared):
            if key not in self._pins:
                self.drop(key)
        return before - self._total

    def shared_parts(self) -> list[int]:
        """The bytes of each part that results may hold in common (models), each once."""
        return list({part: size for held in self._shared.values() for part, size in held.items()}.values())

    def entries(self) -> list[Held]:
        """What is held, least recently used first."""
        known = list(self._entries.items())
        return [Held(key.hex(), entry.node, self._bytes(key), key in self._pins) for key, entry in known]

    def _bytes(self, key: bytes) -> int:
        """An entry's own bytes and its part of what it shares."""
        parts = self._shared.get(key, {}).items()
        return self._sizes.get(key, 0) + sum(size // max(1, self._holders[part]) for part, size in parts)

    def bytes_by_node(self) -> dict[str, int]:
        """Bytes held for each node, the most first."""
        counted = Counter[str]()
        for held in self.entries():
            counted[held.node] += held.bytes
        return dict(counted.most_common())


def measure_value(value: Any) -> int:
    """Bytes of a value: buffers by their size, containers with what they hold, the same object once."""
    if type(value) is int or value is None:
        return _PLAIN_BYTES
    total, seen, waiting = 0, set[int](), [value]
    while waiting and len(seen) < _MOST_OBJECTS:
        item = waiting.pop()
        if id(item) not in seen:
            seen.add(id(item))
            total += _PLAIN_BYTES + _own_bytes(item)
            waiting.extend(_inside(item))
    return total


def _own_bytes(value: Any) -> int:
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    size = getattr(value, "nbytes", 0)
    return size if type(size) is int else 0


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple | set | frozenset):
        return cast("list[Any]", value)
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value).values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, item.name, None) for item in dataclasses.fields(value)]
    return ()
