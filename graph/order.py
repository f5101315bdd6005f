"""Order among nodes: sources before their users, and the circles that have no order. No recursion."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """nodes: in an order where every source comes before its users. circular: nodes in or after a circle."""

    nodes: tuple[str, ...]
    circular: frozenset[str]


def ordered(sources: Mapping[str, Sequence[str]]) -> Order:
    """The order of nodes given the sources of each (those without an entry are ignored)."""
    users = defaultdict[str, list[str]](list)
    waiting = dict[str, int]()
    for node, needed in sources.items():
        known = [source for source in needed if source in sources]
        waiting[node] = len(known)
        for source in known:
            users[source].append(node)
    ready = deque(node for node, count in waiting.items() if count == 0)
    order = list[str]()
    while ready:
        order.append(node := ready.popleft())
        for user in users[node]:
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return Order(tuple(order), frozenset(node for node, count in waiting.items() if count > 0))


def circles(sources: Mapping[str, Sequence[str]], circular: frozenset[str]) -> list[list[str]]:
    """Circles among nodes that `ordered` left over, each in the order of flow, none sharing a node."""
    back = {
        node: next(source for source in needed if source in circular)
        for node, needed in sources.items()
        if node in circular
    }
    walk_of = dict[str, str]()
    found = list[list[str]]()
    for start in back:
        node = start
        while node not in walk_of:
            walk_of[node] = start
            node = back[node]
        if walk_of[node] == start:
            found.append(_circle(back, node))
    return found


def _circle(back: Mapping[str, str], start: str) -> list[str]:
    circle, node = [start], back[start]
    while node != start:
        circle.append(node)
        node = back[node]
    return circle[::-1]


def needed_by(targets: Iterable[str], sources: Mapping[str, Sequence[str]]) -> set[str]:
    """The targets and everything they need, directly or not."""
    waiting = list(targets)
    needed = set[str]()
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(source for source in sources.get(node, ()) if source not in needed)
    return needed
