"""List mapping: how many calls a node gets, with what, and how their results join."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graph.outcome import Blocker, Outcome
from graph.spec import NodeSpec

Items = list[Any]
Flow = Callable[[int, int], Items | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """In place of a result: the call for one item of a list failed. call: its values by input name."""

    error: BaseException
    call: Mapping[str, Any]


class WrongResult(Exception):
    """A node returned what its type does not declare; the message goes on from the node's name."""


def calls_for(spec: NodeSpec, inputs: Mapping[str, Items]) -> list[dict[str, Any]]:
    """The calls of a node, each its values by input name.

    A node that takes lists gets one call with all lists whole. Others get one call an item of the longest
    list; shorter ones repeat their last item. An empty list means nothing to do: no call.
    """
    if spec.takes_lists:
        return [{name: list(items) for name, items in inputs.items()}]
    longest = max(map(len, inputs.values()), default=1)
    if longest == 1 and all(inputs.values()):
        return [{name: items[0] for name, items in inputs.items()}]
    if not all(inputs.values()):
        return []
    return [
        {name: items[index] if index < len(items) else items[-1] for name, items in inputs.items()}
        for index in range(longest)
    ]


def blocker_in(call: Mapping[str, Any], takes_lists: bool) -> Blocker | None:
    """The first Blocker among a call's values, if any."""
    for value in call.values():
        if isinstance(value, Blocker):
            return value
        if takes_lists and isinstance(value, list):
            for item in cast(Items, value):
                if isinstance(item, Blocker):
                    return item
    return None


def without_blockers(call: Mapping[str, Any], takes_lists: bool) -> dict[str, Any]:
    """A call's values without Blockers: left out, or left out of the lists."""
    kept = {name: value for name, value in call.items() if not isinstance(value, Blocker)}
    if not takes_lists:
        return kept
    return {
        name: [item for item in cast(Items, value) if not isinstance(item, Blocker)]
        if isinstance(value, list)
        else value
        for name, value in kept.items()
    }


def silent(spec: NodeSpec) -> Outcome:
    """What a blocked call gives: every output blocked, without telling again."""
    return Outcome((Blocker(),) * len(spec.outputs))


def as_outcome(spec: NodeSpec, result: Any) -> Outcome:
    """What a call returned, as an Outcome with one value an output. Raises WrongResult with a sentence."""
    declared = len(spec.outputs)
    if isinstance(result, Blocker):
        return Outcome((result,) * declared)
    if isinstance(result, Outcome):
        outcome = result
    elif result is None and not declared:
        outcome = Outcome()
    elif isinstance(result, tuple):
        outcome = Outcome(cast("tuple[Any, ...]", result))
    else:
        raise WrongResult(f"returned {_described(result)}, not a tuple of {_counted(declared)}.")
    if len(outcome.values) != declared:
        raise WrongResult(f"returned {_counted(len(outcome.values))} but declares {_outputs(spec)}.")
    return outcome


def _described(result: Any) -> str:
    return "nothing" if result is None else f"a value of type {type(result).__name__}"


def _counted(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"


def _outputs(spec: NodeSpec) -> str:
    names = ", ".join(item.name for item in spec.outputs)
    count = len(spec.outputs)
    return f"{count} output{'' if count == 1 else 's'}" + (f" ({names})" if names else "")


def join(spec: NodeSpec, outcomes: Sequence[Outcome], flow: Flow | None = None) -> tuple[Items, ...]:
    """The items of each output over all calls.

    An `is_list` output's lists are joined; of the others each call gives one item. `flow(call, index)` gives
    the items that a value stands for (a link into an expansion), or None for a plain value.
    """
    return tuple(_joined(spec, index, outcomes, flow) for index in range(len(spec.outputs)))


def _joined(spec: NodeSpec, index: int, outcomes: Sequence[Outcome], flow: Flow | None) -> Items:
    output = spec.outputs[index]
    items = Items()
    for call, outcome in enumerate(outcomes):
        value = outcome.values[index]
        if flow is not None and (flowing := flow(call, index)) is not None:
            items.extend(flowing)
        elif not output.is_list or isinstance(value, Blocker):
            items.append(value)
        elif isinstance(value, list | tuple):
            items.extend(cast(Items, value))
        else:
            raise WrongResult(f"returned {_described(value)} as {output.name}, not a list.")
    return items


def joined_ui(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """The `ui` of all calls, their lists joined by kind."""
    if len(outcomes) == 1:
        return dict(outcomes[0].ui)
    ui = dict[str, list[Any]]()
    for outcome in outcomes:
        for kind, shown in outcome.ui.items():
            ui.setdefault(kind, []).extend(shown)
    return ui
