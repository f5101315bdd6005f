"""`@node`: turns a typed function into a node type. The function itself stays as it was."""

import hashlib
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from graph.outcome import Blocker, Outcome
from graph.signature import Signature, SignatureError, read_signature
from graph.spec import NodeSpec, Output

Function = TypeVar("Function", bound=Callable[..., Any])
_MARK: Final = "__darkroom_node__"


class NodeError(Exception):
    """A function that cannot become a node; the message names it and says what to change."""


def node(
    id: str,
    *,
    title: str | None = None,
    category: str = "",
    output: bool = False,
    version: int = 1,
    deprecated: str = "",
    experimental: bool = False,
    fingerprint: Callable[..., Any] | None = None,
    infer: Callable[..., Any] | None = None,
    needs: Callable[..., Any] | None = None,
    check: Callable[..., str | None] | None = None,
    takes_lists: bool = False,
    idempotent: bool = True,
    output_names: Iterable[str] | None = None,
    agree: str | Iterable[str] = (),
    source: str = "core",
    extra: Mapping[str, Any] | None = None,
) -> Callable[[Function], Function]:
    """Make a function a node type of this id; everything else is read from its signature and docstring.

    check: takes some of the node's inputs by name; returns a sentence when their values do not go together.
    takes_lists: one call gets a list for every input. A parameter annotated `list[X]` asks for it for itself
    alone: the others then get their first item. agree: facts ("family") that all inputs must share.
    Raises NodeError with a sentence when the function cannot be a node.
    """

    def mark(function: Function) -> Function:
        try:
            signature = _named(read_signature(function), output_names)
            description = _description(function)
        except SignatureError as error:
            raise NodeError(f"Node '{id}' ({_place(function)}): {error}.") from error
        spec = NodeSpec(
            id=id,
            run=_runner(function, signature, takes_lists),
            inputs=signature.inputs,
            outputs=signature.outputs,
            title=id if title is None else title,
            category=category,
            description=description,
            source=source,
            version=version,
            digest=code_digest(function),
            output=output,
            takes_lists=takes_lists or _list_inputs(signature) != frozenset(),
            is_async=inspect.iscoroutinefunction(function),
            idempotent=idempotent,
            deprecated=deprecated,
            experimental=experimental,
            takes_any_input=signature.takes_any_input,
            hidden=signature.hidden,
            fingerprint=fingerprint,
            infer=infer,
            needs=needs,
            check=None if check is None else _checker(check),
            extra=dict(extra or {}) | _agreement(agree),
        )
        setattr(function, _MARK, spec)
        return function

    return mark


def spec_of(function: object) -> NodeSpec | None:
    """The node type that `@node` read from a function, or None for anything else."""
    spec = getattr(function, _MARK, None) if inspect.isfunction(function) else None
    return spec if isinstance(spec, NodeSpec) else None


def code_digest(function: Callable[..., Any]) -> str:
    """A digest that changes with a function's code: of its source, or of its bytecode where there is none."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = repr(_code_facts(getattr(function, "__code__", None)))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _code_facts(code: types.CodeType | None) -> tuple[Any, ...]:
    """What of a code object decides its results; nested functions are unfolded without recursion."""
    facts, waiting = list[Any](), [code]
    while waiting:
        if (current := waiting.pop()) is None:
            continue
        constants = [item for item in current.co_consts if not isinstance(item, types.CodeType)]
        waiting.extend(item for item in current.co_consts if isinstance(item, types.CodeType))
        facts.append((current.co_name, current.co_code, current.co_names, current.co_varnames, constants))
    return tuple(facts)


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', function)}"


def _description(function: Callable[..., Any]) -> str:
    if text := inspect.getdoc(function):
        return text
    raise SignatureError("it has no docstring: say in one line what it gives")


def _agreement(agree: str | Iterable[str]) -> dict[str, Any]:
    names = (agree,) if isinstance(agree, str) else tuple(agree)
    return {"agree": names} if names else {}


def _named(signature: Signature, names: Iterable[str] | None) -> Signature:
    outputs = signature.outputs if names is None else _renamed(signature.outputs, tuple(names))
    seen = [output.name for output in outputs]
    if twice := sorted({name for name in seen if seen.count(name) > 1}):
        raise SignatureError(
            f"two outputs are called {twice[0]}: give each its own name with output_names=(...)"
        )
    return replace(signature, outputs=outputs)


def _renamed(outputs: tuple[Output, ...], names: tuple[str, ...]) -> tuple[Output, ...]:
    if len(names) != len(outputs):
        raise SignatureError(f"output_names has {len(names)} names for {len(outputs)} outputs")
    return tuple(replace(output, name=name) for output, name in zip(outputs, names, strict=True))


def _list_inputs(signature: Signature) -> frozenset[str]:
    return frozenset(item.name for item in signature.inputs if item.type.is_list)


def _runner(function: Callable[..., Any], signature: Signature, takes_lists: bool) -> Callable[..., Any]:
    """The function as the engine calls it: every value by name, the result as a tuple or Outcome."""
    count, name = len(signature.outputs), getattr(function, "__name__", "node")
    lists = _list_inputs(signature)
    blanks = {item.name: None for item in signature.inputs if item.default is None}
    singles = frozenset[str]() if takes_lists or not lists else _single_inputs(signature)

    def run(**values: Any) -> Any:
        return _as_outputs(function(**(blanks | _first_items(values, singles))), count, name)

    async def run_async(**values: Any) -> Any:
        return _as_outputs(await function(**(blanks | _first_items(values, singles))), count, name)

    return run_async if inspect.iscoroutinefunction(function) else run


def _single_inputs(signature: Signature) -> frozenset[str]:
    return frozenset(item.name for item in signature.inputs if not item.type.is_list)


def _first_items(values: dict[str, Any], singles: frozenset[str]) -> dict[str, Any]:
    if not singles:
        return values
    return {key: _first(value) if key in singles else value for key, value in values.items()}


def _first(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    items = cast(list[Any], value)
    return items[0] if items else None


def _as_outputs(result: Any, count: int, name: str) -> Any:
    if isinstance(result, Outcome):
        return result
    if isinstance(result, Blocker):
        return (result,) * count
    if count == 1:
        return (result[0] if len(getattr(result, "_fields", ())) == 1 else result,)
    values = () if result is None else result
    if not isinstance(values, tuple) or len(cast(tuple[Any, ...], values)) != count:
        given = (
            f"{len(cast(tuple[Any, ...], values))} values"
            if isinstance(values, tuple)
            else type(result).__name__
        )
        raise TypeError(f"{name} returned {given} but declares {count} outputs.")
    return tuple(cast(tuple[Any, ...], values))


def _checker(check: Callable[..., str | None]) -> Callable[..., str]:
    """A check by named inputs, as the engine calls it: skipped while a value it needs comes by link."""
    parameters = inspect.signature(check).parameters
    takes_all = any(item.kind is item.VAR_KEYWORD for item in parameters.values())
    needed = {
        name
        for name, item in parameters.items()
        if item.default is item.empty and item.kind is not item.VAR_KEYWORD
    }

    def run(literals: Mapping[str, Any], link_types: Mapping[str, Any], node: str = "") -> str:
        if not needed <= literals.keys():
            return ""
        return (
            check(**{key: value for key, value in literals.items() if takes_all or key in parameters}) or ""
        )

    return run
