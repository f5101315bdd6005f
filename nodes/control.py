"""Control flow: which branch runs, and loops that go on until a condition no longer holds."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

from graph.calling import GRAPH, RunningGraph
from graph.context import Context
from graph.document import Link, Node
from graph.expansion import DISPLAY
from graph.facts import Facts, Known
from graph.node import node
from graph.outcome import Outcome
from graph.sockets import Socket
from graph.spec import Hidden, Hint, Number, Outputs
from nodes.sockets import AnyValue

CATEGORY: Final = "flow"
VALUES: Final = ("value1", "value2", "value3", "value4")
START: Final = "loop start"
NEXT: Final = "loop next"

Lazy = Annotated[AnyValue | None, Hint("Only made when it is chosen.", lazy=True)]
Carried = Annotated[AnyValue | None, Hint("A value that the loop starts with.")]
Result = Annotated[AnyValue | None, Hint("The value that the next round starts with.", raw_link=True)]
Loop = Annotated[Any, Socket("LOOP")]
Comparison = Literal["<", "<=", "=", "!=", ">=", ">"]


def _branch(condition: bool = False, **_: Any) -> list[str]:
    return ["on_true" if condition else "on_false"]


@node("IfElse", title="If / Else", category=CATEGORY, needs=_branch)
def if_else(
    condition: Annotated[bool, Hint("Which of the two is made and passed on.")],
    on_true: Lazy = None,
    on_false: Lazy = None,
) -> AnyValue:
    """One of two values; the other is not made at all."""
    return on_true if condition else on_false


def _chosen(select: int = 1, **_: Any) -> list[str]:
    return [f"value{select}"]


@node("Switch", category=CATEGORY, needs=_chosen)
def switch(
    select: Annotated[int, Number(1, 8), Hint("The number of the value that is made and passed on.")] = 1,
    *,
    value1: Lazy = None,
    value2: Lazy = None,
    value3: Lazy = None,
    value4: Lazy = None,
    value5: Lazy = None,
    value6: Lazy = None,
    value7: Lazy = None,
    value8: Lazy = None,
) -> AnyValue:
    """One of up to eight values; the others are not made at all."""
    values = (value1, value2, value3, value4, value5, value6, value7, value8)
    return values[select - 1]


@node("Compare", category=CATEGORY, output_names=["BOOLEAN"])
def compare(
    a: Annotated[float, Number(), Hint("The number on the left.")] = 0.0,
    comparison: Annotated[Comparison, Hint("What has to hold between them.")] = "<",
    b: Annotated[float, Number(), Hint("The number on the right.")] = 0.0,
) -> bool:
    """Whether a comparison of two numbers holds."""
    return {"<": a < b, "<=": a <= b, "=": a == b, "!=": a != b, ">=": a >= b, ">": a > b}[comparison]


class Round(NamedTuple):
    """What the nodes of a round start from."""

    loop: Loop
    value1: AnyValue
    value2: AnyValue
    value3: AnyValue
    value4: AnyValue
    round: int


def _carried(known: Known) -> Mapping[str, Facts]:
    return {name: known.facts.get(name, {}) for name in VALUES}


@node("LoopStart", title="Loop Start", category=CATEGORY, infer=_carried)
def loop_start(
    value1: Carried = None,
    value2: Carried = None,
    value3: Carried = None,
    value4: Carried = None,
    first_round: Annotated[int, Number(0), Hint("The number of the first round.", advanced=True)] = 1,
) -> Round:
    """The beginning of a loop: its values in the first round, and then those of the round before."""
    return Round("loop", value1, value2, value3, value4, first_round)


@node("LoopEnd", title="Loop End", category=CATEGORY)
def loop_end(
    loop: Annotated[Loop, Hint("The start of the loop.", raw_link=True)],
    again: Annotated[bool, Hint("Whether another round follows, found out in every round.", raw_link=True)],
    *,
    value1: Result = None,
    value2: Result = None,
    value3: Result = None,
    value4: Result = None,
    most_rounds: Annotated[int, Number(1, 100_000), Hint("The loop ends after so many rounds.")] = 100,
    graph: Annotated[RunningGraph, Hidden(GRAPH)],
) -> Annotated[Outcome, Outputs(**dict.fromkeys(VALUES, "*"))]:
    """What the last round of a loop gave: all between start and end runs again while `again` holds."""
    given = zip(VALUES, (value1, value2, value3, value4), strict=True)
    ends = {name: link for name, link in given if isinstance(link, Link)} | {"again": again}
    start = loop.node if isinstance(loop, Link) else ""
    links = {name: link for name, link in ends.items() if isinstance(link, Link)}
    body = _body(start, [link.node for link in links.values()], graph)
    facts = {
        "start": start,
        "body": body,
        "ends": {name: [link.node, link.output] for name, link in links.items()},
        "most": most_rounds,
    }
    return _next(ends, facts, 1)


@node("LoopNext", title="Next Round", category=CATEGORY)
def loop_next(
    again: Annotated[bool, Hint("Whether another round follows.")],
    *,
    facts: Annotated[Any, Socket("LOOP_FACTS"), Hint("The loop: its start, its nodes and its ends.")],
    number: Annotated[int, Number(1), Hint("The number of the round that has just ended.")] = 1,
    value1: Result = None,
    value2: Result = None,
    value3: Result = None,
    value4: Result = None,
    graph: Annotated[RunningGraph, Hidden(GRAPH)],
    context: Context,
) -> Annotated[Outcome, Outputs(**dict.fromkeys(VALUES, "*"))]:
    """What a loop does between two rounds; it is placed by Loop End."""
    values = dict[str, Any](zip(VALUES, (value1, value2, value3, value4), strict=True))
    context.progress(number, facts["most"])
    if again and number >= facts["most"]:
        context.log(f"The loop was ended after {number} rounds, the most that it may take.")
        again = False
    if not again:
        return _passed(values)
    return _round(values, facts, number, graph)


def _passed(values: Mapping[str, Any]) -> Outcome:
    """The values of the last round, made now if they were not needed before."""
    inputs = {name: value for name, value in values.items() if value is not None}
    results = tuple(Link(START, name) for name in VALUES)
    return Outcome(results, expand={START: Node("LoopStart", inputs)})


def _round(values: Mapping[str, Any], facts: Mapping[str, Any], number: int, graph: RunningGraph) -> Outcome:
    """The nodes of one more round, and what comes after it."""
    body, start = set[str](facts["body"]), facts["start"]

    def here(value: Any) -> Any:
        if not isinstance(value, Link):
            return value
        place = START if value.node == start else f"{value.node}+" if value.node in body else value.node
        return Link(place, value.output)

    first = {name: value for name, value in values.items() if value is not None}
    made = {START: Node("LoopStart", {**first, "first_round": number + 1})}
    for id in sorted(body):
        original = graph.node(id)
        assert original is not None
        inputs = {name: here(value) for name, value in original.inputs.items()}
        made[f"{id}+"] = Node(original.type, inputs, original.title, extra={DISPLAY: id})
    ends = {name: here(Link(*end)) for name, end in facts["ends"].items()}
    after = _next(ends, facts, number + 1)
    return Outcome(after.values, expand={**made, **after.expand})


def _next(ends: Mapping[str, Any], facts: Mapping[str, Any], number: int) -> Outcome:
    node = Node("LoopNext", {**ends, "facts": dict(facts), "number": number})
    return Outcome(tuple(Link(NEXT, name) for name in VALUES), expand={NEXT: node})


def _body(start: str, ends: Sequence[str], graph: RunningGraph) -> list[str]:
    """The nodes between a loop's start and its ends: those that the start reaches and an end needs."""
    users, waiting, seen = dict[str, list[str]](), list(ends), set[str]()
    while waiting:
        id = waiting.pop()
        found = graph.node(id)
        if id in seen or id == start or found is None:
            continue
        seen.add(id)
        for value in found.inputs.values():
            if isinstance(value, Link):
                users.setdefault(value.node, []).append(id)
                waiting.append(value.node)
    body, waiting = set[str](), list(users.get(start, ()))
    while waiting:
        id = waiting.pop()
        if id not in body:
            body.add(id)
            waiting.extend(users.get(id, ()))
    return sorted(body)
