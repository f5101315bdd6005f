"""What packs put in the place of a layer acts on sampling, and object patches are undone after the run."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from compat.names.install import names_kept
from diffusion.loading import load_checkpoint
from diffusion.unet import run_unet
from tests.compat.plugins.packs import TINY, Shelf
from tests.compat.plugins.test_objects import conds, sampled

NAMES = ("darkroom-tiny", "darkroom-tiny-xl", "darkroom-tiny-xl-refiner")


def differ(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("name", NAMES)
def test_a_network_by_its_published_layers_puts_out_the_very_same(named: Shelf, name: str) -> None:
    network = load_checkpoint(TINY / f"{name}.safetensors").model.model
    unet, layout = network.diffusion_model, network.layout
    drawn = torch.Generator().manual_seed(1)
    x = torch.randn(2, layout.in_channels, 8, 8, generator=drawn)
    text = torch.randn(2, 77, layout.context, generator=drawn)
    y = None if layout.adm is None else torch.randn(2, layout.adm, generator=drawn)
    steps = torch.tensor([3.0, 700.0])
    with torch.no_grad():
        torch.testing.assert_close(unet(x, steps, text, y), run_unet(unet, x, steps, text, y), rtol=0, atol=0)


def scaled(own: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values, **named: own(*values, **named) * 1.5


@pytest.mark.parametrize(
    "name",
    [
        "input_blocks.0.0", "input_blocks.3.0", "input_blocks.3.1", "input_blocks.2.0", "middle_block.1",
        "input_blocks.3.1.transformer_blocks.0", "input_blocks.3.1.transformer_blocks.0.attn2",
        "middle_block.1.transformer_blocks.0.ff", "middle_block.1.transformer_blocks.0.attn1.to_q",
        "output_blocks.1.1", "output_blocks.2.0", "output_blocks.0.0.in_layers.2",
        "time_embed", "out", "out.2", "",
    ],
)  # fmt: skip
def test_a_forward_that_a_pack_sets_on_a_layer_acts(loaded: Any, name: str) -> None:
    plain = sampled(loaded, loaded.model)
    layer = loaded.model.model.diffusion_model.get_submodule(name)
    layer.forward = scaled(layer.forward)
    try:
        assert differ(sampled(loaded, loaded.model), plain) > 1e-3
    finally:
        del layer.forward
    assert differ(sampled(loaded, loaded.model), plain) == 0


@pytest.mark.parametrize(
    "name",
    [
        "diffusion_model.out", "diffusion_model.out.2", "diffusion_model.forward", "diffusion_model._forward",
        "diffusion_model.input_blocks.0.0", "diffusion_model.input_blocks.3.0.forward",
        "diffusion_model.middle_block.1.transformer_blocks.0.attn2.forward", "diffusion_model.time_embed",
        "diffusion_model.output_blocks.4.0.forward", "apply_model", "_apply_model", "process_latent_out",
        "diffusion_model",
    ],
)  # fmt: skip
def test_an_object_patch_acts_in_the_run_and_is_undone_after_it(loaded: Any, name: str) -> None:
    plain, model = sampled(loaded, loaded.model), loaded.model.clone()
    own = model.get_model_object(name)
    patch: Any = scaled(own)
    if isinstance(own, nn.Module):
        patch = nn.Identity()
        patch.forward = scaled(own)
    model.add_object_patch(name, patch)
    assert model.get_model_object(name) is patch
    assert differ(sampled(loaded, model), plain) > 1e-3
    assert loaded.model.get_model_object(name) == own
    assert differ(sampled(loaded, loaded.model), plain) == 0


def test_a_part_that_a_patch_replaced_is_its_own_again_when_a_run_fails(loaded: Any) -> None:
    model = loaded.model.clone()
    own = model.get_model_object("diffusion_model.out")

    def failing(*values: Any, **named: Any) -> Any:
        raise ValueError("no")

    model.add_object_patch("diffusion_model.out", nn.Identity())
    model.add_object_patch("diffusion_model.middle_block.forward", failing)
    model.add_object_patch("diffusion_model.time_embed.forward", failing)
    with pytest.raises(ValueError, match="no"):
        sampled(loaded, model)
    assert loaded.model.get_model_object("diffusion_model.out") is own
    sampled(loaded, loaded.model)


def test_a_layer_that_a_pack_puts_in_a_block_runs_there(loaded: Any) -> None:
    block = loaded.model.model.diffusion_model.input_blocks[3]
    own, calls = block[1], []

    class Mine(nn.Module):
        """A pack's layer: of no kind that blocks know."""

        def forward(self, x: Any) -> Any:
            calls.append(x.shape)
            return x

    plain = sampled(loaded, loaded.model)
    block[1] = Mine()
    try:
        assert differ(sampled(loaded, loaded.model), plain) > 1e-3 and len(calls) == 2
    finally:
        block[1] = own
    assert differ(sampled(loaded, loaded.model), plain) == 0


