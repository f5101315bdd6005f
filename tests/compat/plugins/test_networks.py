"""Packs reach the attention of the embedded model: by hooks that ask again, by walking it, by its blocks."""

import importlib
from typing import Any

import pytest
import torch

from diffusion import unet
from tests.compat.plugins.packs import ANY, SHOW, TINY, Shelf, shown
from tests.compat.plugins.test_objects import conds, sampled

ATTENTIONS = [("input", 3), ("output", 2), ("output", 3), ("middle", 0)]
"""Where the embedded model has attention."""
PERTURBED = """
from comfy.model_patcher import set_model_options_patch_replace
from comfy.samplers import calc_cond_batch
class Perturbed:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",), "scale": ("FLOAT", {"default": 3.0})}}
    RETURN_TYPES = ("MODEL",)
    FUNCTION = "patch"
    def patch(self, model, scale):
        def away(args):
            options = set_model_options_patch_replace(
                args["model_options"].copy(), lambda q, k, v, extra, mask=None: v, "attn1", "middle", 0
            )
            (worse,) = calc_cond_batch(args["model"], [args["cond"]], args["input"], args["sigma"], options)
            return args["denoised"] + (args["cond_denoised"] - worse) * scale
        patched = model.clone()
        patched.set_model_sampler_post_cfg_function(away)
        return (patched,)
class Apart:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"a": ("LATENT",), "b": ("LATENT",)}}
    RETURN_TYPES = ("FLOAT",)
    FUNCTION = "measure"
    def measure(self, a, b):
        return (float((a["samples"] - b["samples"]).abs().max()),)
NODE_CLASS_MAPPINGS = {"Perturbed": Perturbed, "Apart": Apart, "Show": Show}
"""


def sampler(model: list[object]) -> dict[str, object]:
    inputs = {"model": model, "seed": 7, "steps": 3, "cfg": 6.0, "sampler_name": "euler", "denoise": 1.0}
    links = {"positive": ["text", 0], "negative": ["text", 0], "latent_image": ["empty", 0]}
    return {"class_type": "KSampler", "inputs": {**inputs, "scheduler": "normal", **links}}


def test_a_packs_perturbed_attention_guides_as_ours(shelf: Shelf) -> None:
    shelf.pack("pag", ANY + SHOW + PERTURBED)
    folder = shelf.home / "models" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "tiny.safetensors").symlink_to(TINY / "darkroom-tiny.safetensors")
    checkpoint: list[object] = ["model", 0]
    prompt = {
        "model": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "tiny.safetensors"}},
        "text": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["model", 1], "text": "a red circle"}},
        "empty": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "theirs": {"class_type": "Perturbed", "inputs": {"model": checkpoint, "scale": 30.0}},
        "ours": {"class_type": "PerturbedAttentionGuidance", "inputs": {"model": checkpoint, "scale": 30.0}},
        "plain": sampler(checkpoint),
        "by pack": sampler(["theirs", 0]),
        "by us": sampler(["ours", 0]),
        "same": {"class_type": "Apart", "inputs": {"a": ["by pack", 0], "b": ["by us", 0]}},
        "other": {"class_type": "Apart", "inputs": {"a": ["by pack", 0], "b": ["plain", 0]}},
        "0 same": {"class_type": "Show", "inputs": {"value": ["same", 0]}},
        "1 other": {"class_type": "Show", "inputs": {"value": ["other", 0]}},
    }
    same, other = sorted(map(float, shown(shelf.types(), prompt, shelf.home)))
    assert same < 1e-4 and other > 0.01


