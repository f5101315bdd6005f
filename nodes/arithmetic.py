"""Arithmetic written as text: parsed by Python's own parser, worked out by a few rules, never run."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

Number = int | float
LONGEST: Final = 1000
"""The most characters an expression may have; deeper nesting than this allows cannot be."""
DEEPEST: Final = 50
LARGEST_POWER: Final = 1024
"""The most bits a whole number may have; a power beyond is worked out as a fraction."""


class ExpressionError(ValueError):
    """An expression that cannot be worked out; the message says where and why."""


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if base.bit_length() * exponent > LARGEST_POWER:
            return float(base) ** exponent
        return base**exponent
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number is no number")
    return result


def _clamp(value: Number, low: Number, high: Number) -> Number:
    return max(low, min(value, high))


BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.Pow: _power,
}
UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: lambda value: int(not value),
}
COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "ceil": math.ceil,
    "clamp": _clamp,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "hypot": math.hypot,
    "log": math.log,
    "log2": math.log2,
    "log10": math.log10,
    "max": max,
    "min": min,
    "pow": _power,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
CONSTANTS: Final[Mapping[str, Number]] = {"pi": math.pi, "e": math.e, "tau": math.tau}


def evaluate(text: str, variables: Mapping[str, Number]) -> Number:
    """The number that an expression stands for; comparisons give 1 or 0.

    Known are + - * / // % **, comparisons, and, or, not, `x if y else z`, brackets, the functions and
    constants of this module and the variables given.

    Raises:
        ExpressionError: when the text is no such expression, or its value no finite number.
    """
    tree = _parsed(text)
    try:
        value = _value(tree, {**CONSTANTS, **variables}, DEEPEST)
        finite = math.isfinite(value)
    except ZeroDivisionError as error:
        raise ExpressionError(f'"{text}" divides by zero.') from error
    except OverflowError as error:
        raise ExpressionError(f'"{text}" becomes too large.') from error
    except ExpressionError:
        raise
    except (ValueError, TypeError) as error:
        raise ExpressionError(f'"{text}" has no value: {error}.') from error
    if not finite:
        raise ExpressionError(f'"{text}" becomes infinite or undefined.')
    return int(value) if isinstance(value, bool) else value


def _parsed(text: str) -> ast.expr:
    if not text.strip():
        raise ExpressionError("There is no expression. Write one such as a * 2 + b.")
    if len(text) > LONGEST:
        raise ExpressionError(f"The expression has {len(text)} characters; {LONGEST} are the most.")
    try:
        return ast.parse(text.strip().replace("\n", " "), mode="eval").body
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ExpressionError(f'"{text}" is no expression{where}. Write one such as a * 2 + b.') from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError("The expression cannot be read. Write one such as a * 2 + b.") from error


def _value(tree: ast.expr, names: Mapping[str, Number], depth: int) -> Any:
    if depth == 0:
        raise ExpressionError(f"The expression is nested more than {DEEPEST} deep. Split it.")

    def of(part: ast.expr) -> Any:
        return _value(part, names, depth - 1)

    match tree:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            known = ", ".join(sorted(names))
            raise ExpressionError(f"There is no variable {name}. There are {known}.")
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            return _bounded(BINARY[type(op)](of(left), of(right)))
        case ast.UnaryOp(op, operand) if type(op) in UNARY:
            return UNARY[type(op)](of(operand))
        case ast.BoolOp(ast.And(), values):
            return int(all(of(part) for part in values))
        case ast.BoolOp(ast.Or(), values):
            return int(any(of(part) for part in values))
        case ast.IfExp(test, body, orelse):
            return of(body) if of(test) else of(orelse)
        case ast.Compare(left, ops, comparators) if all(type(op) in COMPARISONS for op in ops):
            return _compared([of(left), *map(of, comparators)], ops)
        case ast.Call(ast.Name(id=name), args, []) if name in FUNCTIONS:
            return FUNCTIONS[name](*map(of, args))
        case ast.Call(ast.Name(id=name)):
            raise ExpressionError(f"There is no function {name}. There are {', '.join(FUNCTIONS)}.")
        case _:
            raise ExpressionError(f'"{ast.unparse(tree)}" is not allowed in an expression.')


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 2 * LARGEST_POWER:
        raise OverflowError
    return value


def _compared(values: list[Any], ops: list[ast.cmpop]) -> int:
    pairs = zip(values, ops, values[1:], strict=False)
    return int(all(COMPARISONS[type(op)](left, right) for left, op, right in pairs))
