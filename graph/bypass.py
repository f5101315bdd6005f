"""Which input stands in for an output of a bypassed node, where only the names of socket types are known."""

from collections.abc import Sequence

from graph.sockets import ANY_NAME

Names = Sequence[str]
_ANY: Names = (ANY_NAME,)


def fits(one: Names, other: Names) -> bool:
    """Whether two sockets may be joined."""
    return ANY_NAME in one or ANY_NAME in other or not set(one).isdisjoint(other)


def bypass_input(
    input_types: Sequence[Names], output_types: Sequence[Names], slot: int, wanted: Names
) -> int | None:
    """The number of the input that stands in for output `slot` of a bypassed node, or None.

    The input at the same place if its type fits both the output's and the wanted one, else the first with
    exactly the wanted type, else the first that fits.
    """
    if ANY_NAME in wanted:
        return (slot if 0 <= slot < len(input_types) else 0) if input_types else None
    output = output_types[slot] if 0 <= slot < len(output_types) else _ANY
    if 0 <= slot < len(input_types) and fits(input_types[slot], output) and fits(input_types[slot], wanted):
        return slot
    exact = [index for index, names in enumerate(input_types) if set(names) == set(wanted)]
    fitting = [index for index, names in enumerate(input_types) if fits(names, wanted)]
    return next(iter((*exact, *fitting)), None)
