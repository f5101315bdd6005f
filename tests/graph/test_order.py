"""Sources before users, and circles without end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.order import circles, needed_by, ordered


def test_sources_come_before_their_users() -> None:
    order = ordered({"c": ["b", "a"], "b": ["a"], "a": []})
    assert (order.nodes, order.circular) == (("a", "b", "c"), frozenset())


def test_a_circle_and_what_follows_it_have_no_order() -> None:
    sources = {"a": ["c"], "b": ["a"], "c": ["b"], "after": ["c"], "free": []}
    order = ordered(sources)
    assert order.nodes == ("free",)
    assert order.circular == {"a", "b", "c", "after"}
    (circle,) = circles(sources, order.circular)
    assert sorted(circle) == ["a", "b", "c"]
    assert all(circle[index - 1] in sources[node] for index, node in enumerate(circle))


def test_two_circles_are_both_found() -> None:
    sources = {"a": ["b"], "b": ["a"], "x": ["x"]}
    assert sorted(map(sorted, circles(sources, ordered(sources).circular))) == [["a", "b"], ["x"]]


def test_what_a_target_needs_is_found_at_any_depth() -> None:
    sources = {str(n): [str(n - 1)] for n in range(1, 10_000)}
    assert len(needed_by(["9999"], sources)) == 10_000
    assert needed_by(["1"], sources) == {"0", "1"}


def test_sources_that_are_not_there_do_not_count() -> None:
    assert ordered({"a": ["gone"]}).nodes == ("a",)


GRAPHS = st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefg"), max_size=3))


@settings(max_examples=40, deadline=None)
@given(GRAPHS)
def test_every_node_is_either_in_order_or_in_or_after_a_circle(sources: dict[str, list[str]]) -> None:
    order = ordered(sources)
    assert set(order.nodes) | order.circular == set(sources)
    place = {node: index for index, node in enumerate(order.nodes)}
    assert all(place[s] < place[node] for node in order.nodes for s in sources[node] if s in sources)
    found = circles(sources, order.circular)
    assert bool(found) == bool(order.circular)
    for circle in found:
        assert all(circle[index - 1] in sources[node] for index, node in enumerate(circle))
