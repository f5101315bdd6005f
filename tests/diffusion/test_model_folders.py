"""Folders and files in diffusers' layout load as the same networks that single files give."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.errors import DiffusionError
from diffusion.headers import read_header
from diffusion.loading import load_checkpoint, load_model, load_vae
from diffusion.model_folders import choose_weights
from diffusion.probe import probe
from diffusion.values import Checkpoint
from tests.diffusion.conftest import FAMILIES

OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def weights_of(module: Any) -> dict[str, Tensor]:
    """A network's weights by diffusers' names, which are its own."""
    return {name: tensor.contiguous() for name, tensor in module.state_dict().items()}


def text_weights(encoder: Any) -> dict[str, Tensor]:
    """A text encoder's weights as transformers publishes them."""
    found = {f"text_model.{name}": tensor for name, tensor in weights_of(encoder.module).items()}
    projection = encoder.projection
    return found | ({} if projection is None else {"text_projection.weight": projection.contiguous()})


def write(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".bin":
        torch.save(dict(tensors), path)
    else:
        save_file(dict(tensors), path)
    return path


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def text_folders(name: str) -> tuple[str, ...]:
    return {"sdxl": ("text_encoder", "text_encoder_2"), "sdxl-refiner": ("text_encoder_2",)}.get(
        name, ("text_encoder",)
    )


def save_folder(folder: Path, loaded: Checkpoint, name: str) -> Path:
    """A loaded checkpoint as a folder of diffusers' kind, unsharded and in fp16."""
    model, clip, vae = loaded
    assert clip is not None and vae is not None
    write(folder / "unet/diffusion_pytorch_model.safetensors", weights_of(model.model.diffusion_model))
    write(folder / "vae/diffusion_pytorch_model.safetensors", weights_of(vae.first_stage_model))
    for place, encoder in zip(text_folders(name), clip.encoders, strict=True):
        write(folder / place / "model.safetensors", text_weights(encoder))
        write_json(folder / place / "config.json", {"hidden_act": encoder.tower.activation})
    networks = ("unet", "vae", *text_folders(name))
    index = {"_class_name": "StableDiffusionPipeline", "safety_checker": [None, None]}
    write_json(folder / "model_index.json", index | {name: ["diffusers", "Network"] for name in networks})
    return folder


def assert_same(ours: Checkpoint, theirs: Checkpoint) -> None:
    assert ours.clip is not None and theirs.clip is not None and ours.vae is not None
    pairs = [
        (ours.model.model.diffusion_model, theirs.model.model.diffusion_model),
        (ours.vae.first_stage_model, theirs.vae.first_stage_model if theirs.vae else None),
        *((a.module, b.module) for a, b in zip(ours.clip.encoders, theirs.clip.encoders, strict=True)),
    ]
    for a, b in pairs:
        assert b is not None
        wanted = b.state_dict()
        assert all(torch.equal(t.float(), wanted[n].float()) for n, t in a.state_dict().items())
    for a, b in zip(ours.clip.encoders, theirs.clip.encoders, strict=True):
        assert (a.projection is None) == (b.projection is None)
        assert a.projection is None or torch.equal(a.projection.float(), _given(b.projection).float())
    assert ours.model.family == theirs.model.family
    assert ours.model.model.names == theirs.model.model.names


def _given(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folder_gives_the_same_networks_as_a_single_file(
    loaded: dict[str, Checkpoint], name: str, tmp_path: Path
) -> None:
    folder = save_folder(tmp_path / "model", loaded[name], name)
    assert_same(load_checkpoint(folder), loaded[name])
    facts = probe(folder)
    assert (facts.kind, facts.family) == ("checkpoint", name)


def test_shards_and_pickles_are_read_as_one(small: Checkpoint, tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "model", small, "sd1")
    whole = weights_of(small.model.model.diffusion_model)
    names = sorted(whole)
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    for number, half in ((1, names[: len(names) // 2]), (2, names[len(names) // 2 :])):
        shard = f"diffusion_pytorch_model-{number:05}-of-00002.safetensors"
        write(folder / "unet" / shard, {n: whole[n] for n in half})
    assert small.clip is not None
    (folder / "text_encoder/model.safetensors").unlink()
    write(folder / "text_encoder/pytorch_model.bin", text_weights(small.clip.encoders[0]))
    assert_same(load_checkpoint(folder), small)


def test_what_the_schedule_says_of_the_network_is_heeded(small: Checkpoint, tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "model", small, "sd1")
    write_json(
        folder / "scheduler/scheduler_config.json",
        {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True},
    )
    sampling = load_checkpoint(folder).model.sampling
    assert sampling.prediction == "v_prediction"
    assert float(sampling.sigma_max) > 1000


def test_a_folder_that_lacks_a_network_is_a_sentence(small: Checkpoint, tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "model", small, "sd1")
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(DiffusionError, match=r"model is not complete.*no weights in vae/"):
        load_checkpoint(folder)


def test_a_unet_and_a_vae_alone_may_be_in_diffusers_layout(small: Checkpoint, tmp_path: Path) -> None:
    whole = weights_of(small.model.model.diffusion_model)
    unet = write(tmp_path / "unet.safetensors", whole)
    model = load_model(unet)
    assert probe(unet).kind == "unet"
    assert model.model.names == small.model.model.names
    assert small.vae is not None
    old = {
        next((n.replace(new, was) for new, was in OLD_ATTENTION.items() if f".{new}." in n), n): t
        for n, t in weights_of(small.vae.first_stage_model).items()
    }
    assert any("proj_attn" in name for name in old)
    vae = load_vae(write(tmp_path / "vae.bin", old))
    wanted = small.vae.first_stage_model.state_dict()
    assert all(torch.equal(t, wanted[n]) for n, t in vae.first_stage_model.state_dict().items())


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.bin", "model.safetensors", "model.fp16.safetensors"], ["model.fp16.safetensors"]),
        (["pytorch_model.fp16.bin", "model.safetensors"], ["model.safetensors"]),
        (["model.non_ema.safetensors", "model.safetensors"], ["model.safetensors"]),
        (
            ["model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors", "config.json"],
            ["model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors"],
        ),
        (["model-00001-of-00002.fp16.safetensors", "model.bin"], ["model.bin"]),
        (["flax_model.msgpack", "openvino_model.bin"], []),
    ],
)
def test_half_precision_and_safetensors_come_first(names: list[str], chosen: list[str]) -> None:
    assert list(choose_weights(names)) == chosen


def test_loading_what_is_on_disk_touches_no_network(
    small: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    folder = save_folder(tmp_path / "model", small, "sd1")
    assert small.model.path is not None
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_checkpoint(folder).clip is not None
    assert load_checkpoint(small.model.path).clip is not None


def test_a_header_of_a_folder_reads_the_bytes_of_a_tensor(small: Checkpoint, tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "model", small, "sd1")
    header = read_header(folder)
    weight = weights_of(small.model.model.diffusion_model)["conv_out.bias"]
    assert header.read("model.diffusion_model.out.2.bias") == weight.numpy().tobytes()
