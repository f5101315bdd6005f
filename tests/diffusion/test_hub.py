"""Models from a hub, against a server on this machine that answers like one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import huggingface_hub.constants
import pytest

from diffusion.errors import DiffusionError
from diffusion.hub import HubId, fetch, hub_id, local_copy, needed_files
from tests.diffusion.hub_server import Hub, serving

FILES = {
    "model_index.json": b'{"unet": ["diffusers", "UNet2DConditionModel"]}',
    "README.md": b"words",
    "scheduler/scheduler_config.json": b"{}",
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": b"full" * 2000,
    "unet/diffusion_pytorch_model.fp16.safetensors": b"half" * 1000,
    "unet/diffusion_pytorch_model.bin": b"pickle",
    "vae/diffusion_pytorch_model.safetensors": b"vae",
    "text_encoder/model-00001-of-00002.safetensors": b"one",
    "text_encoder/model-00002-of-00002.safetensors": b"two",
    "text_encoder/pytorch_model.bin": b"pickle",
    "safety_checker/model.safetensors": b"no",
}
WANTED = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model-00001-of-00002.safetensors",
    "text_encoder/model-00002-of-00002.safetensors",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub with a model, a revision of it, a single file and a gated model; nothing else is asked."""
    repositories: dict[str, Mapping[str, bytes]] = {
        "some/model": FILES,
        "some/model@v2": {**FILES, "vae/diffusion_pytorch_model.safetensors": b"vae of v2"},
        "one/file": {"big.safetensors": b"x" * 5000, "README.md": b""},
        "closed/model": FILES,
    }
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 500)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(Hub(repositories, frozenset({"closed/model"}))) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def files_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_just_the_files_of_a_model_are_fetched_half_precision_first(hub: Hub, tmp_path: Path) -> None:
    told = list[tuple[int, int]]()
    place = fetch(hub_id("some/model"), tmp_path / "models", lambda done, total: told.append((done, total)))
    assert place == tmp_path / "models" / "some" / "model"
    assert files_in(place) == WANTED
    assert all((place / name).read_bytes() == FILES[name] for name in WANTED)
    total = sum(len(FILES[name]) for name in WANTED)
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > len(WANTED)


def test_a_model_that_is_here_asks_no_hub(hub: Hub, tmp_path: Path) -> None:
    place = fetch(hub_id("some/model"), tmp_path)
    hub.asked.clear()
    assert fetch(hub_id("some/model"), tmp_path) == place
    assert hub.asked == []


def test_a_stopped_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    def stop_at_half(done: int, total: int) -> None:
        if done >= 2500:
            raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        fetch(hub_id("one/file"), tmp_path, stop_at_half)
    assert local_copy(hub_id("one/file"), tmp_path) is None
    hub.asked.clear()
    path = fetch(hub_id("one/file"), tmp_path)
    assert path.read_bytes() == b"x" * 5000
    assert [range_ for method, _, range_, _ in hub.asked if method == "GET" and range_] == ["bytes=2000-"]
    assert files_in(tmp_path / "one") == {"file/big.safetensors"}


def test_a_revision_and_a_single_file_may_be_named(hub: Hub, tmp_path: Path) -> None:
    place = fetch(hub_id("some/model@v2"), tmp_path)
    assert place.name == "model@v2"
    assert (place / "vae/diffusion_pytorch_model.safetensors").read_bytes() == b"vae of v2"
    path = fetch(hub_id("some/model/vae/diffusion_pytorch_model.safetensors"), tmp_path)
    assert path.read_bytes() == b"vae"


def test_the_token_opens_a_gated_model(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiffusionError, match=r"accepted its terms.*set HF_TOKEN"):
        fetch(hub_id("closed/model"), tmp_path)
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert files_in(fetch(hub_id("closed/model"), tmp_path)) == WANTED


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("no/such", "has no repository no/such"),
        ("some/model@v9", "has no revision v9"),
        ("some/model/none.safetensors", r"has no file none\.safetensors"),
    ],
)
def test_what_the_hub_does_not_have_is_a_sentence(hub: Hub, tmp_path: Path, id: str, words: str) -> None:
    with pytest.raises(DiffusionError, match=words):
        fetch(hub_id(id), tmp_path)


def test_a_hub_that_does_not_answer_is_a_sentence(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DiffusionError, match=r"could not be fetched from http://127\.0\.0\.1:9.*mirror"):
        fetch(hub_id("some/model"), tmp_path)


@pytest.mark.parametrize("text", ["", "model", "../x", "a/..", "a/b/../c", "http://x/y", "a/b@", "/a/b"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(DiffusionError, match="no id of a hub"):
        hub_id(text)


def test_an_id_has_a_repository_a_file_and_a_revision() -> None:
    assert hub_id("a/b-1.0/c d.safetensors@fp16") == HubId("a/b-1.0", "c d.safetensors", "fp16")


def test_a_repository_of_several_checkpoints_wants_a_name() -> None:
    with pytest.raises(DiffusionError, match=r"2 checkpoints \(a\.safetensors, b\.ckpt\)"):
        needed_files(["b.ckpt", "a.safetensors", "README.md"])
