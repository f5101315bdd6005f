"""Loader nodes: what they give, and what validation says of files before anything is loaded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save_file

from diffusion.errors import DiffusionError
from graph.document import Link, Node, Workflow
from graph.facts import Inferred, Known
from graph.outcome import Blocker
from graph.problems import Problem
from graph.validation import validate
from host.folders import Folders, folders_of
from nodes import component_loaders, loaders, registry
from tests.diffusion.hub_server import Hub, serving
from tests.diffusion.published import (
    SD1,
    SDXL,
    checkpoint_shapes,
    filled,
    text_shapes,
    unet_shapes,
    vae_shapes,
)
from tests.nodes.contexts import context_in

TYPES = registry()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each kind, all of them random."""
    folder = tmp_path_factory.mktemp("models")
    whole = checkpoint_shapes(SD1)
    files = {
        "checkpoints/sd1.safetensors": whole,
        "checkpoints/bare.safetensors": {n: s for n, s in whole.items() if n.startswith("model.")},
        "checkpoints/sdxl.safetensors": checkpoint_shapes(SDXL),
        "diffusion_models/unet.safetensors": unet_shapes(SD1),
        "text_encoders/l.safetensors": text_shapes("clip", 64),
        "text_encoders/g.safetensors": text_shapes("open_clip", 128),
        "vae/vae.safetensors": vae_shapes(SD1.vae),
        "loras/lora.safetensors": {
            "lora_unet_a.lora_down.weight": (4, 8),
            "lora_unet_a.lora_up.weight": (8, 4),
        },
        "embeddings/cat.safetensors": {"emb_params": (2, 768)},
        "embeddings/deep/two.safetensors": {"clip_l": (2, 768), "clip_g": (2, 1280)},
    }
    for name, shapes in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(filled(shapes, dtype=torch.float16), path)
    return folder


@pytest.fixture
def home(models: Path, tmp_path: Path) -> Path:
    """An installation with these files."""
    for path in models.rglob("*.safetensors"):
        place = tmp_path / "models" / path.relative_to(models)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(path)
    return tmp_path


def context(home: Path) -> Any:
    """A context whose models are those of an installation."""
    found: Any = context_in(home)
    found.job.files = folders_of(home)
    return found


def problems(home: Path, type: str, inputs: dict[str, Any]) -> list[Problem]:
    """What is wrong with one node, apart from there being no output."""
    found = validate(Workflow({"1": Node(type, inputs)}), TYPES, folders_of(home))
    return [problem for problem in found if problem.code not in ("no_outputs", "deprecated_node")]


def test_a_checkpoint_s_text_encoder_knows_where_embeddings_lie(home: Path) -> None:
    model, clip, vae = loaders.checkpoint_loader_simple("sd1.safetensors", context(home))
    assert (model.family.name, vae.latent_channels) == ("sd1", 4)
    assert clip.embedding_folders == (home / "models" / "embeddings",)


def test_what_a_checkpoint_lacks_stops_what_wants_it(home: Path) -> None:
    model, clip, vae = loaders.checkpoint_loader_simple("bare.safetensors", context(home))
    assert model.family.name == "sd1"
    assert isinstance(clip, Blocker) and "bare.safetensors has no text encoder" in clip.message
    assert isinstance(vae, Blocker) and "VAELoader" in vae.message


@pytest.mark.parametrize(
    ("config", "prediction", "layer"),
    [
        ("v1-inference.yaml", "eps", None),
        ("v1-inference_clip_skip_2_fp16.yaml", "eps", -2),
        ("anything_v3.yaml", "eps", -2),
        ("v2-inference-v_fp32.yaml", "v_prediction", None),
    ],
)
def test_a_configuration_says_what_the_network_puts_out(
    home: Path, config: Any, prediction: str, layer: int | None
) -> None:
    model, clip, _ = loaders.checkpoint_loader(config, "sd1.safetensors", context(home))
    assert (model.sampling.prediction, clip.layer_idx) == (prediction, layer)


def test_parts_are_loaded_from_files_of_their_own(home: Path) -> None:
    here = context(home)
    model = component_loaders.unet_loader("unet.safetensors", "fp8_e4m3fn", here)
    weights = list(model.model.diffusion_model.parameters())
    assert (model.family.name, weights[0].dtype) == ("sd1", torch.float8_e4m3fn)
    clip = component_loaders.clip_loader("l.safetensors", "stable_diffusion", context=here)
    assert (clip.family.name, clip.embedding_folders) == ("sd1", (home / "models" / "embeddings",))
    pair = component_loaders.dual_clip_loader("g.safetensors", "l.safetensors", "sdxl", "cpu", context=here)
    assert (pair.family.name, [e.tower.name for e in pair.encoders]) == ("sdxl", ["l", "g"])
    assert pair.encoders[0].device.device.type == "cpu"
    assert component_loaders.vae_loader("vae.safetensors", here).latent_channels == 4
    with pytest.raises(ValueError, match=r"sd3 is a kind of text encoder.*Choose stable_diffusion"):
        component_loaders.clip_loader("l.safetensors", "sd3", context=here)


