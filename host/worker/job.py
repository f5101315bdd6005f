"""A job inside a worker: what its nodes may ask of it."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from graph.calling import HiddenValues, RunningGraph
from graph.document import Node, Workflow
from graph.flat import flat, targets_within
from graph.registry import Registry
from graph.sweep_marks import COPY_OF
from host.folders import Folders
from host.headless import HeadlessJob
from host.jobs.model import Payload
from host.lock import Hashes
from host.plugins.hidden import WrittenWorkflow
from host.services import Services
from host.sweeps import as_it_runs


@dataclass(frozen=True, slots=True)
class Bench:
    """What every job of a worker shares. metadata: whether pictures carry their workflow."""

    services: Services
    types: Registry
    files: Folders
    hashes: Hashes
    precision: str
    metadata: bool


@dataclass(frozen=True, slots=True)
class TextsJob:
    """A job whose pictures carry the texts that were sent with it."""

    files: Folders
    texts: Mapping[str, Any]

    @property
    def metadata(self) -> dict[str, str]:
        """The texts as JSON, by key."""
        return {key: json.dumps(value) for key, value in self.texts.items()}

    def note(self, message: str) -> None:
        """Nothing: texts of another program have no lock."""


@dataclass(frozen=True, slots=True)
class BareJob:
    """A job whose pictures carry nothing."""

    files: Folders

    @property
    def metadata(self) -> dict[str, str]:
        """Nothing."""
        return {}

    def note(self, message: str) -> None:
        """Nothing: there are no texts to record it in."""


WorkerJob = HeadlessJob | TextsJob | BareJob


def settled(payload: Payload, bench: Bench) -> Workflow:
    """The workflow as it runs: swept, its dynamic prompts chosen, unless another program already did."""
    if payload.texts:
        return flat(payload.workflow, bench.types)
    return as_it_runs(payload.workflow, bench.types, lambda name: bench.files.find("input", name))


def targets_in(workflow: Workflow, payload: Payload) -> tuple[str, ...] | None:
    """The nodes that a payload asks for, in the workflow as it runs: of a swept one all its copies."""
    if payload.targets is None:
        return None
    copies = defaultdict[str, list[str]](list)
    for id, node in workflow.nodes.items():
        copies[node.extra.get(COPY_OF, id)].append(id)
    asked = (id for target in payload.targets for id in copies.get(target, [target]))
    return targets_within(workflow, asked)


def job_for(bench: Bench, payload: Payload, workflow: Workflow) -> WorkerJob:
    """The job of a payload; workflow: as it runs."""
    if not bench.metadata:
        return BareJob(bench.files)
    if payload.texts:
        return TextsJob(bench.files, payload.texts)
    return HeadlessJob(
        payload.workflow, workflow, bench.services, bench.types, bench.files, bench.hashes, bench.precision
    )


def hidden_values(payload: Payload, bench: Bench, workflow: Workflow) -> HiddenValues:
    """What nodes that ask for hidden inputs get; workflow: as it runs."""
    if not payload.texts:
        return WrittenWorkflow(workflow, bench.services, bench.types)
    return Hidden(payload.texts, payload.extra)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Hidden inputs: PROMPT and EXTRA_PNGINFO from the texts, other kinds by their lower name in `extra`."""

    texts: Mapping[str, Any]
    extra: Mapping[str, Any]

    def __call__(self, kind: str, node: str, graph: RunningGraph) -> Any:
        """The value of a kind for a node."""
        if kind == "PROMPT":
            return self.texts.get("prompt")
        if kind == "EXTRA_PNGINFO":
            return {key: value for key, value in self.texts.items() if key != "prompt"} or None
        sent: Any = self.extra.get("extra_data")
        return cast("dict[str, Any]", sent).get(kind.lower()) if isinstance(sent, dict) else None


def outputs_left(
    workflow: Workflow, types: Registry, payload: Payload, done: frozenset[str]
) -> tuple[str, ...]:
    """The output nodes that are still to run after those that an earlier attempt finished."""
    targets = targets_in(workflow, payload)
    if targets is not None:
        return tuple(node for node in targets if node not in done)
    return tuple(id for id, node in workflow.nodes.items() if id not in done and _is_output(node, types))


def _is_output(node: Node, types: Registry) -> bool:
    spec = types.get(node.type)
    return node.mode == "run" and spec is not None and spec.output
