"""Arithmetic with numbers of the graph."""

from typing import Annotated, Final, NamedTuple

from graph.node import node
from graph.spec import Hint, Number
from nodes.arithmetic import evaluate
from nodes.sockets import Lines

LARGEST: Final = 2.0**63

Variable = Annotated[
    int | float, Number(-LARGEST, LARGEST, 1), Hint("A number that the expression may use.", optional=True)
]


class Result(NamedTuple):
    """One number in three forms: nearest whole number, fraction, and whether it is not 0."""

    INT: int
    FLOAT: float
    BOOLEAN: bool


@node("MathExpression", title="Math Expression", category="utils")
def math_expression(
    expression: Annotated[
        Lines,
        Hint(
            "Such as a * 2 + b, round(a / 64) * 64, max(a, b), a if a > b else 1. "
            "There are + - * / // % **, comparisons, and, or, not, and the usual functions."
        ),
    ] = "a",
    a: Variable = 0,
    b: Variable = 0,
    c: Variable = 0,
    d: Variable = 0,
) -> Result:
    """A number worked out from an expression and up to four numbers; nothing else can be reached from it."""
    value = evaluate(expression, {"a": a, "b": b, "c": c, "d": d})
    return Result(round(value), float(value), bool(value))
