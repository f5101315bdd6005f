"""What a problem of a wire offers as its fix."""

from graph.checking import Checking, Kind
from graph.document import Link, Node, Workflow
from graph.offers import converter_for, source_for
from graph.sockets import ANY, socket_type
from tests.graph.toys import TOYS, changed, picture_nodes


def checking(nodes: dict[str, Node]) -> Checking:
    return Checking(Workflow(nodes), TOYS, {spec.id: Kind.of(spec) for spec in TOYS}, None)


def test_an_output_that_no_link_uses_is_offered_first() -> None:
    nodes = picture_nodes()
    nodes["second"] = Node("Decode", {"latent": Link("sample", "LATENT")})
    found = source_for(checking(nodes), socket_type("IMAGE"), "save").fix
    assert found == "Link it to IMAGE of node second 'Decode'."


def test_an_output_that_would_close_a_circle_is_not_offered() -> None:
    nodes = {key: node for key, node in picture_nodes().items() if key != "empty"}
    nodes["sample"] = changed(nodes["sample"])
    found = source_for(checking(nodes), socket_type("LATENT"), "sample").fix
    assert found == "Link it to an output of type LATENT (Empty gives one)."


def test_a_muted_node_is_not_offered() -> None:
    nodes = {"off": Node("Empty", mode="mute"), "decode": Node("Decode")}
    assert "Empty gives one" in source_for(checking(nodes), socket_type("LATENT"), "decode").fix


def test_a_type_that_nothing_gives_is_named_all_the_same() -> None:
    found = source_for(checking({"a": Node("Show")}), socket_type("NOISE"), "a").fix
    assert found == "Link it to an output of type NOISE."
    assert source_for(checking({"a": Node("Show")}), ANY, "a").fix == "Link it to an output of another node."


def test_a_node_that_turns_one_type_into_the_other_is_found() -> None:
    known = checking({})
    assert converter_for(known, socket_type("LATENT"), socket_type("IMAGE")) == "Decode"
    assert converter_for(known, socket_type("MASK"), socket_type("CLIP")) == ""


def test_a_long_row_of_users_is_not_searched_without_end() -> None:
    row = {str(n): Node("Blur", {"image": Link(str(n - 1), "IMAGE")} if n else {}) for n in range(6_000)}
    found = source_for(checking(row), socket_type("IMAGE"), "0").fix
    assert found == "Link it to an output of type IMAGE (Decode gives one)."
