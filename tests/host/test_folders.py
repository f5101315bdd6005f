"""Names find files of their kind and nothing else."""

import os
from pathlib import Path

import pytest

from host.folders import folders_of, installation


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_names_are_sorted_and_hold_subfolders(tmp_path: Path) -> None:
    for name in ("b.safetensors", "A.ckpt", "deep/er/c.safetensors"):
        put(tmp_path / "models" / "checkpoints" / name)
    assert folders_of(tmp_path).names("checkpoints") == ["A.ckpt", "b.safetensors", "deep/er/c.safetensors"]


def test_only_model_files_are_listed_among_models(tmp_path: Path) -> None:
    for name in ("model.safetensors", "notes.txt", ".hidden.safetensors", "picture.preview.png"):
        put(tmp_path / "models" / "loras" / name)
    assert folders_of(tmp_path).names("loras") == ["model.safetensors"]


def test_a_new_file_is_listed_at_once(tmp_path: Path) -> None:
    files = folders_of(tmp_path)
    put(tmp_path / "input" / "deep" / "a.png")
    assert files.names("input") == ["deep/a.png"]
    folder = tmp_path / "input" / "deep"
    facts = folder.stat()
    put(folder / "b.png")
    os.utime(folder, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1_000_000))
    assert files.names("input") == ["deep/a.png", "deep/b.png"]


def test_both_folders_of_a_kind_are_searched(tmp_path: Path) -> None:
    put(tmp_path / "models" / "unet" / "old.safetensors")
    put(tmp_path / "models" / "diffusion_models" / "new.safetensors")
    files = folders_of(tmp_path)
    assert files.names("diffusion_models") == files.names("unet") == ["new.safetensors", "old.safetensors"]
    assert files.find("unet", "old.safetensors") == tmp_path / "models" / "unet" / "old.safetensors"


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "..\\secret",
        "/etc/passwd",
        "a/../../secret",
        "",
        ".",
        "a\0b",
        "./a",
        "folder",
        "x" * 5000,
    ],
)
def test_a_name_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path / "secret")
    put(tmp_path / "input" / "a")
    (tmp_path / "input" / "folder").mkdir()
    files = folders_of(tmp_path)
    assert files.find("input", name) is None
    assert files.identity("input", name) == ""


def test_a_name_may_ask_for_another_work_folder(tmp_path: Path) -> None:
    path = put(tmp_path / "output" / "cat.png")
    files = folders_of(tmp_path)
    assert files.find("input", "cat.png [output]") == path
    assert files.find("checkpoints", "cat.png [output]") is None


def test_the_identity_changes_when_a_file_is_replaced(tmp_path: Path) -> None:
    path = put(tmp_path / "input" / "a.png", "one")
    files = folders_of(tmp_path)
    before = files.identity("input", "a.png")
    other = put(tmp_path / "other.png", "two")
    other.replace(path)
    assert before and files.identity("input", "a.png") != before


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path / "input" / "a.png")
    (tmp_path / "input" / "again").symlink_to(tmp_path / "input", target_is_directory=True)
    assert folders_of(tmp_path).names("input") == ["a.png"]


def test_a_shared_folder_behind_a_link_is_found(tmp_path: Path) -> None:
    put(tmp_path / "shared" / "model.safetensors")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "vae").symlink_to(tmp_path / "shared", target_is_directory=True)
    files = folders_of(tmp_path)
    assert files.names("vae") == ["model.safetensors"]
    assert files.find("vae", "model.safetensors") is not None


def test_the_installation_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path))
    assert installation() == tmp_path.resolve()


def test_folders_of_models_are_found_among_diffusers(tmp_path: Path) -> None:
    index = put(tmp_path / "models/diffusers/some/model/model_index.json")
    put(tmp_path / "models/diffusers/some/model/unet/weights.safetensors")
    files = folders_of(tmp_path)
    assert files.names("diffusers") == ["some/model"]
    assert files.find("diffusers", "some/model") == index.parent
    before = files.identity("diffusers", "some/model")
    put(tmp_path / "models/diffusers/some/model/unet/weights.safetensors", "other")
    assert before and files.identity("diffusers", "some/model") != before


def test_a_small_autoencoder_is_one_of_the_vaes_when_both_halves_are_there(tmp_path: Path) -> None:
    decoder = put(tmp_path / "models/vae_approx/taesd_decoder.pth")
    files = folders_of(tmp_path)
    assert files.find("vae", "taesd") is None
    put(tmp_path / "models/vae_approx/taesd_encoder.pth")
    files = folders_of(tmp_path)
    assert (files.names("vae"), files.find("vae", "taesd")) == (["taesd"], decoder)


def test_thousands_of_files_are_listed_with_one_look_at_each_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2000):
        put(tmp_path / "models/loras" / str(number % 10) / f"{number}.safetensors")
    looks, scan = list[str](), os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looks.append(str(path)) or scan(path))
    files = folders_of(tmp_path)
    assert len(files.names("loras")) == len(files.names("loras")) == 2000
    assert len(looks) == 11
