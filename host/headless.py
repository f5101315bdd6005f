"""Running workflows in this process, with no server: what the command line and scripts use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from graph.document import Node, Workflow
from graph.document_json import write_workflow
from graph.dynamic_prompts import choose_prompts
from graph.flat import flat
from graph.problems import WorkflowError
from graph.registry import Registry
from graph.sweep import point_of
from graph.sweep_marks import POINT
from host.folders import Folders
from host.lock import Hashes, lock_of
from host.seeds import first_seed
from host.services import Services


@dataclass(frozen=True)
class HeadlessJob:
    """A job of this process: its folders, and the texts that its pictures carry.

    workflow: as it was written. settled: as it runs, without subgraphs, its dynamic prompts chosen.
    """

    workflow: Workflow
    settled: Workflow
    services: Services
    types: Registry
    files: Folders
    hashes: Hashes
    precision: str = "auto"
    notes: list[str] = field(default_factory=list[str])

    @property
    def metadata(self) -> dict[str, str]:
        """The workflow with its lock, and the same in the API format; made when a picture is saved."""
        return self._texts | self._workflow_text(tuple(self.notes))

    @cached_property
    def _texts(self) -> dict[str, str]:
        texts = self._workflow_text(())
        try:
            texts["prompt"] = json.dumps(self.services.format_named("api").write(self.settled, self.types))
        except WorkflowError:  # what only our format can say is left out of the foreign one
            return texts
        return texts

    def note(self, message: str) -> None:
        """Record a sentence, once, in the lock of pictures whose texts are asked for from now on."""
        if message not in self.notes:
            self.notes.append(message)

    def seen_by(self, node: Node) -> "HeadlessJob":
        """This job; for a node of a sweep one of its point alone, whose pictures carry just that workflow.

        Dynamic prompts stand in it as they were chosen, for the whole sweep by one seed.
        """
        point = node.extra.get(POINT)
        if not isinstance(point, Mapping):
            return self
        workflow = point_of(self.workflow, self.types, cast(Mapping[str, Any], point))
        seed = first_seed(self.workflow, self.types)
        settled = choose_prompts(flat(workflow, self.types), self.types, seed)
        shown = workflow if settled.extra == workflow.extra else settled
        return replace(self, workflow=shown, settled=settled)

    def _workflow_text(self, notes: tuple[str, ...]) -> dict[str, str]:
        said = {"notes": list(notes)} if notes else {}
        lock = {**self.workflow.lock, **self._lock, **said}
        return {"workflow": write_workflow(replace(self.workflow, lock=lock))}

    @cached_property
    def _lock(self) -> Mapping[str, Any]:
        return lock_of(self.settled, self.types, self.files, self.hashes, self.precision)


def with_output(files: Folders, folder: Path | None) -> Folders:
    """The same folders, with results going to another one."""
    if folder is None:
        return files
    return Folders({**files.places, "output": (folder.expanduser().resolve(),)})
