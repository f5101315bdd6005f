"""The mutation guard: a node that changes its inputs in place is named, and nothing is made of the damage."""

import array
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from graph.document import Link, Node
from graph.guard import broken, seal
from graph.memory_store import MemoryStore
from graph.node import node
from graph.sockets import Socket
from tests.graph.running import run


class Tensor:
    """Looks to the engine like a tensor: a value and a counter of changes in place."""

    def __init__(self, value: int) -> None:
        self.value = value
        self._version = 0

    def add_(self, amount: int) -> "Tensor":
        self.value += amount
        self._version += 1
        return self


Image = Annotated[Tensor, Socket("IMAGE")]


@node("Paper")
def paper() -> Image:
    """A blank image."""
    return Tensor(0)


@node("Spoil")
def spoil(image: Image, amount: int = 1) -> Image:
    """Brightens in place, which is wrong."""
    return image.add_(amount)


@node("Value")
def value(image: Image) -> int:
    """Its brightness."""
    return image.value


@node("Pass")
def hand_on(image: Image) -> Image:
    """The very same image."""
    return image


TOYS = (paper, spoil, value, hand_on)


def spoilt(amount: int) -> dict[str, Node]:
    return {
        "p": Node("Paper"),
        "x": Node("Spoil", {"image": Link("p", "IMAGE"), "amount": amount}),
        "v": Node("Value", {"image": Link("x", "IMAGE")}),
        "s": Node("Show", {"value": Link("v", "INT")}),
    }


def test_m12_a_node_that_changes_its_input_is_named_and_its_result_is_not_trusted() -> None:
    memory = MemoryStore()
    runs = [run(spoilt(amount), *TOYS, memory=memory) for amount in (1, 1, 2, 1)]
    assert [ran.shown("s") for ran in runs] == [[1], [1], [2], [1]]
    sentence = "Node x (Spoil) changed its input 'image' in place; its result is not trusted"
    assert all(ran.logs[0].startswith(sentence) for ran in runs)
    assert [ran.started for ran in runs] == [["p", "x", "v", "s"]] * 4


def test_other_users_of_a_damaged_value_get_a_fresh_one() -> None:
    nodes = {
        "p": Node("Paper"),
        "h": Node("Pass", {"image": Link("p", "IMAGE")}),
        "x": Node("Spoil", {"image": Link("h", "IMAGE")}),
        "a": Node("Show", {"value": Link("x", "IMAGE")}),
        "v": Node("Value", {"image": Link("h", "IMAGE")}),
        "w": Node("Value", {"image": Link("p", "IMAGE")}),
        "b": Node("Show", {"value": Link("v", "INT")}),
        "c": Node("Show", {"value": Link("w", "INT")}),
    }
    ran = run(nodes, *TOYS)
    assert (ran.shown("b"), ran.shown("c")) == ([0], [0])
    assert ran.started.count("p") == ran.started.count("h") == 2
    assert ran.reasons["p"] == "not in cache (its value was changed in place)"


def test_m12_a_value_changed_behind_the_caches_back_is_made_again() -> None:
    memory, made = MemoryStore(), list[Tensor]()

    @node("Keep")
    def keep() -> Image:
        """An image that somebody keeps."""
        made.append(Tensor(0))
        return made[-1]

    nodes = {
        "p": Node("Keep"),
        "v": Node("Value", {"image": Link("p", "IMAGE")}),
        "s": Node("Show", {"value": Link("v", "INT")}),
    }
    run(nodes, keep, *TOYS, memory=memory)
    made[0].add_(5)
    targets = ["p"]
    assert run(nodes, keep, *TOYS, memory=memory, targets=targets).result.values["p"]["IMAGE"][0].value == 0
    assert len(made) == 2


def test_a_node_that_always_spoils_does_not_run_forever() -> None:
    shared = Tensor(0)

    @node("Shared")
    def give() -> Image:
        """Gives one image for all, and changes it."""
        return shared.add_(1)

    nodes = {str(n): Node("Show", {"value": Link("g", "IMAGE")}) for n in range(10)}
    assert run(nodes | {"g": Node("Shared")}, give, *TOYS).state == "done"


def test_a_node_cannot_change_the_document() -> None:
    @node("Eat", output=True)
    def eat(options: Annotated[Any, Socket("*")]) -> None:
        """Empties what it is given."""
        options["a"].append(2)
        options.clear()

    nodes = {"e": Node("Eat", {"options": {"a": [1]}})}
    assert run(nodes, eat).logs == []
    assert nodes["e"].inputs == {"options": {"a": [1]}}


@dataclass
class Latent:
    """A dataclass with a memo."""

    samples: Any
    _memo: dict[str, int] = field(default_factory=dict[str, int])


CHANGES: list[tuple[Any, Any]] = [
    (Tensor(0), lambda value: value.add_(1)),
    ([1], lambda value: value.append(2)),
    ({"a": 1}, lambda value: value.update(a=2)),
    ({"a": ({"b": Tensor(0)},)}, lambda value: value["a"][0]["b"].add_(1)),
    (Latent(Tensor(0)), lambda value: setattr(value, "samples", Tensor(0))),
    (Latent([1, 2]), lambda value: value.samples.pop()),
    (
        array.array("f", [0.0] * 1000),
        lambda value: value.__setitem__(slice(None), array.array("f", [1.0] * 1000)),
    ),
    (bytearray(10), lambda value: value.extend(b"more")),
]


@pytest.mark.parametrize(("value", "change"), CHANGES)
def test_a_seal_breaks_when_a_value_is_changed_in_place(value: Any, change: Any) -> None:
    sealed = seal([value])
    assert not broken(sealed)
    change(value)
    assert broken(sealed)


def test_a_seal_holds_when_only_a_memo_changes() -> None:
    latent = Latent(Tensor(0))
    sealed = seal([latent])
    latent._memo["size"] = 3
    assert not broken(sealed)


def test_plain_values_need_no_seal_at_all() -> None:
    assert seal([1, "two", 3.0, None, b"4"]) == ()


def test_odd_objects_do_not_disturb_the_guard() -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no")

    ring = list[Any]()
    ring.append(ring)
    assert not broken(seal([Odd(), ring, Latent, object()]))


def test_a_seal_of_deep_nesting_needs_no_recursion() -> None:
    deep: Any = Tensor(0)
    for _ in range(5000):
        deep = [deep]
    assert not broken(seal([deep]))


@dataclass
class Shared:
    """Looks like a tensor whose memory numpy writes to: no version is counted."""

    values: Any
    _version: int = 0

    def numpy(self) -> Any:
        return self.values


def test_a_change_by_way_of_numpy_is_seen_though_no_version_was_counted() -> None:
    numpy = pytest.importorskip("numpy")
    image = Shared(numpy.zeros((1, 64, 64, 3), dtype=numpy.float32))
    sealed = seal([image])
    assert sealed and not broken(sealed)
    image.values[:, 20:30, 20:30] = 1.0
    assert broken(sealed)


def test_a_tensor_that_numpy_cannot_read_is_sealed_by_its_version() -> None:
    class Away(Shared):
        def numpy(self) -> Any:
            raise TypeError("on another device")

    image = Away(None)
    sealed = seal([image])
    assert not broken(sealed)
    image._version += 1
    assert broken(sealed)
