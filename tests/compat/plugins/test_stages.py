"""The stages of a run for packs: callbacks, injections, further models, wrappers, guiders of their own."""

import importlib
from typing import Any

import pytest
import torch

from diffusion.sampling import sampler_named
from diffusion.values import Model
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import conds, sampled

NOISE = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
SIGMAS = torch.tensor([8.0, 2.0, 0.0])


def extension() -> Any:
    return importlib.import_module("comfy.patcher_extension")


def guided(loaded: Any, guider: Any) -> torch.Tensor:
    guider.set_conds(conds(loaded.clip, "a red circle"), conds(loaded.clip, ""))
    guider.set_cfg(4.0)
    return guider.sample(NOISE, torch.zeros(1, 4, 8, 8), sampler_named("euler"), SIGMAS)


def test_callbacks_are_called_at_their_stages_in_order(loaded: Any) -> None:
    model, heard = loaded.model.clone(), list[tuple[str, int]]()
    kinds = extension().CallbacksMP
    for kind in (kinds.ON_LOAD, kinds.ON_PRE_RUN, kinds.ON_PREPARE_STATE, kinds.ON_CLEANUP, kinds.ON_DETACH):
        model.add_callback_with_key(kind, "mine", lambda *told, k=kind: heard.append((k, len(told))))
    model.add_callback(kinds.ON_CLONE, lambda old, new: heard.append(("clone", old is not new)))
    clone = model.clone()
    sampled(loaded, clone)
    state = (kinds.ON_PREPARE_STATE, 2)
    assert heard == [
        ("clone", 1), (kinds.ON_LOAD, 5), (kinds.ON_PRE_RUN, 1), state, state,
        (kinds.ON_CLEANUP, 1), (kinds.ON_DETACH, 2),
    ]  # fmt: skip
    clone.remove_callbacks_with_key(kinds.ON_PRE_RUN, "mine")
    assert (
        clone.get_all_callbacks(kinds.ON_PRE_RUN) == []
        and len(model.get_all_callbacks(kinds.ON_PRE_RUN)) == 1
    )


def test_an_injection_is_in_the_network_during_the_run_alone(loaded: Any) -> None:
    model, heard = loaded.model.clone(), list[str]()
    layer = model.model.diffusion_model.input_blocks[3][0]

    def inject(patcher: Any) -> None:
        own = layer.forward
        layer.forward = lambda x, emb: own(x, emb) * 1.5
        heard.append("in" if patcher is model else "other")

    def eject(patcher: Any) -> None:
        del layer.forward
        heard.append("out")

    model.set_injections("mine", [extension().PatcherInjection(inject, eject)])
    model.add_callback(extension().CallbacksMP.ON_INJECT_MODEL, lambda patcher: heard.append("told"))
    plain = sampled(loaded, loaded.model)
    assert differ(sampled(loaded, model), plain) > 1e-3
    assert heard == ["in", "told", "out"] and not model.is_injected
    assert differ(sampled(loaded, loaded.model), plain) == 0


def test_models_that_a_model_brings_are_loaded_with_it(loaded: Any) -> None:
    model, second, third = loaded.model.clone(), loaded.model.clone(), loaded.model.clone()
    heard = list[Any]()
    third.add_callback("on_cleanup", lambda patcher: heard.append(patcher))
    second.add_patches({"diffusion_model.input_blocks.0.0.weight": (torch.ones(64, 4, 3, 3),)}, 0.1)
    second.set_additional_models("mine", [third, model])
    model.set_additional_models("mine", [second])
    assert model.get_nested_additional_models() == [second, third, model]
    model.set_additional_models("mine", [loaded.model.clone()])
    third.set_additional_models("mine", [])
    model.set_additional_models("mine", [third])
    assert model.clone().get_additional_models()[0] is not third
    sampled(loaded, model)
    assert heard == [third]


def test_an_attachment_makes_its_own_copy_for_a_clone(loaded: Any) -> None:
    class Held:
        """What a pack attaches."""

        def on_model_patcher_clone(self) -> str:
            return "copy"

    model = loaded.model.clone()
    model.set_attachments("mine", Held())
    assert model.clone().get_attachment("mine") == "copy"


STAGES = {
    "OUTER_SAMPLE": ("Guider", 8),
    "PREPARE_SAMPLING": ("NoneType", 3),
    "SAMPLER_SAMPLE": ("Sampler", 8),
    "PREDICT_NOISE": ("Guider", 4),
    "CALC_COND_BATCH": ("NoneType", 5),
    "APPLY_MODEL": ("Network", 6),
    "DIFFUSION_MODEL": ("UNet2DConditionModel", 6),
}
"""Kind of wrapper → whose stage it is, and with how many values by place it is called."""


