"""What nodes that change sizes tell before they run: the width and height of what comes out, in pixels."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graph.facts import Facts, Known

Sides = tuple[int | None, int | None]


def resized(
    source: str, *names: str, size: Callable[..., Sides], to: Iterable[str]
) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` that gives the outputs `to` the size that `size(width, height, *values)` finds.

    width and height are those of the input `source`, values the literals of `names`. While one of them comes
    by link or is not known, neither is the size; all other facts of the source flow on.
    """
    targets = tuple(to)

    def infer(known: Known) -> Mapping[str, Facts]:
        facts = known.facts.get(source, {})
        given = [facts.get("width"), facts.get("height"), *(known.values.get(name) for name in names)]
        width, height = (None, None) if None in given else size(*given)
        told = {**facts, "width": width, "height": height}
        return dict.fromkeys(targets, told)

    return infer


def cropped(source: str, to: str) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` for a crop to width × height from (x, y), which ends at the border of its source."""
    names = ("width", "height", "x", "y")

    def size(wide: int, tall: int, width: int, height: int, x: int, y: int) -> Sides:
        return min(width, wide - min(x, wide - 1)), min(height, tall - min(y, tall - 1))

    return resized(source, *names, size=size, to=[to])


def turned(source: str, to: str) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` for quarter turns, as the input `rotation` says."""

    def size(wide: int, tall: int, rotation: str) -> Sides:
        return (tall, wide) if rotation.startswith(("90", "270")) else (wide, tall)

    return resized(source, "rotation", size=size, to=[to])


def counted(
    source: str, names: Iterable[str], count: Callable[..., int | None], to: str
) -> Callable[[Known], Mapping[str, Facts]]:
    """An `infer` for nodes that change how many there are: `count(batch, *values)` of the new batch."""
    wanted = tuple(names)

    def infer(known: Known) -> Mapping[str, Facts]:
        facts = known.facts.get(source, {})
        given: list[Any] = [facts.get("batch"), *(known.values.get(name) for name in wanted)]
        return {to: {**facts, "batch": None if None in given else count(*given)}}

    return infer


def taken(batch: int, start: int, length: int) -> int:
    """How many items there are from `start` on, `length` at most."""
    return min(length, batch - min(start, batch - 1))


def times(batch: int, amount: int) -> int:
    """How many items a batch repeated so often has."""
    return batch * amount
