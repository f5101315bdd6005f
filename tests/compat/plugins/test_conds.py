"""Conditions as packs read, change and hand them back, and values of their own that reach the network."""

import importlib
from typing import Any

import torch

from diffusion.conditions import condition_of
from diffusion.sampling import Guider, sampler_named
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import conds, sampled
from tests.compat.plugins.test_stages import NOISE, SIGMAS


def test_a_hook_reads_a_condition_as_a_dict_and_asks_with_a_changed_copy(loaded: Any) -> None:
    samplers, model, seen = importlib.import_module("comfy.samplers"), loaded.model.clone(), dict[str, Any]()

    def hook(args: dict[str, Any]) -> Any:
        told = (args["input"], args["sigma"], args["model_options"])
        for side, other in (("cond", "uncond"), ("uncond", "cond")):
            (first,) = args[side]
            copy = first.copy()
            text = args[other][0]["model_conds"]["c_crossattn"].cond
            copy["model_conds"] = {
                **copy["model_conds"],
                "c_crossattn": first["model_conds"]["c_crossattn"]._copy_with(text),
            }
            seen[side] = samplers.calc_cond_batch(args["model"], [[copy]], *told)[0]
        assert "control" not in first and first["uuid"] == first.get("uuid") and first.get("area", 7) == 7
        assert differ(seen["cond"], args["uncond_denoised"]) < 1e-4
        assert differ(seen["uncond"], args["cond_denoised"]) < 1e-4
        return args["denoised"]

    model.set_model_sampler_post_cfg_function(hook)
    sampled(loaded, model)
    assert differ(seen["cond"], seen["uncond"]) > 1e-3


def test_a_wrapper_may_hand_on_conditions_with_an_area_strength_and_range(loaded: Any) -> None:
    model, weights = loaded.model.clone(), list[int]()

    def wrapper(run: Any, inner: Any, sides: Any, x: Any, sigma: Any, options: Any) -> Any:
        (positive,) = sides[0]
        cut = {**positive.copy(), "area": (8, 4, 0, 4), "strength": 0.5, "timestep_end": 3.0}
        made = run(inner, [[positive, cut], sides[1]], x, sigma, options)
        plain = run(inner, sides, x, sigma, options)
        weights.append(int((made[0] != plain[0]).any(dim=2).any(dim=1).sum()))
        return made

    model.add_wrapper("calc_cond_batch", wrapper)
    sampled(loaded, model)
    assert weights == [4, 0]


def given(loaded: Any, model: Any, **keys: Any) -> torch.Tensor:
    guider = Guider(model)
    guider.set_conds(
        [[text, {**own, **keys}] for text, own in conds(loaded.clip, "a red circle")], conds(loaded.clip, "")
    )
    guider.set_cfg(4.0)
    return guider.sample(NOISE, torch.zeros(1, 4, 8, 8), sampler_named("euler"), SIGMAS)


def test_a_value_of_a_packs_own_in_a_conditioning_reaches_the_network(loaded: Any) -> None:
    kinds, model = importlib.import_module("comfy.conds"), loaded.model.clone()
    seen = list[Any]()

    def wrapper(run: Any, *values: Any, **named: Any) -> Any:
        seen.append((values[0].shape[0], {name: value for name, value in named.items() if value is not None}))
        return run(*values, **named)

    model.add_wrapper("diffusion_model", wrapper)
    given(
        loaded,
        model,
        model_conds={"mine": kinds.CONDRegular(torch.tensor([[2.0]])), "flag": kinds.CONDConstant(5)},
    )
    assert [batch for batch, _ in seen] == [1, 1] * 2
    mine = [named for _, named in seen if named]
    assert len(mine) == 2 and all(float(named["mine"]) == 2.0 and named["flag"] == 5 for named in mine)


def test_a_replaced_extra_conds_tells_the_network_more(loaded: Any) -> None:
    kinds, model, asked = importlib.import_module("comfy.conds"), loaded.model.clone(), set[str]()
    seen = list[Any]()

    def extra_conds(**facts: Any) -> dict[str, Any]:
        asked.update(facts)
        return {"mine": kinds.CONDRegular(torch.full((1, 1), float(facts["prompt_type"] == "positive")))}

    def wrapper(run: Any, *values: Any, **named: Any) -> Any:
        seen.append(named["mine"].flatten().tolist())
        return run(*values, **named)

    model.add_object_patch("extra_conds", extra_conds)
    model.add_wrapper("diffusion_model", wrapper)
    sampled(loaded, model)
    assert seen == [[0.0, 1.0]] * 2
    assert asked >= {
        "noise",
        "device",
        "prompt_type",
        "cross_attn",
        "width",
        "height",
        "seed",
        "latent_image",
    }


def test_a_ready_condition_and_its_dict_say_the_same(loaded: Any) -> None:
    seen, model = list[Any](), loaded.model.clone()

    def hook(args: dict[str, Any]) -> Any:
        seen.append(args["conds"][0][0])
        return args["conds_out"]

    model.set_model_sampler_pre_cfg_function(hook)
    mask = torch.zeros(1, 8, 8)
    mask[:, :4] = 1
    given(loaded, model, mask=mask, mask_strength=0.5, start_percent=0.0, end_percent=0.9, strength=0.7)
    ready = seen[0]
    again = condition_of(dict(ready.items()))
    assert set(ready.keys()) == set(ready) and ready.get("cross_attn") is ready.text
    for name in ("text", "strength", "area", "start", "end"):
        assert getattr(again, name) is getattr(ready, name) or getattr(again, name) == getattr(ready, name)
    torch.testing.assert_close(again.mask, ready.mask)


def test_values_join_as_the_field_knows_them() -> None:
    kinds = importlib.import_module("compat.names.conds")
    short, long = kinds.CONDCrossAttn(torch.rand(1, 2, 3)), kinds.CONDCrossAttn(torch.rand(1, 4, 3))
    joined = short.concat([long])
    assert short.can_concat(long) and joined.shape == (2, 4, 3)
    torch.testing.assert_close(joined[0], torch.cat([short.cond[0]] * 2))
    assert not short.can_concat(kinds.CONDCrossAttn(torch.rand(1, 11, 3)))
    area = kinds.CONDNoiseShape(torch.arange(16.0).reshape(1, 1, 4, 4)).process_cond(2, area=(2, 1, 1, 3))
    assert area.cond.flatten().tolist() == [7.0, 11.0, 7.0, 11.0]
    listed = kinds.CONDList([torch.ones(1, 2)]).process_cond(3)
    assert listed.cond[0].shape == (3, 2) and listed.concat([listed])[0].shape == (6, 2)
