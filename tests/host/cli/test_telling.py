"""The commands that tell what there is: nodes, models, doctor, version, convert."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from host.cli.models import human_size
from tests.host.conftest import Command
from tests.host.documents import grey, link, node, write

ROOT = Path(__file__).parents[3]


def test_every_node_type_is_listed(command: Command) -> None:
    said = command("nodes")
    assert said.code == 0
    assert any(line.startswith("KSampler ") and "sampling" in line for line in said.lines)


def test_one_node_type_is_described_in_full(command: Command) -> None:
    text = command("nodes", "KSampler").out
    for words in ("Latents denoised", "2^64 - 1", "0 to 100, in steps of 0.1", "dpmpp_2m", "LATENT"):
        assert words in text


def test_an_unknown_node_type_names_the_nearest(command: Command) -> None:
    said = command("nodes", "KSamplr")
    assert said.code == 2 and "KSampler?" in said.err


def test_models_are_listed_with_family_and_damaged_ones_with_a_sentence(
    home: Path, command: Command, model: str
) -> None:
    (home / "models" / "checkpoints" / "broken.safetensors").write_bytes(b"\xff" * 100)
    said = command("models")
    assert said.code == 0 and "Traceback" not in said.err
    (line,) = [line for line in said.lines if model in line]
    assert "Stable Diffusion 1.x" in line and "fp16" in line and "MB" in line
    assert any("broken.safetensors" in line for line in said.lines)
    assert command("models", "lora").code == 2


def test_without_models_their_place_is_told(home: Path, command: Command) -> None:
    said = command("models")
    assert said.code == 0 and str(home / "models") in said.err


def test_the_doctor_says_what_is_missing(home: Path, command: Command) -> None:
    said = command("doctor")
    assert said.code == 1
    assert "darkroom-tiny.safetensors is missing" in said.out.replace("\n", " ")
    assert any(line.startswith("✓") and "torch" in line for line in said.lines)


def test_the_doctor_loads_the_embedded_model(home: Path, command: Command, model: str) -> None:
    folder = home / "models" / "checkpoints"
    (folder / model).rename(folder / "darkroom-tiny.safetensors")
    said = command("doctor")
    assert said.code == 0 and "loads" in said.out


def test_versions_are_printed_one_a_line(command: Command) -> None:
    names = [line.split()[0] for line in command("version").lines]
    assert names == ["darkroom", "python", "torch", "diffusers", "transformers"]


def test_a_conversion_there_and_back_is_the_same_workflow(home: Path, command: Command) -> None:
    path = write(home / "grey.json", grey())
    text = command("convert", path, "-").out
    assert command("convert", path, "editor.json", "--to", "editor").code == 0
    again = json.loads(command("convert", "editor.json", "-").out)
    assert {key: node["inputs"] for key, node in again["nodes"].items()} == {
        key: node["inputs"] for key, node in json.loads(text)["nodes"].items()
    }


def test_a_conversion_that_cannot_be_written_is_a_sentence(home: Path, command: Command) -> None:
    path = write(home / "grey.json", grey())
    said = command("convert", path, str(home / "none" / "x.json"))
    assert said.code == 2 and "cannot be written" in said.err
    assert command("convert", str(home / "gone.json"), "-").code == 2


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (14_200_000, "14.2 MB"), (7e9, "7.0 GB"), (2e12, "2.0 TB")],
)
def test_sizes_are_told_as_people_read_them(count: float, words: str) -> None:
    assert human_size(count) == words


def test_help_and_listing_nodes_load_no_torch() -> None:
    for arguments in (["--help"], ["nodes"], ["validate", str(ROOT / "workflows" / "txt2img.json")]):
        code = f"import sys, server; server.main({arguments!r}); sys.exit(9 if 'torch' in sys.modules else 0)"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, arguments


def test_a_quiet_run_still_says_what_failed(home: Path, command: Command) -> None:
    document = grey()
    document["nodes"]["pick"] = node("PickItem", items=link("grey", "IMAGE"), number=5)
    document["nodes"]["save"]["inputs"]["images"] = link("pick", "*")
    said = command("run", write(home / "flow.json", document), "--quiet")
    assert (said.code, said.out) == (3, "")
    assert "The list has 1 items" in said.err
