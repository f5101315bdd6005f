"""A job of this process: what its pictures carry."""

import json
from pathlib import Path

from compat.formats.known import FORMATS
from graph.document import Node, Workflow
from host.folders import folders_of
from host.headless import HeadlessJob
from host.lock import Hashes
from host.services import Services
from nodes import registry

TYPES = registry()


def test_what_a_node_noted_stands_in_the_lock_of_later_pictures(tmp_path: Path) -> None:
    flow = Workflow({"empty": Node("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1})})
    services = Services(lambda: FORMATS, lambda: TYPES)
    job = HeadlessJob(flow, flow, services, TYPES, folders_of(tmp_path), Hashes(tmp_path / "hashes.json"))
    assert "notes" not in json.loads(job.metadata["workflow"])["lock"]
    job.note("It was done in tiles.")
    job.note("It was done in tiles.")
    assert json.loads(job.metadata["workflow"])["lock"]["notes"] == ["It was done in tiles."]
    assert "prompt" in job.metadata