@pytest.mark.parametrize("kind", STAGES)
def test_a_wrapper_of_each_kind_is_called_as_packs_know_it(loaded: Any, kind: str) -> None:
    model, heard = loaded.model.clone(), set[tuple[str, int]]()

    def wrapper(executor: Any, *values: Any, **named: Any) -> Any:
        heard.add((type(executor.class_obj).__name__, len(values)))
        made = executor(*values, **named)
        return made * 1.5 if isinstance(made, torch.Tensor) else made

    model.add_wrapper_with_key(getattr(extension().WrappersMP, kind), "mine", wrapper)
    made, plain = sampled(loaded, model), sampled(loaded, loaded.model)
    assert heard == {STAGES[kind]}
    assert (differ(made, plain) > 1e-3) == (kind not in ("PREPARE_SAMPLING", "CALC_COND_BATCH"))


def test_a_wrapper_added_to_a_guiders_model_later_acts(loaded: Any) -> None:
    guider, heard = importlib.import_module("comfy.samplers").CFGGuider(loaded.model.clone()), []
    guider.model_patcher.add_wrapper("outer_sample", lambda run, *told: heard.append(1) or run(*told))
    guided(loaded, guider)
    assert heard == [1] and "sample_sigmas" not in guider.model_options["transformer_options"]


def test_a_guider_of_a_pack_predicts_and_prepares_in_its_own_way(loaded: Any) -> None:
    samplers = importlib.import_module("comfy.samplers")
    helpers = importlib.import_module("comfy.sampler_helpers")
    seen = dict[str, Any]()

    class Own(samplers.CFGGuider):
        """As packs write it: its own sides, prediction and loading."""

        def set_conds(self, positive: Any, negative: Any) -> None:
            self.inner_set_conds({"positive": positive, "negative": negative, "third": negative})

        def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
            sides = [self.conds.get("third"), self.conds.get("positive")]
            far, near = samplers.calc_cond_batch(self.inner_model, sides, x, timestep, model_options)
            return samplers.cfg_function(self.inner_model, near, far, self.cfg, x, timestep, model_options)

        def outer_sample(
            self, noise: Any, latent_image: Any, sampler: Any, sigmas: Any, denoise_mask: Any = None,
            callback: Any = None, disable_pbar: bool = False, seed: Any = None,
        ) -> Any:  # fmt: skip
            told = (self.model_patcher, noise.shape, self.conds, self.model_options)
            self.inner_model, self.conds, self.loaded_models = helpers.prepare_sampling(*told)
            seen["text"] = self.conds["third"][0]["cross_attn"].shape
            self.model_patcher.pre_run()
            seen["current"] = self.inner_model.current_patcher
            device = self.model_patcher.load_device
            made = self.inner_sample(
                noise, latent_image, device, sampler, sigmas, denoise_mask, callback, disable_pbar, seed
            )
            self.model_patcher.cleanup()
            helpers.cleanup_models(self.conds, self.loaded_models)
            del self.inner_model
            return made

    own = Own(loaded.model.clone())
    assert differ(guided(loaded, own), guided(loaded, samplers.CFGGuider(loaded.model))) < 1e-5
    assert seen == {"text": (1, 77, 64), "current": own.model_patcher}
    assert own.model_patcher.model.current_patcher is None


def test_a_run_that_fails_leaves_the_network_as_it_was(loaded: Any) -> None:
    model = loaded.model.clone()
    plain = sampled(loaded, loaded.model)

    def failing(run: Any, *told: Any, **named: Any) -> Any:
        raise ValueError("no")

    weight = "diffusion_model.input_blocks.0.0.weight"
    model.add_patches({weight: (torch.ones(64, 4, 3, 3),)}, 0.1)
    model.add_wrapper("sampler_sample", failing)
    with pytest.raises(ValueError, match="no"):
        sampled(loaded, model)
    assert differ(sampled(loaded, loaded.model), plain) == 0
    assert loaded.model.model.current_patcher is None


def test_functions_in_options_are_found_as_wrappers_too(loaded: Any) -> None:
    names, model = extension(), loaded.model.clone()
    heard = list[str]()

    def wrapper(run: Any, *told: Any, **named: Any) -> Any:
        heard.append("mine")
        return run(*told, **named)

    options = model.model_options
    names.add_wrapper(names.WrappersMP.PREDICT_NOISE, wrapper, options, is_model_options=True)
    assert names.get_all_wrappers(names.WrappersMP.PREDICT_NOISE, options, is_model_options=True) == [wrapper]
    sampled(loaded, model)
    assert heard == ["mine"] * 2
    assert isinstance(model, Model)