def test_a_patch_handles_layers_of_a_class_in_its_own_way(loaded: Any) -> None:
    seen, block = [], loaded.model.model.diffusion_model.input_blocks[0]
    model = loaded.model.clone()

    def handle(layer: Any, x: Any, emb: Any, context: Any, options: Any, *more: Any) -> Any:
        seen.append((options["block"], len(more)))
        return layer(x) * 1.5

    model.set_model_forward_timestep_embed_patch((type(block[0]), handle))
    assert differ(sampled(loaded, model), sampled(loaded, loaded.model)) > 1e-3
    assert seen == [(("input", 0), 4)] * 2


def test_attention_is_the_function_that_its_module_has(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("comfy.ldm.modules.attention")
    plain, calls = sampled(loaded, loaded.model), []

    def mine(q: Any, k: Any, v: Any, heads: int, mask: Any = None, **named: Any) -> Any:
        calls.append((heads, "transformer_options" in named))
        return module.attention_pytorch(q, k, v, heads, mask) * 0.5

    with monkeypatch.context() as patch:
        patch.setattr(module, "optimized_attention", mine)
        assert differ(sampled(loaded, loaded.model), plain) > 1e-3
    assert len(calls) == 2 * 2 * 4 and all(told for _, told in calls)
    assert differ(sampled(loaded, loaded.model), plain) == 0


def test_options_may_override_attention(loaded: Any) -> None:
    model, calls = loaded.model.clone(), []

    def mine(own: Any, q: Any, k: Any, v: Any, heads: int, **named: Any) -> Any:
        calls.append(heads)
        return own(q, k, v, heads, **named) * 0.5

    model.model_options["transformer_options"]["optimized_attention_override"] = mine
    assert differ(sampled(loaded, model), sampled(loaded, loaded.model)) > 1e-3
    assert len(calls) == 2 * 2 * 4


def test_a_method_that_a_pack_puts_in_a_class_of_layers_acts_until_names_go(loaded: Any) -> None:
    blocks = importlib.import_module("comfy.ldm.modules.diffusionmodules.openaimodel")
    plain, own = sampled(loaded, loaded.model), blocks.ResBlock._forward
    with names_kept():
        blocks.ResBlock._forward = lambda self, x, emb: own(self, x, emb) * 1.1
        assert differ(sampled(loaded, loaded.model), plain) > 1e-3
    assert blocks.ResBlock._forward is own


def test_a_weight_patch_acts_beside_an_object_patch(loaded: Any) -> None:
    model = loaded.model.clone()
    name = "diffusion_model.input_blocks.0.0.weight"
    model.add_patches({name: (torch.ones(64, 4, 3, 3),)}, 0.1)
    one = sampled(loaded, model)
    model.add_object_patch(
        "diffusion_model.out.forward", scaled(model.get_model_object("diffusion_model.out.forward"))
    )
    assert differ(one, sampled(loaded, loaded.model)) > 1e-3 and differ(sampled(loaded, model), one) > 1e-3


def test_the_network_is_a_unet_of_the_published_kind(loaded: Any) -> None:
    blocks = importlib.import_module("comfy.ldm.modules.diffusionmodules.openaimodel")
    unet = loaded.model.model.diffusion_model
    assert isinstance(unet, blocks.UNetModel) and not isinstance(unet.out, blocks.UNetModel)
    assert isinstance(unet.input_blocks[0], blocks.TimestepEmbedSequential)
    assert isinstance(unet.output_blocks[1][1], blocks.Upsample) and isinstance(
        unet.input_blocks[1][0], blocks.ResBlock
    )
    assert conds(loaded.clip, "x")[0][0].shape[-1] == 64