@pytest.mark.parametrize(("call", "block"), [(0, ("input", 3)), (2, ("middle", 0)), (6, ("output", 3))])
def test_attention_that_a_hook_replaces_when_it_asks_again_is_replaced(
    loaded: Any, call: int, block: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = importlib.import_module("comfy.samplers").calc_cond_batch
    replaced = importlib.import_module("comfy.model_patcher").set_model_options_patch_replace
    attend, found, calls = unet.attend, dict[str, Any](), []

    def counting(q: Any, k: Any, v: Any, heads: int, mask: Any = None) -> Any:
        calls.append(q)
        return v if len(calls) - 1 == call else attend(q, k, v, heads, mask)

    def hook(args: dict[str, Any]) -> Any:
        told = (args["model"], [args["cond"]], args["input"], args["sigma"])
        if not found:
            options = replaced(args["model_options"], lambda q, k, v, extra: v, "attn1", *block)
            found["plain"], found["hooked"] = args["cond_denoised"], ask(*told, options)[0]
            with monkeypatch.context() as patch:
                patch.setattr(unet, "attend", counting)
                found["direct"] = ask(*told, args["model_options"])[0]
        return args["denoised"]

    model = loaded.model.clone()
    model.set_model_sampler_post_cfg_function(hook)
    sampled(loaded, model)
    assert len(calls) == 2 * len(ATTENTIONS)
    torch.testing.assert_close(found["hooked"], found["direct"])
    assert (found["hooked"] - found["plain"]).abs().max() > 1e-3


def test_transformer_blocks_are_found_by_their_class_and_published_name(loaded: Any) -> None:
    attention = importlib.import_module("comfy.ldm.modules.attention")
    network = loaded.model.model.diffusion_model
    named = dict(network.named_modules())
    blocks = [name for name, module in named.items() if isinstance(module, attention.BasicTransformerBlock)]
    assert blocks == [
        "input_blocks.3.1.transformer_blocks.0",
        "middle_block.1.transformer_blocks.0",
        "output_blocks.2.1.transformer_blocks.0",
        "output_blocks.3.1.transformer_blocks.0",
    ]
    assert isinstance(named[blocks[0]].attn2, attention.CrossAttention)
    assert isinstance(network.input_blocks[3][1], attention.SpatialTransformer)
    assert network.middle_block[1].transformer_blocks[0] is named[blocks[1]]
    assert len(named) == len(set(named.values()))
    weights = {
        id(value) for module in named.values() for value in module._parameters.values() if value is not None
    }
    assert weights == {id(value) for value in network.parameters()}


def test_the_names_of_weights_stay_those_that_patches_use(loaded: Any) -> None:
    network = loaded.model.model.diffusion_model
    assert {name for name, _ in network.named_parameters()} == set(network.state_dict())


def test_text_attention_replaced_in_every_block_that_a_walk_finds_acts(loaded: Any) -> None:
    kind = importlib.import_module("comfy.ldm.modules.attention").BasicTransformerBlock
    model = loaded.model.clone()
    for name, module in model.model.diffusion_model.named_modules():
        if isinstance(module, kind):
            side, number = name.split(".")[:2]
            number = int(number) - (side == "middle_block")
            model.set_model_attn2_replace(
                lambda q, k, v, extra: torch.zeros_like(q), side.split("_")[0], number, 0
            )
    cond = conds(loaded.clip, "a red circle")
    other = conds(loaded.clip, "a blue square")
    x, sigma = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([4.0])

    def told(text: Any) -> Any:
        options = model.model_options["transformer_options"]
        return model.model.apply_model(x, sigma, c_crossattn=text[0][0], transformer_options=options)

    torch.testing.assert_close(told(cond), told(other), rtol=0, atol=0)


def test_the_forward_of_a_transformer_block_is_wrapped_by_an_object_patch(loaded: Any) -> None:
    model, seen = loaded.model.clone(), []
    name = "input_blocks.3.1.transformer_blocks.0"
    own = dict(model.model.diffusion_model.named_modules())[name].forward

    def forward(x: Any, context: Any = None, transformer_options: Any = None) -> Any:
        seen.append(transformer_options["block"])
        made = own(x, context=context, transformer_options=transformer_options)
        return made.flip(1) if model.model_options.get("flipped") else made

    plain = sampled(loaded, loaded.model)
    model.add_object_patch(f"diffusion_model.{name}.forward", forward)
    torch.testing.assert_close(sampled(loaded, model), plain)
    assert seen == [("input", 3)] * 2
    model.model_options["flipped"] = True
    assert not torch.allclose(sampled(loaded, model), plain, atol=1e-2)
    torch.testing.assert_close(sampled(loaded, loaded.model), plain)


def test_a_network_tells_the_torch_device_that_tensors_go_to(loaded: Any) -> None:
    assert torch.zeros(1).to(loaded.model.model.device, dtype=loaded.model.model.get_dtype()).numel() == 1


def test_the_classes_of_layers_can_be_made_and_subclassed(loaded: Any) -> None:
    attention = importlib.import_module("comfy.ldm.modules.attention")

    class Mine(attention.BasicTransformerBlock):
        """A pack's own."""

    block = loaded.model.model.diffusion_model.middle_block[1].transformer_blocks[0]
    assert not isinstance(block, Mine)
    mine = Mine(dim=96, n_heads=block.n_heads, d_head=block.d_head, context_dim=64)
    mine.load_state_dict(block.state_dict())
    x, text = torch.randn(1, 16, 96), torch.randn(1, 77, 64)
    torch.testing.assert_close(mine(x, text), block(x, text))


def test_a_network_that_was_made_before_packs_were_loaded_runs_the_same(loaded: Any) -> None:
    network = loaded.model.model
    unet, kind = network.diffusion_model, type(network.diffusion_model)
    given = torch.rand(1, 4, 8, 8), torch.tensor([500.0]), torch.rand(1, 77, unet.config.cross_attention_dim)
    with torch.no_grad():
        published = network.output(*given)
        unet.__class__ = kind.__base__
        try:
            assert torch.equal(network.output(*given), published)
        finally:
            unet.__class__ = kind
