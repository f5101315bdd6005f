"""The nodes of patches, each doing its work on a small model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from graph.registry import registry_from
from graph.spec import Choice
from nodes import guidance_patches, model_patches, model_sampling
from nodes.latent import empty_latent_image
from nodes.loaders import checkpoint_loader_simple
from nodes.sampling import ksampler
from nodes.text import clip_text_encode
from tests.diffusion.published import SD1, save_checkpoint
from tests.nodes.contexts import context_in

TYPES = registry_from(model_patches, guidance_patches, model_sampling)
STILL = {
    "CLIPAttentionMultiply",
    "DifferentialDiffusion",
    "EasyCache",
    "FreSca",
    "HyperTile",
    "LazyCache",
    "ModelComputeDtype",
    "PerpNeg",
    "TorchCompileModel",
    "UNetCrossAttentionMultiply",
    "UNetSelfAttentionMultiply",
}
"""Nodes that leave one step of a small picture as it is at their defaults, or want more than a model."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = tmp_path_factory.mktemp("home")
    (home / "checkpoints").mkdir()
    save_checkpoint(home / "checkpoints", SD1, "a.safetensors")
    return checkpoint_loader_simple("a.safetensors", context_in(home))


def made(model: Any, parts: Any, folder: Path) -> torch.Tensor:
    return ksampler(
        model,
        seed=1,
        steps=1,
        cfg=4.0,
        sampler_name="euler",
        scheduler="normal",
        positive=clip_text_encode("a red circle", parts[1]),
        negative=clip_text_encode("", parts[1]),
        latent_image=empty_latent_image(64, 64),
        context=context_in(folder),
    )["samples"]


@pytest.mark.parametrize("name", sorted({spec.id for spec in TYPES} - STILL))
def test_a_patch_node_does_its_work_at_its_defaults(name: str, parts: Any, tmp_path: Path) -> None:
    spec = TYPES.get(name)
    assert spec is not None
    inputs = {item.name: item.default for item in spec.inputs if item.name != "model"}
    inputs |= {i.name: i.widget.options[0] for i in spec.inputs if isinstance(i.widget, Choice)}
    if name == "ModelSamplingDiscrete":
        inputs["sampling"] = "v_prediction"
    [patched] = spec.run(model=parts[0], **inputs)
    changed = made(patched, parts, tmp_path)
    assert changed.isfinite().all()
    assert not torch.allclose(changed, made(parts[0], parts, tmp_path), rtol=1e-4, atol=1e-4)


def test_levels_that_make_no_range_are_a_sentence() -> None:
    assert model_sampling.range_problem(120.0, 0.002) is None
    assert "above 0 and below sigma_max" in (model_sampling.range_problem(1.0, 2.0) or "")
