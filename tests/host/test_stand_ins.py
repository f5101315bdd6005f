"""Files of this installation stand in for those that a workflow from elsewhere names."""

from pathlib import Path

import pytest

from graph.document import Link, Node, Workflow
from host.folders import Folders
from host.stand_ins import StandIn, family_said, stand_ins
from nodes import registry
from tests.host.conftest import Command
from tests.host.documents import sampled, write

TYPES = registry()
ROOT = Path(__file__).parents[2]


def folders(**kinds: Path) -> Folders:
    return Folders({kind: (path,) for kind, path in kinds.items()})


SHIPPED = folders(checkpoints=ROOT / "models" / "checkpoints", loras=ROOT / "models" / "loras")


@pytest.mark.parametrize(
    ("name", "family", "used"),
    [
        ("v1-5-pruned-emaonly-fp16.safetensors", "sd1", "darkroom-tiny.safetensors"),
        ("sd_xl_base_1.0.safetensors", "sdxl", "darkroom-tiny-xl.safetensors"),
        ("sd_xl_refiner_1.0.safetensors", "sdxl-refiner", "darkroom-tiny-xl-refiner.safetensors"),
        ("v2-1_768-ema-pruned.safetensors", "sd2", "darkroom-tiny.safetensors"),
    ],
)
def test_a_checkpoint_of_the_family_that_the_name_speaks_of_stands_in(
    name: str, family: str, used: str
) -> None:
    assert family_said(name) == family
    flow = Workflow({"c": Node("CheckpointLoaderSimple", {"ckpt_name": name})})
    changed, put = stand_ins(flow, TYPES, SHIPPED)
    assert changed.nodes["c"].inputs == {"ckpt_name": used}
    assert put == [StandIn("c", name, used)]


def test_without_a_vae_file_the_vae_of_a_checkpoint_stands_in() -> None:
    nodes = {
        "v": Node("VAELoader", {"vae_name": "vae-ft-mse.safetensors"}),
        "d": Node("VAEDecode", {"vae": Link("v", "VAE")}),
    }
    changed, _ = stand_ins(Workflow(nodes), TYPES, SHIPPED)
    loader = TYPES.get(changed.nodes["v"].type)
    assert loader is not None and "VAE" in [output.name for output in loader.outputs]
    assert changed.nodes["v"].inputs == {"ckpt_name": "darkroom-tiny.safetensors"}


def test_files_that_are_there_and_kinds_without_any_stay() -> None:
    nodes = {
        "c": Node("CheckpointLoaderSimple", {"ckpt_name": "darkroom-tiny-xl.safetensors"}),
        "n": Node("ControlNetLoader", {"control_net_name": "gone.safetensors"}),
        "x": Node("Unknown", {"ckpt_name": "gone.safetensors"}),
    }
    assert stand_ins(Workflow(nodes), TYPES, SHIPPED) == (Workflow(nodes), [])


def test_a_run_says_what_stands_in_for_what(home: Path, command: Command, model: str) -> None:
    path = write(home / "flow.json", sampled("nobody-has-this.safetensors"))
    said = command("run", path, "--model-map", "auto", "--quiet")
    assert (said.code, len(said.lines)) == (0, 1)
    assert "nobody-has-this.safetensors is not here; random.safetensors stands in for it" in said.err
