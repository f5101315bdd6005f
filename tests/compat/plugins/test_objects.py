"""MODEL, CLIP and VAE answer to the names that packs call, on the embedded model."""

import importlib
from typing import Any

import torch

from diffusion.sampling import Guider, sampler_named


def conds(clip: Any, text: str) -> Any:
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def sampled(loaded: Any, model: Any) -> Any:
    guider = Guider(model)
    guider.set_conds(conds(loaded.clip, "a red circle"), conds(loaded.clip, ""))
    guider.set_cfg(4.0)
    sigmas = torch.tensor([8.0, 2.0, 0.0])
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    return guider.sample(noise, torch.zeros(1, 4, 8, 8), sampler_named("euler"), sigmas)


def test_weights_have_their_published_names_and_merge_by_them(loaded: Any) -> None:
    model = loaded.model
    patches = model.get_key_patches("diffusion_model.input_blocks.")
    assert patches and all(name.startswith("diffusion_model.input_blocks.") for name in patches)
    assert patches.keys() <= model.model_state_dict().keys()
    same = model.clone()
    assert set(same.add_patches(patches, 0.5, 0.5)) == patches.keys()
    torch.testing.assert_close(sampled(loaded, same), sampled(loaded, model), atol=1e-3, rtol=1e-3)
    other = model.clone()
    name = next(iter(patches))
    other.add_patches({name: ("diff", (torch.ones_like(patches[name][0][0]),))})
    assert not torch.allclose(sampled(loaded, other), sampled(loaded, model), atol=1e-3)


def test_what_packs_hang_on_a_model_stays_with_its_clones_alone(loaded: Any) -> None:
    model = loaded.model.clone()
    model.set_attachments("mine", 7)
    clone = model.clone()
    clone.set_attachments("mine", 8)
    clone.set_injections("mine", ["x"])
    assert (model.get_attachment("mine"), clone.get_attachment("mine")) == (7, 8)
    assert (model.get_injections("mine"), clone.get_injections("mine")) == (None, ["x"])
    assert loaded.model.get_attachment("mine") is None


def test_wrappers_act_until_they_are_removed(loaded: Any) -> None:
    kinds = importlib.import_module("comfy.patcher_extension").WrappersMP
    model, calls = loaded.model.clone(), []

    def wrapper(executor: Any, *values: Any, **named: Any) -> Any:
        calls.append(executor.class_obj)
        return executor(*values, **named)

    model.add_wrapper_with_key(kinds.DIFFUSION_MODEL, "mine", wrapper)
    assert model.get_wrappers(kinds.DIFFUSION_MODEL, "mine") == [wrapper]
    sampled(loaded, model)
    assert len(calls) == 2
    model.remove_wrappers_with_key(kinds.DIFFUSION_MODEL, "mine")
    sampled(loaded, model)
    assert len(calls) == 2


def test_a_hook_may_ask_the_network_again(loaded: Any) -> None:
    samplers = importlib.import_module("comfy.samplers")
    model, shapes = loaded.model.clone(), []

    def again(args: dict[str, Any]) -> Any:
        (found,) = samplers.calc_cond_batch(
            args["model"], [args["cond"]], args["input"], args["sigma"], args["model_options"]
        )
        shapes.append(tuple(found.shape))
        torch.testing.assert_close(found, args["cond_denoised"], atol=1e-3, rtol=1e-3)
        return args["denoised"]

    model.set_model_sampler_post_cfg_function(again)
    sampled(loaded, model)
    assert shapes == [(1, 4, 8, 8)] * 2


def test_a_network_tells_its_kind_and_runs(loaded: Any) -> None:
    base = importlib.import_module("comfy.model_base")
    network = loaded.model.model
    assert isinstance(network, base.BaseModel) and not isinstance(network, base.SDXL)
    assert network.model_type is base.ModelType.EPS
    assert network.model_config.unet_config["context_dim"] == network.layout.context
    text = conds(loaded.clip, "a red circle")[0][0]
    made = network.apply_model(torch.randn(1, 4, 8, 8), torch.tensor([1.0]), c_crossattn=text)
    assert made.shape == (1, 4, 8, 8)


def test_a_clip_tells_of_its_parts(loaded: Any) -> None:
    clip = loaded.clip.clone()
    name = f"clip_{clip.encoders[0].tower.name}"
    tokens = clip.tokenize("a red circle")
    part = getattr(clip.cond_stage_model, name)
    vectors, _ = part.encode_token_weights(tokens[clip.encoders[0].tower.name])
    torch.testing.assert_close(vectors, clip.encode_from_tokens(tokens))
    assert clip.tokenizer.tokenize_with_weights("a red circle") == tokens
    own = getattr(clip.tokenizer, name)
    assert own.tokenize_with_weights("a red circle") == tokens[clip.encoders[0].tower.name]
    assert own.end_token == 49407
    assert clip.tokenizer.end_token == 49407 and clip.patcher.load_device == clip.encoders[0].device.device
    patches = clip.get_key_patches()
    assert set(clip.add_patches(patches, 0.5, 0.5)) == patches.keys()


def test_a_vae_can_be_made_of_its_weights(loaded: Any) -> None:
    sd = importlib.import_module("comfy.sd")
    assert isinstance(loaded.vae, sd.VAE)
    pixels = loaded.vae.vae_encode_crop_pixels(torch.rand(1, 65, 70, 3))
    assert pixels.shape == (1, 64, 64, 3)
    loaded.vae.throw_exception_if_invalid()
    assert loaded.vae.get_sd()
