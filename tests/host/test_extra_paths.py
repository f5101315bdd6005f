"""Model folders of other programs, named in a YAML file of ComfyUI's form."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from host.extra_paths import ExtraPath, read_extra_paths
from host.folders import folders_of
from tests.diffusion.hub_server import Hub, serving
from tests.host.conftest import Command

COMFY = """
# everything below lies in one place
comfyui:
    base_path: {base}
    is_default: true
    checkpoints: models/checkpoints/
    text_encoders: |
        models/text_encoders/
        models/clip/  # legacy location we still support
    unet: models/unet
    custom_nodes: custom_nodes
a111:
    base_path: webui
    loras: |
         models/Lora
         models/LyCORIS
other:
"""


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "extra_model_paths.yaml"
    path.write_text(text)
    return path


def test_sections_bases_and_several_lines_are_read(tmp_path: Path) -> None:
    base = tmp_path / "comfy"
    found = read_extra_paths(write(tmp_path / "here", COMFY.format(base=base)))
    assert found == [
        ExtraPath("checkpoints", base / "models/checkpoints", True),
        ExtraPath("text_encoders", base / "models/text_encoders", True),
        ExtraPath("text_encoders", base / "models/clip", True),
        ExtraPath("unet", base / "models/unet", True),
        ExtraPath("custom_nodes", base / "custom_nodes", True),
        ExtraPath("loras", tmp_path / "here/webui/models/Lora"),
        ExtraPath("loras", tmp_path / "here/webui/models/LyCORIS"),
    ]


def test_files_are_found_where_another_program_keeps_them(tmp_path: Path) -> None:
    home, base = tmp_path / "home", tmp_path / "comfy"
    write(home, COMFY.format(base=base))
    model = put(base / "models/checkpoints/deep/a.safetensors")
    put(base / "models/unet/b.safetensors")
    lora = put(home / "webui/models/LyCORIS/c.safetensors")
    files = folders_of(home)
    assert files.names("checkpoints") == ["deep/a.safetensors"]
    assert files.find("checkpoints", "deep/a.safetensors") == model
    assert files.find("loras", "c.safetensors") == lora
    assert files.names("diffusion_models") == files.names("unet") == ["b.safetensors"]
    assert files.folders("checkpoints")[0] == base / "models/checkpoints"
    assert files.folders("loras")[0] == home / "models/loras"


def test_home_and_variables_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("DISK", str(tmp_path / "disk"))
    text = "a:\n  base_path: ~/sd\n  vae: vae\n  loras: $DISK/loras\nb:\n  vae: ../near\n"
    found = [extra.path for extra in read_extra_paths(write(tmp_path / "here", text))]
    assert found == [tmp_path / "me/sd/vae", tmp_path / "disk/loras", tmp_path / "near"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "is no YAML in line"),
        ("\tb: 1", "is no YAML in line 1"),
        ("- a", "holds no sections"),
        ("a: models", "section a holds no kinds"),
        ("a:\n  loras: 3", "loras in section a is no folder"),
        ("!!python/object/apply:os.system [echo]", "is no YAML"),
    ],
)
def test_a_file_that_is_wrong_is_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_extra_paths(write(tmp_path, text))


def test_the_command_line_takes_more_files(command: Command, home: Path, tmp_path: Path) -> None:
    put(tmp_path / "far/loras/far.safetensors")
    config = write(tmp_path / "far", "far:\n  loras: loras\n")
    said = command("models", "loras", "--extra-model-paths-config", str(config))
    assert (said.code, "far.safetensors" in said.out) == (0, True)
    missing = command("models", "--extra-model-paths-config", "none.yaml")
    assert (missing.code, missing.err.count("none.yaml cannot be read")) == (2, 1)


def test_a_run_and_a_check_find_models_of_more_files(command: Command, home: Path, model: str) -> None:
    far = home.parent / "far"
    (far / "kept").mkdir(parents=True)
    (home / "models/checkpoints" / model).rename(far / "kept/far.safetensors")
    config = write(far, "far:\n  checkpoints: kept\n")
    flow = home / "flow.json"
    flow.write_text(
        '{"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "far.safetensors"}},'
        ' "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a", "clip": ["1", 1]}},'
        ' "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}}}'
    )
    assert command("validate", str(flow)).code == 2
    assert command("validate", str(flow), "--extra-model-paths-config", str(config)).code == 0
    assert command("run", str(flow), "--extra-model-paths-config", str(config)).code == 0


def test_a_model_is_fetched_from_the_hub_by_the_command_line(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with serving(Hub({"some/model": {"model.safetensors": b"x" * 1000}})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        said = command("models", "--download", "some/model")
        assert (said.code, said.lines) == (0, [str(home / "models/diffusers/some/model/model.safetensors")])
        assert command("models", "--download", "some/other").code == 2
    assert "is no id of a hub" in command("models", "--download", "nonsense").err
