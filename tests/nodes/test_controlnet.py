"""ControlNet nodes: what they attach to which side, and that a wrong base is found before anything runs."""

from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from graph.document import Link, Node, Workflow
from graph.validation import validate
from nodes import registry
from nodes.controlnet import (
    canny,
    control_net_apply,
    control_net_apply_advanced,
    control_net_loader,
    diff_control_net_loader,
    set_union_control_net_type,
)
from nodes.loaders import checkpoint_loader_simple
from tests.diffusion.published import SD1, Sizes, filled, save_checkpoint, unet_shapes
from tests.nodes.contexts import ToyContext, context_in

IMAGE = torch.rand(1, 16, 24, 4)
TEXT = [[torch.zeros(1, 77, 64), {"pooled_output": None}], [torch.ones(1, 77, 64), {}]]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ToyContext:
    home = tmp_path_factory.mktemp("home")
    for kind in ("checkpoints", "controlnet"):
        (home / kind).mkdir()
    save_checkpoint(home / "checkpoints", SD1, "a.safetensors")
    for name, sizes in (("small", SD1), ("xl", Sizes(context=2048)), ("sd1", Sizes(context=768))):
        tensors = filled(unet_shapes(sizes, control=True), dtype=torch.float16)
        save_file(tensors, home / "controlnet" / f"{name}.safetensors")
    return context_in(home)


def test_both_sides_share_one_handle_and_earlier_ones_stay_before_it(context: ToyContext) -> None:
    control = control_net_loader("small.safetensors", context)
    positive, negative = control_net_apply_advanced(TEXT, TEXT[:1], control, IMAGE, 0.5, 0.1, 0.6)
    handles = {id(keys["control"]) for _, keys in (*positive, *negative)}
    assert len(handles) == 1
    handle = positive[0][1]["control"]
    assert handle is not control
    assert (handle.strength, handle.timestep_percent_range) == (0.5, (0.1, 0.6))
    assert torch.equal(handle.cond_hint_original, IMAGE[..., :3].movedim(-1, 1))
    assert positive[0][1]["control_apply_to_uncond"] is False
    assert "control" not in TEXT[0][1] and control.cond_hint_original is None
    second, _ = control_net_apply_advanced(positive, negative, control, IMAGE)
    assert second[0][1]["control"].previous_controlnet is handle
    assert handle.previous_controlnet is None


def test_no_strength_leaves_both_sides_as_they_are(context: ToyContext) -> None:
    control = control_net_loader("small.safetensors", context)
    assert control_net_apply_advanced(TEXT, TEXT, control, IMAGE, 0.0) == (TEXT, TEXT)
    assert control_net_apply(TEXT, control, IMAGE, 0.0) is TEXT


def test_the_older_node_lends_its_controlnet_to_the_other_side(context: ToyContext) -> None:
    control = control_net_loader("small.safetensors", context)
    [[_, keys], _] = control_net_apply(TEXT, control, IMAGE, 0.5)
    assert keys["control_apply_to_uncond"] is True
    assert keys["control"].timestep_percent_range == (0.0, 1.0)


def test_a_union_s_kind_is_told_to_a_copy(context: ToyContext) -> None:
    control = control_net_loader("small.safetensors", context)
    assert set_union_control_net_type(control, "tile").extra_args == {"control_type": [6]}
    assert set_union_control_net_type(control, "auto").extra_args == {"control_type": []}
    assert control.extra_args == {}


def test_a_whole_file_needs_no_model(context: ToyContext) -> None:
    model, _, _ = checkpoint_loader_simple("a.safetensors", context)
    assert diff_control_net_loader(model, "small.safetensors", context).layout.context == 64


def test_canny_draws_in_white_on_black() -> None:
    picture = torch.zeros(1, 32, 32, 3)
    picture[:, 8:24, 8:24] = 0.9
    picture[:, 8:24, 8] = 0.5
    found = canny(picture, 0.3, 0.6)
    assert found.shape == picture.shape
    assert found.sum() > 0 and set(found.unique().tolist()) == {0.0, 1.0}


def workflow(control: str) -> Workflow:
    text = {"clip": Link("load", "CLIP"), "text": "a"}
    controlled: dict[str, Any] = {
        "positive": Link("text", "CONDITIONING"),
        "negative": Link("text", "CONDITIONING"),
        "control_net": Link("control", "CONTROL_NET"),
        "image": Link("image", "IMAGE"),
    }
    sampled: dict[str, Any] = {
        "model": Link("load", "MODEL"),
        "positive": Link("apply", "positive"),
        "negative": Link("apply", "negative"),
        "latent_image": Link("latent", "LATENT"),
        "sampler_name": "euler",
        "scheduler": "normal",
    }
    return Workflow(
        {
            "load": Node("CheckpointLoaderSimple", {"ckpt_name": "a.safetensors"}),
            "text": Node("CLIPTextEncode", text),
            "control": Node("ControlNetLoader", {"control_net_name": control}),
            "image": Node("EmptyImage", {}),
            "apply": Node("ControlNetApplyAdvanced", controlled),
            "latent": Node("EmptyLatentImage", {}),
            "sample": Node("KSampler", sampled),
            "save": Node("SaveLatent", {"samples": Link("sample", "LATENT")}),
        }
    )


def test_a_controlnet_for_another_base_is_found_before_anything_runs(context: ToyContext) -> None:
    files: Any = context.job.files
    assert validate(workflow("sd1.safetensors"), registry(), files) == []
    [problem] = validate(workflow("xl.safetensors"), registry(), files)
    assert (problem.code, problem.node, problem.input) == ("family_mismatch", "apply", "control_net")
    assert "positive is sd1" in problem.message and "control_net is sdxl" in problem.message
