"""A pack's class as a node type that runs: calls, hidden inputs, lazy questions, checks, fingerprints."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, cast

from compat.plugins.classes import describe, hidden_names
from compat.plugins.described import CONTEXT_INPUT, GRAPH_INPUT, HIDDEN_START, REFUSED, spec_of
from compat.plugins.graph_view import GraphView
from compat.plugins.values import CURRENT, InterruptProcessing, Slots, outcome_of
from graph.calling import RunningGraph
from graph.context import Cancelled, NodeContext
from graph.document import Link
from graph.outcome import Outcome
from graph.registry import Registry
from graph.spec import NodeSpec

_MOST_INSTANCES: Final = 2000
Types = Callable[[], Registry]
Enter = Callable[[NodeContext], Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """What running any pack's node needs: all node types, and a context to run in (no gradients)."""

    types: Types
    enter: Enter


@dataclass(frozen=True, slots=True)
class Described:
    """A node type with the plain values it was made of."""

    spec: NodeSpec
    description: Mapping[str, Any]


def node_type(cls: Any, id: str, pack: str, title: str, digest: str, stage: Stage) -> Described:
    """The node type of a pack's class. Raises whatever the class's own code raises."""
    description = describe(cls, id, pack, title, digest)
    spec = spec_of(description)
    runner = Runner(cls, spec, hidden_names(cls), stage)
    lazy = any(item.hint.lazy for item in spec.inputs)
    return Described(
        replace(
            spec,
            run=runner.run,
            needs=runner.needs if lazy and hasattr(cls, "check_lazy_status") else None,
            check=runner.check if hasattr(cls, "VALIDATE_INPUTS") else None,
            fingerprint=runner.fingerprint if hasattr(cls, "IS_CHANGED") else None,
        ),
        description,
    )


@dataclass(frozen=True, slots=True)
class Runner:
    """Calls one class. instances: kept by node id, since packs keep things in them between runs."""

    cls: Any
    spec: NodeSpec
    hidden: Mapping[str, str]
    stage: Stage
    instances: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, **inputs: Any) -> Outcome | Awaitable[Outcome]:
        """Call the class's function with a node's inputs."""
        context: NodeContext = inputs.pop(CONTEXT_INPUT)
        graph: RunningGraph = inputs.pop(GRAPH_INPUT)
        slots = Slots(self.stage.types(), graph.node)
        hidden = self._hidden(inputs, graph, slots)
        call = self._call(self._given(inputs, slots), hidden, context.node_id)
        with self.stage.enter(context):
            result = self._interruptible(call)
        if inspect.isawaitable(result):
            return self._awaited(result, context, slots)
        return outcome_of(result, self.spec, slots)

    async def _awaited(self, result: Awaitable[Any], context: NodeContext, slots: Slots) -> Outcome:
        with self.stage.enter(context):
            try:
                value = await result
            except InterruptProcessing as stop:
                raise Cancelled from stop
        return outcome_of(value, self.spec, slots)

    def _interruptible(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except InterruptProcessing as stop:
            raise Cancelled from stop

    def _call(self, given: dict[str, Any], hidden: dict[str, Any], node: str) -> Callable[[], Any]:
        if is_v3(self.cls):
            return partial(getattr(self.cls.PREPARED(hidden), self.cls.FUNCTION), **given)
        if self.spec.takes_lists:
            hidden = {name: [value] for name, value in hidden.items()}
        return partial(getattr(self._instance(node), self.cls.FUNCTION), **{**given, **hidden})

    def _hidden(self, inputs: dict[str, Any], graph: RunningGraph, slots: Slots) -> dict[str, Any]:
        """The hidden inputs by the pack's names, taken out of the others."""
        values = {name: inputs.pop(f"{HIDDEN_START}{name}", None) for name in self.hidden}
        views = {name: GraphView(graph, slots) for name, kind in self.hidden.items() if kind == "DYNPROMPT"}
        return {**values, **views}

    def _given(self, inputs: dict[str, Any], slots: Slots) -> dict[str, Any]:
        """The inputs in a pack's form: links that are passed as they are, numbered."""
        for item in self.spec.inputs:
            if item.hint.raw_link and item.name in inputs:
                value = inputs[item.name]
                numbered = [_numbered(one, slots) for one in _items(value)]
                inputs[item.name] = numbered if isinstance(value, list) else numbered[0]
        return inputs

    def _instance(self, node: str) -> Any:
        if node not in self.instances:
            if len(self.instances) >= _MOST_INSTANCES:
                self.instances.clear()
            self.instances[node] = self.cls()
        return self.instances[node]

    def needs(self, **inputs: Any) -> Any:
        """The names of lazy inputs that are needed now."""
        owner = self.cls.PREPARED({}) if is_v3(self.cls) else self.cls()
        function = owner.check_lazy_status
        hidden = {name: [None] if self.spec.takes_lists else None for name in self.hidden}
        return function(**_named(function, {**hidden, **inputs}))

    def check(self, literals: Mapping[str, Any], link_types: Mapping[str, Any], node: str = "") -> str:
        """What VALIDATE_INPUTS has against a node's values, as a sentence; "" for nothing."""
        function = self.cls.VALIDATE_INPUTS
        texts = {name: ",".join(kind.names) for name, kind in link_types.items()}
        told: dict[str, Any] = {"PROMPT": {}, "UNIQUE_ID": node}
        hidden = {name: told.get(kind) for name, kind in self.hidden.items()}
        known = {**hidden, **dict.fromkeys(link_types), **literals, "input_types": texts}
        if not _takes_all(function):
            known = _named(function, known)
        else:
            known.pop("input_types")
        if self.spec.takes_lists:
            known = {name: [value] for name, value in known.items()}
        answer = function(**known)
        if inspect.iscoroutine(answer):
            answer = _finished(answer)
        return "" if answer is True else answer if isinstance(answer, str) else REFUSED

    def fingerprint(self, **known: Any) -> Any:
        """What IS_CHANGED gives; raising, or not a number, means "run me"."""
        known.pop("files", None)
        wanted = {item.name for item in self.spec.inputs}
        given = {name: value for name, value in known.items() if name in wanted or self.spec.takes_any_input}
        function = self.cls.IS_CHANGED
        hidden = dict.fromkeys(name for name in self.hidden if _asks(function, name))
        given = {**hidden, **given}
        if self.spec.takes_lists:
            given = {name: [value] for name, value in given.items()}
        answer = function(**given)
        answer = _finished(answer) if inspect.iscoroutine(answer) else answer
        return answer if isinstance(answer, int | float | str | bool | type(None)) else repr(answer)


def is_v3(cls: Any) -> bool:
    """Whether a class is written for the newer interface (`define_schema`)."""
    return isinstance(cls, type) and hasattr(cls, "PREPARED") and hasattr(cls, "define_schema")


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _numbered(value: Any, slots: Slots) -> Any:
    return slots.numbered(value) if isinstance(value, Link) else value


def _takes_all(function: Any) -> bool:
    return any(item.kind is item.VAR_KEYWORD for item in inspect.signature(function).parameters.values())


def _asks(function: Any, name: str) -> bool:
    return name in inspect.signature(function).parameters or _takes_all(function)


def _named(function: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """The values whose names a function asks for."""
    if _takes_all(function):
        return dict(known)
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in known.items() if name in parameters}


def _finished(coroutine: Any) -> Any:
    """The result of a coroutine, run in a thread of its own: this one may have a running loop."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()


def current() -> NodeContext | None:
    """The node that runs here, or None."""
    return CURRENT.get()
