"""Subgraphs, reroutes and primitives are gone when a workflow runs, and every link leads to its source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.document import (
    INPUTS,
    PRIMITIVE,
    REROUTE,
    SUBGRAPH,
    VALUE,
    Boundary,
    Link,
    Mode,
    Node,
    Port,
    Subgraph,
    Workflow,
)
from graph.document_json import parse_workflow, write_workflow
from graph.editing import set_input
from graph.flat import flat, is_flat, targets_within
from graph.keys import Keys
from graph.plan import plan
from graph.problems import WorkflowError
from graph.sweep import expand_sweep
from graph.sweep_axes import read_axis
from graph.sweep_marks import COPY_OF, POINT
from graph.validation import validate
from tests.graph.toys import TOYS

ADDING = Subgraph(
    {
        "one": Node(
            "Add", {"a": Link(INPUTS, "a"), "b": Link(INPUTS, "b")}, extra={"hidden_values": {"b": 7}}
        ),
        "two": Node("Add", {"a": Link("one", "INT"), "b": 1}),
    },
    "Add one more",
    {"a": Boundary(type="INT"), "b": Boundary(type="INT")},
    {"INT": Boundary(Link("two", "INT"), "INT")},
)
ADD = f"{SUBGRAPH}adding"


def showing(*sources: str, **nodes: Node) -> Workflow:
    shows = {f"show{n}": Node("Show", {"value": Link(id, "INT")}) for n, id in enumerate(sources or nodes)}
    return Workflow({**nodes, **shows}, subgraphs={"adding": ADDING})


def messages(workflow: Workflow) -> list[str]:
    return [problem.message for problem in validate(workflow, TOYS)]


def test_a_workflow_without_structure_is_given_back_as_it_is() -> None:
    workflow = Workflow({"1": Node("Add", {"a": 1})})
    assert flat(workflow, TOYS) is workflow


def test_nodes_within_are_called_by_their_path() -> None:
    nodes = flat(
        showing("5", first=Node("Add", {"a": 1}), **{"5": Node(ADD, {"a": Link("first", "INT")})}), TOYS
    )
    assert list(nodes.nodes) == ["first", "show0", "5:one", "5:two"]
    assert nodes.nodes["5:one"].inputs == {"a": Link("first", "INT"), "b": 7}
    assert nodes.nodes["5:two"].inputs == {"a": Link("5:one", "INT"), "b": 1}
    assert nodes.nodes["show0"].inputs == {"value": Link("5:two", "INT")}


def test_an_instance_gives_its_own_value_and_without_one_that_behind_the_link_counts() -> None:
    nodes = flat(showing(x=Node(ADD, {"a": 1, "b": 2}), y=Node(ADD, {"a": 3})), TOYS).nodes
    assert [nodes[f"{id}:one"].inputs for id in "xy"] == [{"a": 1, "b": 2}, {"a": 3, "b": 7}]


def test_an_instance_sets_inputs_within_by_their_address_links_too() -> None:
    outer = Subgraph({"in": Node(ADD, {"a": 1})}, outputs={"INT": Boundary(Link("in", "INT"))})
    workflow = replace(
        showing(
            "x",
            y=Node("Add", {"a": 4}),
            x=Node(f"{SUBGRAPH}outer", {"in:two.b": Link("y", "INT"), "in.a": 9}),
        ),
        subgraphs={"adding": ADDING, "outer": outer},
    )
    nodes = flat(workflow, TOYS).nodes
    assert nodes["x:in:two"].inputs["b"] == Link("y", "INT")
    assert nodes["x:in:one"].inputs["a"] == 9
    assert messages(workflow) == []


def test_an_id_that_is_taken_by_a_path_is_given_another() -> None:
    workflow = showing("x", **{"x:one": Node("Add", {"a": 5})}, x=Node(ADD, {"a": 1}))
    nodes = flat(workflow, TOYS).nodes
    assert nodes["x:one"].inputs == {"a": 5}
    assert nodes["x:two"].inputs["a"] == Link("x:one'", "INT")


def test_reroutes_and_primitives_hand_on_and_are_gone() -> None:
    nodes = flat(
        showing(
            "sum",
            number=Node(PRIMITIVE, {VALUE: 6}, extra={"control": {VALUE: "increment"}}),
            bend=Node(REROUTE, {VALUE: Link("number", VALUE)}),
            loose=Node(REROUTE),
            sum=Node("Add", {"a": Link("bend", VALUE), "b": Link("loose", VALUE)}),
        ),
        TOYS,
    ).nodes
    assert list(nodes) == ["sum", "show0"]
    assert (nodes["sum"].inputs, nodes["sum"].extra) == ({"a": 6}, {"control": {"a": "increment"}})


def test_reroutes_in_a_circle_and_very_many_come_to_an_end() -> None:
    row = {f"r{n}": Node(REROUTE, {VALUE: Link(f"r{n - 1}", VALUE)}) for n in range(1, 5000)}
    row["r0"] = Node(REROUTE, {VALUE: Link("r4999", VALUE)})
    nodes = flat(Workflow({**row, "sum": Node("Add", {"a": Link("r77", VALUE)})}), TOYS).nodes
    assert nodes == {"sum": Node("Add", {})}


def test_keys_are_those_of_the_same_nodes_linked_directly() -> None:
    def digests(workflow: Workflow) -> list[bytes]:
        steps, keys = plan(workflow, TOYS).steps, Keys(None)
        return [keys.make(step).digest for step in steps.values()]

    direct = Workflow(
        {
            "p": Node("Add", {"a": 1, "b": 7}),
            "q": Node("Add", {"a": Link("p", "INT"), "b": 1}),
            "s": Node("Show", {"value": Link("q", "INT")}),
        }
    )
    bend = Node(REROUTE, {VALUE: Link("5", "INT")})
    folded = replace(showing("5", **{"5": Node(ADD, {"a": 1})}))
    shown = Node("Show", {"value": Link("bend", VALUE)})
    folded = replace(folded, nodes={"5": folded.nodes["5"], "bend": bend, "s": shown})
    assert digests(folded) == digests(direct)


@pytest.mark.parametrize("mode", ["mute", "bypass"])
def test_nothing_in_an_instance_that_is_off_runs(mode: Mode) -> None:
    saving = Subgraph(
        {"show": Node("Show", {"value": 1}), "add": Node("Add", {"a": 1})}, outputs=ADDING.outputs
    )
    workflow = Workflow({"x": Node(f"{SUBGRAPH}s", mode=mode)}, subgraphs={"s": saving})
    assert {node.mode for node in flat(workflow, TOYS).nodes.values()} == {"mute"}


def test_a_bypassed_instance_hands_on_the_input_that_fits() -> None:
    nodes = flat(
        showing("x", n=Node("Add", {"a": 4}), x=Node(ADD, {"a": Link("n", "INT"), "b": 2}, mode="bypass")),
        TOYS,
    ).nodes
    assert nodes["show0"].inputs == {"value": Link("n", "INT")}


def test_an_instance_as_a_target_stands_for_what_ends_within_it() -> None:
    workflow = showing("x", x=Node(ADD, {"a": 1}), y=Node("Show", {"value": 1}))
    assert targets_within(flat(workflow, TOYS), ["x", "y", "gone"]) == ("x:two", "y", "gone")
    assert list(plan(workflow, TOYS, ["x"]).steps) == ["x:one", "x:two"]
    assert [item.code for item in validate(workflow, TOYS, targets=["gone"])] == ["unknown_target"]


def test_ports_and_addresses_reach_instances() -> None:
    ports = {"count": Port("x", "a"), "sum": Port("x", output="INT")}
    workflow = replace(showing(x=Node(ADD, {"a": 1}, "Adder")), ports=ports)
    for address in ("count", "x.a", "adder.a"):
        assert set_input(workflow, TOYS, address, "12").nodes["x"].inputs["a"] == 12
    assert set_input(workflow, TOYS, "x:two.b", "5").nodes["x"].inputs["two.b"] == 5
    assert flat(workflow, TOYS).ports == {"sum": Port("x:two", output="INT")}
    assert messages(workflow) == []
    with pytest.raises(WorkflowError, match=r"x\.c: node x \(Add one more\) has no input c\."):
        set_input(workflow, TOYS, "x.c", "1")
    with pytest.raises(WorkflowError, match=r"x\.a: "):
        set_input(workflow, TOYS, "x.a", "many")


def test_a_swept_instance_is_copied_whole_and_its_nodes_say_of_what() -> None:
    workflow = showing(x=Node(ADD, {"a": 1}))
    axis = read_axis("x.a=1,2", lambda _: ())
    nodes = flat(expand_sweep(workflow, TOYS, [axis]).workflow, TOYS).nodes
    assert [nodes[f"x~{n}:one"].inputs["a"] for n in (1, 2)] == [1, 2]
    assert nodes["x~2:one"].extra[COPY_OF] == "x:one"
    assert nodes["x~2:one"].extra[POINT] == {"x.a": "2"}
    inner = read_axis("x:two.b=3,4", lambda _: ())
    swept = flat(expand_sweep(workflow, TOYS, [inner]).workflow, TOYS).nodes
    assert [swept[f"x~{n}:two"].inputs["b"] for n in (1, 2)] == [3, 4]


def test_what_is_wrong_with_instances_and_boundaries_is_told_in_sentences() -> None:
    broken = Subgraph(
        {"add": Node("Add", {"a": Link(INPUTS, "aa"), "b": Link("gone", "INT")})},
        "Broken",
        {"a": Boundary()},
        {"INT": Boundary(Link("add", "INT"))},
    )
    nodes = {
        "1": Node(f"{SUBGRAPH}brokn"),
        "2": Node(f"{SUBGRAPH}broken", {"aaa": 1}),
        "3": Node("Add", {"a": Link("2", "SUM"), "b": 1}),
        "4": Node(REROUTE),
        "5": Node("Show", {"value": Link("4", "INT")}),
    }
    found = messages(Workflow(nodes, subgraphs={"broken": broken}, ports={"p": Port("2", "q")}))
    assert {
        "Node 1: the workflow has no subgraph 'brokn'.",
        "Node 2: subgraph Broken has no input aaa.",
        "Node 3, input a: node 2 has no output SUM.",
        "Node 5, input value: node 4 has no output INT.",
        "Node 2:add, input a: the subgraph has no input aa.",
        "Node 2:add, input b: node gone does not exist.",
        "Port p: node 2 has no input q.",
    } <= set(found)


def test_problems_within_an_instance_are_told_by_path() -> None:
    found = validate(showing(x=Node(ADD, {"a": "many", "b": 2})), TOYS)
    assert [(item.node, item.input) for item in found if item.severity == "error"] == [("x:one", "a")]


def test_a_subgraph_in_itself_is_a_problem_and_nothing_else_is_told() -> None:
    loops = {
        "a": Subgraph({"1": Node(f"{SUBGRAPH}b")}, "A"),
        "b": Subgraph({"1": Node(f"{SUBGRAPH}a")}, "B"),
    }
    workflow = Workflow({"1": Node(f"{SUBGRAPH}a")}, subgraphs=loops)
    assert messages(workflow) == ["Subgraph A contains itself."]
    with pytest.raises(WorkflowError, match="Subgraph A contains itself"):
        plan(workflow, TOYS)


Number = int | None
names = st.sampled_from(["n0", "n1", "n2"])


@st.composite
def canvases(draw: st.DrawFn, deeper: Sequence[str], inside: bool) -> dict[str, Node]:
    """Up to four nodes, each fed by earlier ones, by values or by the boundary."""
    nodes = dict[str, Node]()
    for number in range(draw(st.integers(1, 4))):
        ends = [
            Link(id, "INT" if node.type not in (REROUTE, PRIMITIVE) else VALUE) for id, node in nodes.items()
        ]
        ends += [Link(INPUTS, name) for name in ("a", "b")] if inside else []
        value = st.one_of(st.integers(0, 9), *([st.sampled_from(ends)] if ends else []))
        kind = draw(
            st.sampled_from(["Add", "Add", REROUTE, PRIMITIVE, *(f"{SUBGRAPH}{id}" for id in deeper)])
        )
        inputs = (
            {VALUE: draw(value)} if kind in (REROUTE, PRIMITIVE) else {"a": draw(value), "b": draw(value)}
        )
        nodes[f"n{number}"] = Node(kind, inputs)
    return nodes


@st.composite
def folded(draw: st.DrawFn) -> Workflow:
    """A workflow whose subgraphs hold instances of later ones."""
    ids, subgraphs = ["s0", "s1", "s2"], dict[str, Subgraph]()
    for number, id in enumerate(ids):
        nodes = draw(canvases(ids[number + 1 :], True))
        last = list(nodes)[-1]
        output = VALUE if nodes[last].type in (REROUTE, PRIMITIVE) else "INT"
        ends = {"a": Boundary(), "b": Boundary()}
        subgraphs[id] = Subgraph(nodes, id, ends, {"INT": Boundary(Link(last, output))})
    return Workflow(draw(canvases(ids, False)), subgraphs=subgraphs)


def computed(workflow: Workflow, nodes: Mapping[str, Node], link: Any, given: Mapping[str, int]) -> int:
    """What a link gives, found by going into every instance: the plain meaning of a subgraph."""
    if not isinstance(link, Link):
        return link
    if link.node == INPUTS:
        return given[link.output]
    node = nodes[link.node]
    inputs = {name: computed(workflow, nodes, value, given) for name, value in node.inputs.items()}
    if node.type in (REROUTE, PRIMITIVE):
        return inputs[VALUE]
    if node.type == "Add":
        return inputs["a"] + inputs["b"]
    inner = workflow.subgraphs[node.type.removeprefix(SUBGRAPH)]
    return computed(workflow, inner.nodes, inner.outputs["INT"].link, inputs)


@settings(max_examples=150, deadline=None)
@given(folded())
def test_what_a_workflow_computes_is_the_same_once_it_is_flat(workflow: Workflow) -> None:
    links = {
        id: Link(id, VALUE if node.type in (REROUTE, PRIMITIVE) else "INT")
        for id, node in workflow.nodes.items()
    }
    shown = {f"show {id}": Node("Add", {"a": link, "b": 0}) for id, link in links.items()}
    plain = flat(replace(workflow, nodes={**workflow.nodes, **shown}), TOYS)
    assert is_flat(plain)
    for id, link in links.items():
        expected = computed(workflow, workflow.nodes, link, {})
        assert computed(plain, plain.nodes, Link(f"show {id}", "INT"), {}) == expected


@settings(max_examples=100, deadline=None)
@given(folded())
def test_a_document_with_subgraphs_is_written_as_it_was_read(workflow: Workflow) -> None:
    text = write_workflow(workflow)
    assert parse_workflow(text) == workflow
    assert write_workflow(parse_workflow(text)) == text
