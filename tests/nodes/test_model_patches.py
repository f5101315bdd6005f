"""The nodes of patches: the field's tables, and each doing its work on a small model."""

from pathlib import Path
from typing import Any

import pytest
import torch

from graph.registry import registry_from
from nodes import guidance_patches, model_patches, model_sampling
from nodes.latent import empty_latent_image
from nodes.loaders import checkpoint_loader_simple
from nodes.sampling import ksampler
from nodes.text import clip_text_encode
from tests.diffusion.published import SD1, save_checkpoint
from tests.nodes.contexts import context_in
from tests.nodes.test_standard import told

TYPES = registry_from(model_patches, guidance_patches, model_sampling)
SCALED = ("bicubic", "nearest-exact", "bilinear", "area", "bislerp")


def factor(default: float) -> tuple[float, ...]:
    return (0.0, 10.0, 0.01, default)


QKV = {name: factor(1.0) for name in ("q", "k", "v", "out")}
CACHE = {
    "reuse_threshold": (0.0, 3.0, 0.01, 0.2),
    "start_percent": (0.0, 1.0, 0.01, 0.15),
    "end_percent": (0.0, 1.0, 0.01, 0.95),
    "verbose": "BOOLEAN",
}
SIGMA = (0.0, 1000.0, 0.001)
STANDARD: dict[str, dict[str, Any]] = {
    "FreeU": {"b1": factor(1.1), "b2": factor(1.2), "s1": factor(0.9), "s2": factor(0.2)},
    "FreeU_V2": {"b1": factor(1.3), "b2": factor(1.4), "s1": factor(0.9), "s2": factor(0.2)},
    "TomePatchModel": {"ratio": (0.0, 1.0, 0.01, 0.3)},
    "HyperTile": {
        "tile_size": (1, 2048, None, 256),
        "swap_size": (1, 128, None, 2),
        "max_depth": (0, 10, None, 0),
        "scale_depth": "BOOLEAN",
    },
    "PatchModelAddDownscale": {
        "block_number": (1, 32, 1, 3),
        "downscale_factor": (0.1, 9.0, 0.001, 2.0),
        "start_percent": (0.0, 1.0, 0.001, 0.0),
        "end_percent": (0.0, 1.0, 0.001, 0.35),
        "downscale_after_skip": "BOOLEAN",
        "downscale_method": SCALED,
        "upscale_method": SCALED,
    },
    "UNetSelfAttentionMultiply": QKV,
    "UNetCrossAttentionMultiply": QKV,
    "DifferentialDiffusion": {"strength": (0.0, 1.0, 0.01, 1.0)},
    "TorchCompileModel": {"backend": ("inductor", "cudagraphs")},
    "ModelComputeDtype": {"dtype": ("default", "fp32", "fp16", "bf16")},
    "EasyCache": CACHE,
    "LazyCache": CACHE,
    "RescaleCFG": {"multiplier": (0.0, 1.0, 0.01, 0.7)},
    "PerturbedAttentionGuidance": {"scale": (0.0, 100.0, 0.01, 3.0)},
    "SelfAttentionGuidance": {"scale": (-2.0, 5.0, 0.01, 0.5), "blur_sigma": (0.0, 10.0, 0.1, 2.0)},
    "PerpNeg": {"empty_conditioning": "CONDITIONING", "neg_scale": (0.0, 100.0, 0.01, 1.0)},
    "Mahiro": {},
    "CFGZeroStar": {},
    "CFGNorm": {"strength": (0.0, 100.0, 0.01, 1.0)},
    "TCFG": {},
    "FreSca": {
        "scale_low": factor(1.0),
        "scale_high": factor(1.25),
        "freq_cutoff": (1, 10000, 1, 20),
    },
    "APG": {
        "eta": (-10.0, 10.0, 0.01, 1.0),
        "norm_threshold": (0.0, 50.0, 0.1, 5.0),
        "momentum": (-5.0, 1.0, 0.01, 0.0),
    },
    "Epsilon Scaling": {"scaling_factor": (0.5, 1.5, 0.001, 1.005)},
    "ModelSamplingDiscrete": {
        "sampling": ("eps", "v_prediction", "lcm", "x0", "img_to_img"),
        "zsnr": "BOOLEAN",
    },
    "ModelSamplingContinuousEDM": {
        "sampling": ("v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow"),
        "sigma_max": (*SIGMA, 120.0),
        "sigma_min": (*SIGMA, 0.002),
    },
    "ModelSamplingContinuousV": {
        "sampling": ("v_prediction",),
        "sigma_max": (*SIGMA, 500.0),
        "sigma_min": (*SIGMA, 0.03),
    },
}
RENAMED = {"Mahiro", "CFGZeroStar", "CFGNorm", "TCFG"}
"""Nodes whose output is called patched_model."""


def test_every_patch_of_the_field_s_table_is_here() -> None:
    assert {spec.id for spec in TYPES} == {*STANDARD, "CLIPAttentionMultiply"}


@pytest.mark.parametrize("name", STANDARD)
def test_a_patch_node_has_the_field_s_inputs_and_output(name: str) -> None:
    spec = TYPES.get(name)
    assert spec is not None
    assert list(told(spec).items()) == [("model", "MODEL"), *STANDARD[name].items()]
    assert [o.name for o in spec.outputs] == ["patched_model" if name in RENAMED else "MODEL"]
    assert [i.name for i in spec.inputs if not i.required] == (
        ["strength"] if name == "DifferentialDiffusion" else []
    )


def test_every_input_of_a_patch_says_what_it_is() -> None:
    silent = [
        (s.id, i.name)
        for s in TYPES
        for i in s.inputs
        if i.name not in ("model", "clip") and not i.hint.tooltip
    ]
    assert silent == []


def test_the_clip_s_attention_is_multiplied_by_four_factors() -> None:
    spec = TYPES.get("CLIPAttentionMultiply")
    assert spec is not None
    assert list(told(spec).items()) == [("clip", "CLIP"), *QKV.items()]


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


DOING = sorted(
    set(STANDARD)
    - {"EasyCache", "LazyCache", "TorchCompileModel", "DifferentialDiffusion", "HyperTile", "FreSca"}
    - {"UNetSelfAttentionMultiply", "UNetCrossAttentionMultiply", "PerpNeg", "ModelComputeDtype"}
)
"""Nodes that change one step of a small picture at the field's defaults."""


@pytest.mark.parametrize("name", DOING)
def test_a_patch_node_does_its_work_at_its_defaults(name: str, parts: Any, tmp_path: Path) -> None:
    spec = TYPES.get(name)
    assert spec is not None
    inputs = {item.name: item.default for item in spec.inputs if item.name != "model"}
    inputs |= {k: v[0] for k, v in STANDARD[name].items() if isinstance(v[0], str) and v != "BOOLEAN"}
    if name == "ModelSamplingDiscrete":
        inputs["sampling"] = "v_prediction"
    [patched] = spec.run(model=parts[0], **inputs)
    changed = made(patched, parts, tmp_path)
    assert changed.isfinite().all()
    assert not torch.allclose(changed, made(parts[0], parts, tmp_path), rtol=1e-4, atol=1e-4)


def test_levels_that_make_no_range_are_a_sentence() -> None:
    assert model_sampling.range_problem(120.0, 0.002) is None
    assert "above 0 and below sigma_max" in (model_sampling.range_problem(1.0, 2.0) or "")
