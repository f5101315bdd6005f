"""Cache keys: equal for what gives the same result, and for nothing else."""

from typing import Annotated, Any

import pytest

from graph.document import Link, Node, Workflow
from graph.keys import Key, Keys, canonical
from graph.memory_store import MemoryStore
from graph.node import node
from graph.plan import plan
from graph.registry import Registry
from graph.sockets import Socket
from graph.spec import FileChoice, Hidden, NodeSpec
from tests.graph.running import STANDARD, ToyFiles, ToyJob, run, show_of
from tests.graph.toys import spec

NAN = float("nan")


@node("Any", output=True)
def anything(value: Annotated[Any, Socket("*")] = None) -> None:
    """Takes anything."""


def key_of(node: Node, *specs: NodeSpec, name: str = "x") -> Key:
    registry = Registry([spec(anything), *specs])
    steps = plan(Workflow({name: node}), registry, [name]).steps
    return Keys(None).make(steps[name])


def test_m14_values_of_different_types_never_share_a_key() -> None:
    values = [1, True, 1.0, "1", None, 0, False, 0.0, -0.0, "", [], [1], [[1]], {}, {"1": 1}, ["1"], "[1]"]
    keys = {key_of(Node("Any", {"value": value})).digest for value in values}
    assert len(keys) == len(values)


def test_m14_values_of_different_types_never_share_a_cache_entry() -> None:
    memory = MemoryStore()
    verdicts = [
        run({"a": Node("Any", {"value": value})}, anything, memory=memory).verdicts["a"]
        for value in (1, True, 1.0)
    ]
    assert verdicts == ["ran", "ran", "ran"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a", "b"], ["ab"]),
        ({"a": 1, "b": 2}, {"a": 1, "c": 2}),
        ([1, [2]], [[1], 2]),
        ((1, 2), [1, 2]),
        ("\u00e9", "e\u0301"),
        (2**70, 2**70 + 1),
        (0.1, 0.1000000000000001),
    ],
)
def test_different_values_have_different_forms(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)


def test_the_order_of_a_dict_does_not_matter() -> None:
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [NAN, [NAN], {"a": NAN}, object(), {1: 2}, [set[int]()]])
def test_values_without_a_canonical_form_have_none(value: Any) -> None:
    assert canonical(value) is None


def test_odd_values_are_no_trouble() -> None:
    ring = list[Any]()
    ring.append(ring)
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert canonical(ring) is None
    assert canonical(deep) is not None
    assert canonical("\ud800") is not None
    assert canonical(10**6000) is not None


def test_a_node_with_an_opaque_value_is_never_cached() -> None:
    assert key_of(Node("Any", {"value": object()})).volatile == "its input value is not a plain value"


def test_the_node_id_does_not_matter() -> None:
    assert key_of(Node("Any", {"value": 1}), name="a") == key_of(Node("Any", {"value": 1}), name="b")


def test_the_node_id_matters_to_a_node_that_asks_for_it() -> None:
    @node("Named")
    def named(id: Annotated[str, Hidden("UNIQUE_ID")]) -> str:
        """Its own id."""
        return id

    ran = run(
        {"a": Node("Named"), "b": Node("Named"), "s": show_of("a", "STRING"), "t": show_of("b", "STRING")},
        named,
    )
    assert (ran.shown("s"), ran.shown("t")) == (["a"], ["b"])


def test_m13_new_code_or_a_new_version_is_a_new_key() -> None:
    specs = [
        NodeSpec("N", print, version=version, digest=digest)
        for version, digest in ((1, "a"), (1, "b"), (2, "a"))
    ]
    assert len({key_of(Node("N"), item).digest for item in specs}) == 3


@node("Read")
def read(name: Annotated[str, FileChoice("checkpoints")]) -> str:
    """Reads a file."""
    return name


def test_m13_a_replaced_file_is_not_served_stale() -> None:
    memory, files = MemoryStore(), ToyFiles({"a.safetensors": "one"})
    nodes = {"r": Node("Read", {"name": "a.safetensors"}), "s": show_of("r", "STRING")}
    run(nodes, read, memory=memory, job=ToyJob(files))
    assert run(nodes, read, memory=memory, job=ToyJob(files)).started == []
    files.identities["a.safetensors"] = "two"
    assert run(nodes, read, memory=memory, job=ToyJob(files)).reasons["r"] == "file a.safetensors replaced"


def test_a_fingerprint_joins_the_key_and_gets_only_what_it_names() -> None:
    answers = iter(["x", "x", "y"])

    @node("Watch", fingerprint=lambda path: next(answers) + path)
    def watch(path: str, n: int = 0) -> str:
        """Watches a path."""
        return path

    memory = MemoryStore()
    nodes = {
        "n": Node("Number"),
        "w": Node("Watch", {"path": "p", "n": Link("n", "INT")}),
        "s": show_of("w", "STRING"),
    }
    runs = [run(nodes, watch, memory=memory) for _ in range(3)]
    assert [ran.verdicts["w"] for ran in runs] == ["ran", "cached", "ran"]
    assert runs[2].reasons["w"] == "fingerprint changed"


def raising() -> str:
    raise OSError("gone")


async def later() -> str:
    return "later"


@pytest.mark.parametrize("mark", [lambda: NAN, raising, lambda unknown: unknown, lambda: object(), later])
def test_a_fingerprint_that_is_nan_or_fails_means_always_run(mark: Any) -> None:
    @node("Clock", fingerprint=mark)
    def clock() -> int:
        """The time."""
        return 0

    memory = MemoryStore()
    nodes = {"c": Node("Clock"), "a": Node("Add", {"a": Link("c", "INT")}), "s": show_of("a")}
    run(nodes, clock, memory=memory)
    again = run(nodes, clock, memory=memory)
    assert again.started == ["c", "a", "s"]
    assert again.reasons["c"].startswith("always runs")
    assert again.reasons["a"] == "upstream c always runs"
    assert len(memory) == 0


def test_a_linked_input_is_none_to_a_fingerprint() -> None:
    seen = list[Any]()

    @node("Watch", output=True, fingerprint=lambda **known: seen.append(known))
    def watch(a: int, b: int = 2) -> None:
        """Watches."""

    run({"n": Node("Number"), "w": Node("Watch", {"a": Link("n", "INT"), "b": 3})}, watch)
    assert seen == [{"a": None, "b": 3}]


def test_keys_take_linear_time_in_a_deep_graph() -> None:
    nodes = {"0": Node("Number")} | {
        str(n): Node("Add", {"a": Link(str(n - 1), "INT")}) for n in range(1, 5000)
    }
    steps = plan(Workflow(nodes), Registry(STANDARD), ["4999"]).steps
    keys = Keys(None)
    assert len({keys.make(step).digest for step in steps.values()}) == 5000
