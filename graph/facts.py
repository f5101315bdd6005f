"""Facts: what is known of values before anything runs, such as a model's family or a picture's width."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from graph.context import Files
from graph.literals import Fault
from graph.spec import NodeSpec

Facts = Mapping[str, Any]
_NOTHING: Final[Facts] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a node's inputs before it runs.

    values: literals by input name, as the node will get them, defaults included; linked inputs are absent.
    facts: facts of linked inputs, by input name. files: where chosen files lie, or None.
    """

    values: Mapping[str, Any]
    facts: Mapping[str, Facts]
    files: Files | None = None

    def fact(self, input: str, name: str) -> Any:
        """One fact of a linked input, or None when it is not known."""
        return self.facts.get(input, _NOTHING).get(name)


@dataclass(frozen=True, slots=True)
class Inferred:
    """Facts a node finds out: of its outputs, and of inputs (the family of a chosen file), by name.

    faults: what is wrong with an input's value, by its name, where only the file it names can tell.
    """

    outputs: Mapping[str, Facts] = field(default_factory=dict[str, Facts])
    inputs: Mapping[str, Facts] = field(default_factory=dict[str, Facts])
    faults: Mapping[str, Fault] = field(default_factory=dict[str, Fault])


Infer = Callable[[Known], Mapping[str, Facts] | Inferred]


def carry(source: str, *names: str, to: Iterable[str]) -> Infer:
    """An `infer` that gives the outputs `to` the named facts (or all) of the input `source`."""
    targets = tuple(to)

    def infer(known: Known) -> Mapping[str, Facts]:
        facts = known.facts.get(source, _NOTHING)
        kept = {name: value for name, value in facts.items() if not names or name in names}
        return dict.fromkeys(targets, kept)

    return infer


def infer_facts(spec: NodeSpec, known: Known) -> Inferred:
    """The facts of a node's outputs: those its type states, those it shares, those its `infer` finds out.

    Never raises: what a plugin's `infer` cannot tell is unknown, not a problem.
    """
    found = _asked(spec, known)
    outputs = {
        output.name: {
            **_shared(spec, output.type.names, known),
            **dict(output.type.facts),
            **found.outputs.get(output.name, _NOTHING),
        }
        for output in spec.outputs
    }
    told = {name: facts for name, facts in outputs.items() if facts}
    return Inferred(told, found.inputs, found.faults)


def _asked(spec: NodeSpec, known: Known) -> Inferred:
    if spec.infer is None:
        return Inferred()
    try:
        answer = spec.infer(known)
        if isinstance(answer, Inferred):
            return Inferred(
                _facts_by_name(answer.outputs), _facts_by_name(answer.inputs), dict(answer.faults)
            )
        return Inferred(_facts_by_name(answer))
    except Exception:  # code of plugins runs here, and a guess that fails must not stop a check
        return Inferred()


def _facts_by_name(answer: Any) -> dict[str, Facts]:
    if not isinstance(answer, Mapping):
        return {}
    pairs = cast(Mapping[Any, Any], answer).items()
    return {str(name): _stated(facts) for name, facts in pairs if isinstance(facts, Mapping)}


def _stated(facts: Any) -> Facts:
    pairs = cast(Mapping[Any, Any], facts).items()
    return {str(name): value for name, value in pairs if value is not None}


def _shared(spec: NodeSpec, names: tuple[str, ...], known: Known) -> dict[str, Any]:
    """Facts that must agree flow from the inputs of a type to the outputs of that very type."""
    kinds = [item.name for item in spec.inputs if item.type.names == names]
    shared = dict[str, Any]()
    for fact in agreeing(spec):
        if values := [known.fact(name, fact) for name in kinds if known.fact(name, fact) is not None]:
            shared[fact] = values[0]
    return shared


def agreeing(spec: NodeSpec) -> tuple[str, ...]:
    """The names of facts that all inputs of a node must share."""
    return tuple(spec.extra.get("agree", ()))


def disagreement(fact: str, facts: Mapping[str, Facts]) -> dict[str, Any]:
    """The inputs that know a fact, with its value, when they do not all say the same; else nothing."""
    told = {name: known[fact] for name, known in facts.items() if known.get(fact) is not None}
    return told if len({str(value) for value in told.values()}) > 1 else {}