@pytest.mark.parametrize(
    ("type", "inputs", "words"),
    [
        ("CheckpointLoaderSimple", {"ckpt_name": "sd1.safetensors"}, []),
        ("UNETLoader", {"unet_name": "unet.safetensors", "weight_dtype": "default"}, []),
        ("CLIPLoader", {"clip_name": "l.safetensors", "type": "stable_diffusion"}, []),
        ("VAELoader", {"vae_name": "vae.safetensors"}, []),
        ("CLIPLoader", {"clip_name": "l.safetensors", "type": "flux2"}, ["flux2"]),
        ("CLIPLoader", {"clip_name": "l.safetensors", "type": "wan"}, ["wan is a kind of text encoder that"]),
        (
            "DualCLIPLoader",
            {"clip_name1": "l.safetensors", "clip_name2": "l.safetensors", "type": "sdxl"},
            ["input clip_name2: is the first file again"],
        ),
        (
            "DualCLIPLoader",
            {"clip_name1": "l.safetensors", "clip_name2": "g.safetensors", "type": "flux"},
            ["flux is a kind of text encoder that"],
        ),
        ("HubLoader", {"model": "some/model"}, []),
        ("HubLoader", {"model": "no id"}, ["'no id' is no id of a hub"]),
    ],
)
def test_what_cannot_be_loaded_is_a_problem(
    home: Path, type: str, inputs: dict[str, str], words: list[str]
) -> None:
    found = [problem.message for problem in problems(home, type, inputs)]
    assert len(found) == len(words)
    assert all(word in message and "1 '" in message for word, message in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("type", "input", "folder"),
    [
        ("CheckpointLoaderSimple", "ckpt_name", "checkpoints"),
        ("VAELoader", "vae_name", "vae"),
        ("LoraLoaderModelOnly", "lora_name", "loras"),
        ("ControlNetLoader", "control_net_name", "controlnet"),
    ],
)
def test_a_file_of_another_kind_and_a_damaged_one_are_problems_before_running(
    home: Path, type: str, input: str, folder: str
) -> None:
    place = home / "models" / folder
    place.mkdir(exist_ok=True)
    (place / "x.safetensors").hardlink_to(home / "models" / "text_encoders" / "l.safetensors")
    told = [p for p in problems(home, type, {input: "x.safetensors"}) if p.input == input]
    assert [p.code for p in told] == ["wrong_file"]
    assert f"input {input}: x.safetensors is a text encoder, not a" in told[0].message
    assert told[0].fix == "It is for CLIPLoader."
    content = (home / "models/checkpoints/sd1.safetensors").read_bytes()
    (place / "y.safetensors").write_bytes(content[: len(content) // 2])
    (told,) = [p for p in problems(home, type, {input: "y.safetensors"}) if p.input == input]
    assert (told.code, told.severity) == ("bad_file", "error")
    assert "y.safetensors is cut off" in told.message and "Download it again" in told.message


def sampling(checkpoint: str, **others: Node) -> Workflow:
    """A workflow that draws with a checkpoint and other loaders' parts: vae, clip."""
    nodes = {
        "load": Node("CheckpointLoaderSimple", {"ckpt_name": checkpoint}),
        "text": Node(
            "CLIPTextEncode", {"text": "a", "clip": Link("clip" if "clip" in others else "load", "CLIP")}
        ),
        "latent": Node("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        "sample": Node(
            "KSampler",
            {
                "model": Link("unet" if "unet" in others else "load", "MODEL"),
                "positive": Link("text", "CONDITIONING"),
                "negative": Link("text", "CONDITIONING"),
                "latent_image": Link("latent", "LATENT"),
                "seed": 1,
                "steps": 1,
                "cfg": 1.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
            },
        ),
        "decode": Node(
            "VAEDecode",
            {"samples": Link("sample", "LATENT"), "vae": Link("vae" if "vae" in others else "load", "VAE")},
        ),
        "show": Node("PreviewImage", {"images": Link("decode", "IMAGE")}),
    }
    return Workflow(nodes | others)


def test_parts_of_different_families_are_a_problem(home: Path) -> None:
    unet = Node("UNETLoader", {"unet_name": "unet.safetensors", "weight_dtype": "default"})
    pair = {"clip_name1": "l.safetensors", "clip_name2": "g.safetensors", "type": "sdxl"}
    clip, files = Node("DualCLIPLoader", pair), folders_of(home)
    assert validate(sampling("sd1.safetensors"), TYPES, files) == []
    assert validate(sampling("sdxl.safetensors", clip=clip), TYPES, files) == []
    for workflow in (sampling("sd1.safetensors", clip=clip), sampling("sdxl.safetensors", unet=unet)):
        (problem,) = [p for p in validate(workflow, TYPES, files) if p.severity == "error"][:1]
        assert (problem.code, problem.node) == ("family_mismatch", "sample")


def test_a_vae_of_another_latent_space_is_a_problem(home: Path) -> None:
    for half in ("encoder", "decoder"):
        path = home / "models" / "vae_approx" / f"taesdxl_{half}.pth"
        path.parent.mkdir(exist_ok=True)
        torch.save({"3.conv.0.weight": torch.zeros(2)}, path)
    vae = Node("VAELoader", {"vae_name": "taesdxl"})
    (problem,) = validate(sampling("sd1.safetensors", vae=vae), TYPES, folders_of(home))
    assert (problem.code, problem.node) == ("latents_mismatch", "decode")


def prompt_problems(home: Path, text: str, family: str) -> list[tuple[str, bool]]:
    spec = TYPES.get("CLIPTextEncode")
    assert spec is not None and spec.infer is not None
    found = spec.infer(Known({"text": text}, {"clip": {"family": family}}, folders_of(home)))
    assert isinstance(found, Inferred)
    assert found.outputs["CONDITIONING"] == {"family": family}
    return [(fault.code, fault.warning) for fault in found.faults.values()]


@pytest.mark.parametrize(
    ("text", "family", "told"),
    [
        ("a cat", "sd1", []),
        ("a embedding:cat, sitting", "sd1", []),
        ("(embedding:cat:1.2) x", "sd1", []),
        ("embedding:deep/two", "sdxl", []),
        ("embedding:cat", "sdxl", []),
        ("embedding:cat", "sd2", [("family_mismatch", False)]),
        ("(embedding:cat.safetensors:0.8)", "sd2", [("family_mismatch", False)]),
        ("embedding:cta", "sd1", [("missing_embedding", True)]),
        ("a <lora:fine:0.8> cat", "sd1", [("lora_in_prompt", True)]),
        ("a <lora:fine:0.8> embedding:cat", "sd2", [("family_mismatch", False)]),
    ],
)
def test_embeddings_in_a_prompt_are_checked_against_the_text_encoder(
    home: Path, text: str, family: str, told: list[tuple[str, bool]]
) -> None:
    assert prompt_problems(home, text, family) == told


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub whose one model is a single file."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home / "cache"))
    content = (home / "models/checkpoints/sdxl.safetensors").read_bytes()
    with serving(Hub({"some/model": {"model.safetensors": content}})) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def test_a_model_of_the_hub_is_fetched_once_and_then_known(
    home: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, said = context(home), list[str]()
    monkeypatch.setattr(type(here), "log", lambda self, message: said.append(message))
    spec, files = TYPES.get("HubLoader"), folders_of(home)
    assert spec is not None and spec.infer is not None
    infer: Callable[[Known], Inferred] = spec.infer
    known = Known({"model": "some/model"}, {}, files)
    assert infer(known) == Inferred()
    assert hub.asked == []
    model, clip, _ = loaders.hub_loader("some/model", context=here)
    assert (model.family.name, clip.family.name) == ("sdxl", "sdxl")
    assert said and "Fetching some/model" in said[0]
    assert here.steps[-1][0] == here.steps[-1][1] > 0
    assert infer(known).outputs["MODEL"]["family"] == "sdxl"
    hub.asked.clear()
    loaders.hub_loader("some/model", context=context(home))
    assert hub.asked == []


def test_a_wrong_file_is_refused_when_it_is_loaded_too(home: Path) -> None:
    files: Folders = folders_of(home)
    place = files.folder("checkpoints") / "lora.safetensors"
    place.hardlink_to(home / "models/loras/lora.safetensors")
    with pytest.raises(
        DiffusionError, match=r"lora\.safetensors is not a checkpoint; it is a LoRA: load it with"
    ):
        loaders.checkpoint_loader_simple("lora.safetensors", context(home))
