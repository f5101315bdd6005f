"""A job as a worker runs it: swept, and asked for by the names of its own document."""

from pathlib import Path

from graph.document import Link, Node, Workflow
from host.folders import Folders
from host.jobs.model import Payload
from host.lock import Hashes
from host.services import Services
from host.worker.job import Bench, outputs_left, settled, targets_in
from nodes import registry

TYPES = registry()


def bench_in(folder: Path) -> Bench:
    """A bench whose input folder this is."""
    services = Services(tuple, lambda: TYPES)
    files = Folders({"input": (folder,)})
    return Bench(services, TYPES, files, Hashes(folder / "hashes"), "auto", metadata=True)


def swept() -> Workflow:
    nodes = {
        "grey": Node("EmptyImage", {"width": 8, "height": 8}),
        "save": Node("SaveImage", {"images": Link("grey", "IMAGE")}),
        "other": Node("PreviewAny", {"source": "x"}),
    }
    return Workflow(nodes, extra={"sweep": [{"input": "grey.color", "values": [1, 2]}]})


def test_a_workflow_with_a_sweep_runs_at_every_point(tmp_path: Path) -> None:
    workflow = settled(Payload(swept()), bench_in(tmp_path))
    assert {"grey~1", "grey~2", "save~1", "save~2", "other", "save~grid"} <= workflow.nodes.keys()


def test_a_target_means_all_its_copies(tmp_path: Path) -> None:
    payload = Payload(swept(), targets=("save", "other"))
    workflow = settled(payload, bench_in(tmp_path))
    assert targets_in(workflow, payload) == ("save~1", "save~2", "other")
    assert outputs_left(workflow, TYPES, payload, frozenset({"save~1"})) == ("save~2", "other")
    assert targets_in(workflow, Payload(swept(), targets=("gone",))) == ("gone",)


def test_workflows_of_other_programs_run_as_they_were_sent(tmp_path: Path) -> None:
    workflow = swept()
    assert settled(Payload(workflow, texts={"prompt": {}}), bench_in(tmp_path)) is workflow


def test_tables_lie_in_the_input_folder(tmp_path: Path) -> None:
    (tmp_path / "colours.csv").write_text("grey.color\n5\n6\n7\n")
    workflow = Workflow(swept().nodes, extra={"sweep": [{"table": "colours.csv"}]})
    assert "save~3" in settled(Payload(workflow), bench_in(tmp_path)).nodes
