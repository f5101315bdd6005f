"""The nearest fix of a wire: which output to link to an input, and what to put between two nodes."""

from dataclasses import dataclass
from typing import Final

from graph.checking import Checking
from graph.document import Link
from graph.problems import Repair
from graph.sockets import ANY_NAME, SocketType, accepts, names_fit
from graph.spec import NodeSpec

FARTHEST: Final = 10_000
"""The most nodes looked at to see that an offered link closes no circle."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A fix as a sentence, and for programs where it names one output."""

    fix: str
    repair: Repair | None = None


def source_for(checking: Checking, wanted: SocketType, key: str) -> Offer:
    """An output to link to an input of node `key`, if it can one that no link uses."""
    if offered := _free_output(checking, wanted, key):
        fix = f"Link it to {offered.output} of node {checking.name(offered.node)}."
        return Offer(fix, Repair("link", [offered.node, offered.output]))
    if ANY_NAME in wanted.names:
        return Offer("Link it to an output of another node.")
    maker = _maker(checking, wanted, None)
    return Offer(f"Link it to an output of type {wanted}" + (f" ({maker} gives one)." if maker else "."))


def _free_output(checking: Checking, wanted: SocketType, key: str) -> Link | None:
    known = [link for name in wanted.names for link in checking.givers.get(name, ())]
    if not known or (after := _after(checking, key)) is None:
        return None
    right = [link for link in known if link.node not in after]
    return min(right, key=lambda link: bool(checking.users.get(link.node)), default=None)


def _after(checking: Checking, key: str) -> set[str] | None:
    """A node and all that take values from it, directly or not; None when they are too many to look at."""
    waiting, found = [key], set[str]()
    while waiting:
        if len(found) > FARTHEST:
            return None
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(checking.users.get(node, ()))
    return found


def converter_for(checking: Checking, given: SocketType, wanted: SocketType) -> str:
    """The id of a node type that turns one type into another, or ""."""
    return _maker(checking, wanted, given)


def _maker(checking: Checking, wanted: SocketType, given: SocketType | None) -> str:
    if (wanted, given) not in checking.makers:
        found = (spec.id for spec in checking.registry if _gives(spec, wanted) and _takes(spec, given))
        checking.makers[wanted, given] = next(found, "")
    return checking.makers[wanted, given]


def _gives(spec: NodeSpec, wanted: SocketType) -> bool:
    return any(ANY_NAME not in item.type.names and accepts(wanted, item.type) for item in spec.outputs)


def _takes(spec: NodeSpec, given: SocketType | None) -> bool:
    """Whether a node takes this very type by name, and little else that only comes by link."""
    if given is None:
        return True
    ends = [item for item in spec.inputs if item.widget is None and item.required]
    fits = any(ANY_NAME not in item.type.names and names_fit(item.type, given) for item in ends)
    return fits and len(ends) <= 2
