"""The checks of POST /prompt: every error as ComfyUI's clients know it, node by node, and what can run."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from compat.server.input_checks import Error, NodeCheck, NodeChecker, error, inner_exception, outer_exception
from graph.context import Files
from graph.problems import Problem
from graph.registry import Registry
from graph.spec import NodeSpec

NO_PROMPT: Final = "No prompt provided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a prompt's check came to.

    refusal: why nothing runs (ComfyUI's `error`), None when something does. node_errors: by node id.
    reach: the output nodes that can run, each with all nodes it needs. prompt: with
    the values as nodes get them.
    """

    refusal: Error | None
    node_errors: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reach: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    prompt: Mapping[str, Any] = field(default_factory=dict[str, Any])


def check_prompt(
    prompt: Mapping[str, Any], types: Registry, files: Files, targets: Collection[str] | None = None
) -> Verdict:
    """Check a workflow in API format. targets: the output nodes to run, None for all there are."""
    specs = dict[str, NodeSpec]()
    for id, entry in prompt.items():
        spec = _spec(id, entry, types)
        if not isinstance(spec, NodeSpec):
            return Verdict(spec)
        specs[id] = spec
    asked = [id for id, spec in specs.items() if spec.output and (targets is None or id in targets)]
    if not asked:
        return Verdict(error("prompt_no_outputs", "Prompt has no outputs"))
    return _Walk(NodeChecker(prompt, specs, files)).verdict(asked)


def refused(outputs: Sequence[str], node_errors: Mapping[str, Any]) -> Error:
    """The error of a prompt of which no output can run."""
    own = [fault for id in outputs for fault in node_errors.get(id, {}).get("errors", ())]
    details = "\n".join(f"{fault['message']}: {fault['details']}" for fault in own)
    return error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)


def with_problems(verdict: Verdict, problems: Iterable[Problem]) -> Verdict:
    """The verdict with what our own validation found besides; its errors take their outputs with them."""
    found = defaultdict[str, list[Error]](list)
    for problem in problems:
        if problem.severity == "error":
            found[problem.node or ""].append(_custom(problem))
    return with_errors(verdict, found) if found else verdict


def with_errors(verdict: Verdict, found: Mapping[str, list[Error]]) -> Verdict:
    """The verdict with errors of nodes, by id ("" for the whole); they take their outputs with them."""
    good = {id: needs for id, needs in verdict.reach.items() if found.keys().isdisjoint({"", *needs})}
    failed = [id for id in verdict.reach if id not in good]
    node_errors = dict(verdict.node_errors)
    for node in found.keys() - {""}:
        node_errors[node] = {
            "errors": found[node],
            "dependent_outputs": [id for id in failed if node in verdict.reach[id]],
            "class_type": verdict.prompt[node]["class_type"],
        }
    refusal = None if good else refused(failed, node_errors)
    if refusal is not None and "" in found:
        refusal["details"] = "\n".join([*_texts(found[""]), refusal["details"]]).strip()
    return Verdict(refusal, node_errors, good, verdict.prompt)


def _texts(errors: Iterable[Error]) -> list[str]:
    return [fault["details"] for fault in errors]


def _custom(problem: Problem) -> Error:
    name = problem.input or ""
    details = f"{name} - {problem}" if name else str(problem)
    return error("custom_validation_failed", "Custom validation failed for node", details, input_name=name)


def _spec(id: str, entry: Any, types: Registry) -> NodeSpec | Error:
    type = cast("dict[str, Any]", entry).get("class_type") if isinstance(entry, dict) else None
    if type is None:
        return _invalid("Cannot execute because a node is missing the class_type property.", id)
    spec = types.get(type) if isinstance(type, str) else None
    return spec or _invalid(f"Cannot execute because node {type} does not exist.", id)


def _invalid(message: str, id: str) -> Error:
    return error("invalid_prompt", message, f"Node ID '#{id}'")


class _Circle(Exception):
    """Nodes feed each other."""


class _Walk:
    """Goes from outputs to all they need, keeping each node's result. No recursion, so any depth."""

    __slots__ = ("_checker", "_checks", "_errors", "_valid")

    def __init__(self, checker: NodeChecker) -> None:
        self._checker = checker
        self._checks = dict[str, NodeCheck]()
        self._valid = dict[str, bool]()
        self._errors = dict[str, list[Error]]()

    def verdict(self, asked: Sequence[str]) -> Verdict:
        good = [output for output in asked if self._is_sound(output)]
        failed = [output for output in asked if output not in good]
        node_errors = self._node_errors(failed)
        refusal = None if good else refused(failed, node_errors)
        return Verdict(refusal, node_errors, {id: self._needed([id]) for id in good}, self._converted())

    def _is_sound(self, output: str) -> bool:
        try:
            self._visit(output)
        except _Circle:
            self._valid[output] = False
        return self._valid[output]

    def _visit(self, output: str) -> None:
        path: dict[str, Iterator[tuple[str, Any]]] = {}
        if output not in self._valid:
            path[output] = self._enter(output, None)
        while path:
            id, sources = next(reversed(path.items()))
            for name, link in sources:
                if link[0] in path:
                    self._valid |= dict.fromkeys(path, False)
                    raise _Circle
                if link[0] not in self._valid:
                    path[link[0]] = self._enter(link[0], (id, name, link))
                    break
            else:
                path.popitem()
                check = self._checks[id]
                self._valid[id] = not self._errors[id] and all(
                    self._valid[link[0]] for _, link in check.sources
                )

    def _enter(self, id: str, caller: tuple[str, str, Any] | None) -> Iterator[tuple[str, Any]]:
        check = self._checks[id] = self._checker.check(id)
        if check.raised is None:
            self._errors[id] = check.errors
        elif caller is None:
            self._errors[id] = [outer_exception(check.raised)]
        else:
            config = self._checker.input_config(caller[0], caller[1])
            self._errors[id] = [inner_exception(check.raised, caller[1], config, caller[2])]
        return iter(check.sources)

    def _needed(self, outputs: Sequence[str]) -> frozenset[str]:
        found, waiting = set[str](), list(outputs)
        while waiting:
            id = waiting.pop()
            if id not in found and id in self._checks:
                found.add(id)
                waiting.extend(link[0] for _, link in self._checks[id].sources)
        return frozenset(found)

    def _node_errors(self, failed: Sequence[str]) -> dict[str, Any]:
        reach = {output: self._needed([output]) for output in failed}
        return {
            id: {
                "errors": errors,
                "dependent_outputs": [output for output in failed if id in reach[output]],
                "class_type": self._checker.prompt[id]["class_type"],
            }
            for id, errors in self._errors.items()
            if errors
        }

    def _converted(self) -> dict[str, Any]:
        """The prompt with values as the nodes that were looked at get them; the one sent is not changed."""
        whole = dict(self._checker.prompt)
        for id, check in self._checks.items():
            if check.values:
                whole[id] = {**whole[id], "inputs": {**whole[id]["inputs"], **check.values}}
        return whole
