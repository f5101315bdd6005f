"""The check of facts: that the family of a model, and the like, agree along every wire."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graph.checking import Checking, Kind, links_of
from graph.document import Link
from graph.facts import Facts, Known, agreeing, disagreement, infer_facts
from graph.node_checks import literal_values
from graph.problems import Problem
from graph.sockets import conflicts

Told = dict[tuple[str, str], Facts]
"""Facts by node and output."""


def fact_problems(checking: Checking, order: Sequence[str], told: Told) -> Iterator[Problem]:
    """Facts that contradict each other, found by one pass in the order of flow; all are put into `told`."""
    if not any(_concerned(kind) for kind in checking.kinds.values()):
        return
    for key in order:
        kind = checking.kind(key)
        if kind is None or not _concerned(kind):
            continue
        incoming = _incoming(checking, key, told)
        known = Known(_values(checking, key, kind), incoming, checking.files)
        found = infer_facts(kind.spec, known)
        told.update({(key, name): facts for name, facts in found.outputs.items()})
        for name, fault in found.faults.items():
            yield checking.problem(
                fault.code, key, name, fault.message, fault.fix, fault.warning, fault.repair
            )
        yield from _refinement_problems(checking, key, kind, incoming)
        yield from _agreement_problems(checking, key, kind, {**incoming, **found.inputs})


def _concerned(kind: Kind) -> bool:
    """Whether a node type knows, wants or compares facts."""
    ends = (*kind.spec.inputs, *kind.spec.outputs)
    return kind.spec.infer is not None or bool(agreeing(kind.spec)) or any(end.type.facts for end in ends)


def _incoming(checking: Checking, key: str, told: Told) -> dict[str, Facts]:
    found = dict[str, Facts]()
    for name, link in links_of(checking.workflow.nodes[key]):
        end = checking.end(link)
        if isinstance(end, Link) and (facts := told.get((end.node, end.output))):
            found[name] = facts
    return found


def _values(checking: Checking, key: str, kind: Kind) -> dict[str, Any]:
    return literal_values(checking.workflow.nodes[key], kind, checking.workflow.imported)


def _refinement_problems(
    checking: Checking, key: str, kind: Kind, incoming: Mapping[str, Facts]
) -> Iterator[Problem]:
    for name, facts in incoming.items():
        if name not in kind.inputs:
            continue
        told = tuple((fact, str(value)) for fact, value in facts.items())
        for fact, wanted, given in conflicts(kind.inputs[name].type.facts, told):
            message = f"takes the {fact} {wanted}, but {_giver(checking, key, name)} gives {given}."
            yield checking.problem(
                f"{fact}_mismatch", key, name, message, f"Link it to one of {fact} {wanted}."
            )


def _agreement_problems(
    checking: Checking, key: str, kind: Kind, facts: Mapping[str, Facts]
) -> Iterator[Problem]:
    for fact in agreeing(kind.spec):
        if told := disagreement(fact, facts):
            parts = [
                f"{name} is {value} (from {_giver(checking, key, name)})" for name, value in told.items()
            ]
            message = f"{checking.label(key)}: its inputs are of different {fact}: {', '.join(parts)}."
            fix = f"Link them all to sources of one {fact}."
            yield Problem(f"{fact}_mismatch", message, key, _odd_one(told), fix)


def _odd_one(told: Mapping[str, Any]) -> str:
    """The input that disagrees with the first."""
    first, *rest = told
    return next(name for name in rest if str(told[name]) != str(told[first]))


def _giver(checking: Checking, key: str, name: str) -> str:
    value = checking.workflow.nodes[key].inputs.get(name)
    end = checking.end(value) if isinstance(value, Link) else None
    return f"node {checking.name(end.node)}" if isinstance(end, Link) else "the chosen file"
