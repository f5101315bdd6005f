"""A job's documents as text: for the database and for the way to a worker."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from graph.document_json import parse_workflow, write_workflow
from host.jobs.model import Payload


@dataclass(frozen=True, slots=True)
class Texts:
    """A payload as two JSON texts: our document, and all the rest."""

    workflow: str
    rest: str

    @property
    def size(self) -> int:
        """Characters of both."""
        return len(self.workflow) + len(self.rest)


def to_texts(payload: Payload) -> Texts:
    """The payload as text. Raises WorkflowError when a value is none that JSON can hold."""
    rest = {
        "imported": payload.workflow.imported,
        "targets": None if payload.targets is None else list(payload.targets),
        "texts": payload.texts,
        "extra": payload.extra,
    }
    return Texts(write_workflow(payload.workflow), json.dumps(rest))


def from_texts(texts: Texts) -> Payload:
    """The payload of these texts."""
    rest = cast("Mapping[str, Any]", json.loads(texts.rest))
    workflow = replace(parse_workflow(texts.workflow), imported=rest["imported"])
    targets = rest["targets"]
    return Payload(workflow, None if targets is None else tuple(targets), rest["texts"], rest["extra"])
