"""Sampling taken apart makes what KSampler makes, and every part can be changed alone."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.sampling import Guider, noise_for
from nodes import custom_sampling as custom
from nodes import samplers, sigmas
from nodes.latent import empty_latent_image
from nodes.sampling import ksampler
from nodes.text import clip_text_encode
from tests.diffusion.published import REFINER, SD1, Sizes, save_checkpoint
from tests.diffusion.tiny_decoder import tiny
from tests.nodes.contexts import ToyContext, context_in

EMPTY = empty_latent_image(32, 32)


class Parts:
    """A small model of random values with three prompts, and a context."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        from diffusion.loading import load_checkpoint

        checkpoint = load_checkpoint(save_checkpoint(folder, sizes, "a.safetensors"))
        self.model: Any = checkpoint.model
        self.good, self.bad, self.none = (
            clip_text_encode(text, checkpoint.clip) for text in ("a red circle", "blurry", "")
        )
        self.levels = sigmas.basic_scheduler(self.model, scheduler="normal", steps=4)
        self.context: ToyContext = context_in(folder)

    def through(self, guider: Guider, sampler: str = "euler", **changes: Any) -> Tensor:
        """What SamplerCustomAdvanced makes with a guider."""
        inputs = {
            "noise": custom.random_noise(1),
            "guider": guider,
            "sampler": samplers.ksampler_select(sampler),
            "sigmas": self.levels,
            "latent_image": EMPTY,
            "context": self.context,
        }
        return custom.sampler_custom_advanced(**inputs | changes)[0]["samples"]

    def plain(self, sampler: str = "euler", cfg: float = 3.0) -> Tensor:
        """What KSampler makes."""
        return ksampler(
            self.model,
            seed=1,
            steps=4,
            cfg=cfg,
            sampler_name=sampler,
            scheduler="normal",
            positive=self.good,
            negative=self.bad,
            latent_image=EMPTY,
            context=self.context,
        )["samples"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("home"), SD1)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde", "euler_cfg_pp"])
def test_the_parts_together_make_what_ksampler_makes(parts: Parts, sampler: str) -> None:
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 3.0)
    assert torch.equal(parts.through(guider, sampler), parts.plain(sampler))


def test_sampler_custom_makes_the_same_and_tells_its_steps(parts: Parts) -> None:
    parts.context.steps.clear()
    made = custom.sampler_custom(
        parts.model,
        True,
        1,
        3.0,
        positive=parts.good,
        negative=parts.bad,
        sampler=samplers.ksampler_select("euler"),
        sigmas=parts.levels,
        latent_image=EMPTY,
        context=parts.context,
    )
    assert parts.context.steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert torch.equal(made.output["samples"], parts.plain())
    # The last step of Euler's method ends at the clean image it saw.
    torch.testing.assert_close(made.denoised_output["samples"], made.output["samples"])


def test_the_denoised_output_is_the_clean_image_that_the_last_step_saw(parts: Parts) -> None:
    high, _ = sigmas.split_sigmas(parts.levels, 1)
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 3.0)
    made = custom.sampler_custom_advanced(
        custom.random_noise(1), guider, samplers.ksampler_select("euler"), high, EMPTY, parts.context
    )
    start = noise_for(EMPTY["samples"], 1) * (1 + high[0] ** 2).sqrt()
    end, clean = (parts.model.model.process_latent_in(latent["samples"]) for latent in made)
    torch.testing.assert_close(end, clean + (start - clean) * high[1] / high[0], rtol=1e-4, atol=1e-4)


def test_split_levels_and_no_new_noise_go_on_where_the_first_part_ended(parts: Parts) -> None:
    high, low = sigmas.split_sigmas(parts.levels, 2)
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 3.0)
    half = {"samples": parts.through(guider, sigmas=high)}
    whole = parts.through(guider, sigmas=low, latent_image=half, noise=custom.disable_noise())
    torch.testing.assert_close(whole, parts.plain(), rtol=1e-4, atol=1e-4)


def test_one_level_adds_its_noise_and_none_changes_nothing(parts: Parts) -> None:
    guider = custom.basic_guider(parts.model, parts.good)
    start = {"samples": torch.ones(1, 4, 4, 4)}
    assert torch.equal(parts.through(guider, sigmas=torch.empty(0), latent_image=start), start["samples"])
    one = parts.through(guider, sigmas=torch.tensor([2.0]), latent_image=start)
    noise = noise_for(start["samples"], 1) * 2 / parts.model.model.latent_format.scale_factor
    torch.testing.assert_close(one, start["samples"] + noise)


def test_a_basic_guider_ignores_what_cfg_would_weigh(parts: Parts) -> None:
    made = parts.through(custom.basic_guider(parts.model, parts.good))
    torch.testing.assert_close(made, parts.plain(cfg=1.0))


def test_a_guider_is_asked_for_nothing_but_what_plugins_know(parts: Parts) -> None:
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 3.0)
    assert guider.model_patcher is parts.model
    assert guider.model_options["transformer_options"] == {}
    assert set(guider.original_conds) == {"positive", "negative"}
    noise = custom.random_noise(7)
    made = guider.sample(
        noise.generate_noise(EMPTY),
        EMPTY["samples"],
        samplers.ksampler_select("euler"),
        parts.levels,
        denoise_mask=None,
        callback=None,
        disable_pbar=True,
        seed=noise.seed,
    )
    assert torch.equal(made, parts.through(guider, noise=noise))


def clean(guider: Guider) -> Tensor:
    """A guider's clean image at one level."""
    from diffusion.conditions import Canvas, prepare

    x = noise_for(torch.zeros(1, 4, 4, 4), 3)
    guider.conds = prepare(guider.model_patcher, guider.original_conds, Canvas(x, torch.zeros_like(x)))
    with torch.no_grad():
        return guider(x, torch.tensor([2.0]))


def test_dual_guidance_adds_two_or_nests_them(parts: Parts) -> None:
    model, good, bad, none = parts.model, parts.good, parts.bad, parts.none
    one, two, zero = (clean(custom.basic_guider(model, c)) for c in (good, bad, none))
    regular = clean(custom.dual_cfg_guider(model, good, bad, none, 3.0, 2.0, style="regular"))
    torch.testing.assert_close(regular, zero + 2 * (two - zero) + 3 * (one - two), rtol=1e-3, atol=1e-4)
    nested = clean(custom.dual_cfg_guider(model, good, bad, none, 3.0, 2.0, style="nested"))
    torch.testing.assert_close(nested, zero + 2 * (two + 3 * (one - two) - zero), rtol=1e-3, atol=1e-4)


def test_dual_guidance_of_1_is_the_first_prompt_alone(parts: Parts) -> None:
    alone = clean(
        custom.dual_cfg_guider(parts.model, parts.good, parts.bad, parts.none, 1.0, 1.0, style="regular")
    )
    torch.testing.assert_close(alone, clean(custom.basic_guider(parts.model, parts.good)))


def test_perp_neg_takes_away_only_what_is_not_wanted(parts: Parts) -> None:
    model, good, none = parts.model, parts.good, parts.none
    one, zero = (clean(custom.basic_guider(model, c)) for c in (good, none))
    # A negative equal to the positive has nothing of its own, so nothing is taken away.
    same = clean(custom.perp_neg_guider(model, good, good, none, 3.0, 5.0))
    torch.testing.assert_close(same, zero + 3 * (one - zero), rtol=1e-3, atol=1e-4)
    pushed = clean(custom.perp_neg_guider(model, good, parts.bad, none, 3.0, 5.0)) - zero
    wanted = one - zero
    torch.testing.assert_close(
        (pushed * wanted).sum() / (wanted**2).sum(), torch.tensor(3.0), rtol=1e-3, atol=0
    )


def test_the_refiner_scores_the_middle_prompt_as_a_negative(tmp_path: Path) -> None:
    parts = Parts(tmp_path, REFINER)
    dual = custom.dual_cfg_guider(parts.model, parts.good, parts.bad, parts.bad, 3.0, 2.0, style="regular")
    clean(dual)
    scores = [dual.conds[side][0].vector for side in ("positive", "middle", "negative")]
    assert torch.equal(scores[1], scores[2])
    assert not torch.equal(scores[0], scores[2])


def test_noise_is_drawn_item_by_item_where_the_latent_says_so(parts: Parts) -> None:
    batch = {"samples": torch.zeros(2, 4, 4, 4), "batch_index": [2, 0]}
    noise = custom.random_noise(5)
    whole = noise.generate_noise({"samples": torch.zeros(3, 4, 4, 4)})
    assert noise.seed == 5
    assert torch.equal(noise.generate_noise(batch), whole[[2, 0]])
    assert not custom.disable_noise().generate_noise(batch).any()


def test_added_noise_is_what_the_levels_span(parts: Parts) -> None:
    start = {"samples": torch.ones(1, 4, 4, 4), "other": "kept"}
    made = custom.add_noise(parts.model, custom.random_noise(1), torch.tensor([5.0, 3.0, 2.0]), start)
    noise = noise_for(start["samples"], 1) * 3 / parts.model.model.latent_format.scale_factor
    torch.testing.assert_close(made["samples"], 1 + noise)
    assert made["other"] == "kept"
    assert custom.add_noise(parts.model, custom.random_noise(1), torch.empty(0), start) is start


def every_sampler(model: Any) -> dict[str, Any]:
    """Each sampler node's value with its default settings, and what it stands for."""
    return {
        "euler_ancestral": samplers.sampler_euler_ancestral(),
        "euler_ancestral_cfg_pp": samplers.sampler_euler_ancestral_cfg_pp(),
        "euler_cfg_pp": samplers.sampler_euler_cfg_pp("regular"),
        "lms": samplers.sampler_lms(),
        "dpmpp_3m_sde": samplers.sampler_dpmpp_3m_sde(noise_device="cpu"),
        "dpmpp_2m_sde": samplers.sampler_dpmpp_2m_sde("midpoint", noise_device="cpu"),
        "dpmpp_2m_sde_heun": samplers.sampler_dpmpp_2m_sde("heun", noise_device="cpu"),
        "dpmpp_sde": samplers.sampler_dpmpp_sde(noise_device="cpu"),
        "dpmpp_2s_ancestral": samplers.sampler_dpmpp_2s_ancestral(),
        "dpm_adaptive": samplers.sampler_dpm_adaptative(),
        "er_sde": samplers.sampler_er_sde("ER-SDE"),
        "sa_solver": samplers.sampler_sa_solver(model, use_pece=False, simple_order_2=False),
        "sa_solver_pece": samplers.sampler_sa_solver(model, use_pece=True, simple_order_2=False),
    }


def test_sampler_nodes_with_their_defaults_are_the_samplers_of_the_list(parts: Parts) -> None:
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 2.0)
    for name, sampler in every_sampler(parts.model).items():
        made = parts.through(guider, name)
        own = custom.sampler_custom_advanced(
            custom.random_noise(1), guider, sampler, parts.levels, EMPTY, parts.context
        )
        torch.testing.assert_close(own.output["samples"], made, msg=name)


def test_settings_of_samplers_count(parts: Parts) -> None:
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 2.0)

    def made(sampler: Any) -> Tensor:
        return custom.sampler_custom_advanced(
            custom.random_noise(1), guider, sampler, parts.levels, EMPTY, parts.context
        ).output["samples"]

    quiet = made(samplers.sampler_euler_ancestral(eta=0.0))
    torch.testing.assert_close(quiet, parts.through(guider, "euler"))
    ode = made(samplers.sampler_er_sde("ODE"))
    torch.testing.assert_close(ode, made(samplers.sampler_er_sde("Reverse-time SDE", eta=0.0)))
    assert not torch.allclose(ode, made(samplers.sampler_er_sde("Reverse-time SDE")))
    regular = made(samplers.sampler_euler_cfg_pp("regular"))
    assert not torch.allclose(regular, made(samplers.sampler_euler_cfg_pp("alternative")))
    assert not torch.allclose(made(samplers.sampler_lms(1)), made(samplers.sampler_lms(4)))


def test_lcm_upscale_grows_the_latent(parts: Parts) -> None:
    guider = custom.basic_guider(parts.model, parts.good)
    sampler = samplers.sampler_lcm_upscale(2.0, upscale_method="bislerp")
    made = custom.sampler_custom_advanced(
        custom.random_noise(1), guider, sampler, parts.levels, EMPTY, parts.context
    )
    assert made.output["samples"].shape == (1, 4, 8, 8)
    masked = EMPTY | {"noise_mask": torch.ones(1, 1, 4, 4)}
    with pytest.raises(Exception, match="noise mask cannot go with it"):
        custom.sampler_custom_advanced(
            custom.random_noise(1), guider, sampler, parts.levels, masked, parts.context
        )


def test_percentages_and_levels_are_of_the_model(parts: Parts) -> None:
    space = parts.model.sampling
    assert sigmas.sampling_percent_to_sigma(parts.model, 0.0) > 1e8
    assert sigmas.sampling_percent_to_sigma(parts.model, 1.0) == 0
    ends = [sigmas.sampling_percent_to_sigma(parts.model, p, True) for p in (0.0, 1.0)]
    assert ends == [float(space.sigma_max), float(space.sigma_min)]
    turbo = sigmas.sd_turbo_scheduler(parts.model, 2)
    torch.testing.assert_close(turbo, torch.tensor([float(space.sigmas[999]), float(space.sigmas[899]), 0.0]))
    late = sigmas.sd_turbo_scheduler(parts.model, 10, 0.3)
    assert len(late) == 4
    assert math.isclose(float(late[0]), float(space.sigmas[299]), rel_tol=1e-5)


def test_a_job_that_is_cancelled_stops_between_steps(parts: Parts) -> None:
    guider = custom.cfg_guider(parts.model, parts.good, parts.bad, 2.0)
    parts.context.cancelled = True
    try:
        with pytest.raises(InterruptedError):
            parts.through(guider)
    finally:
        parts.context.cancelled = False


def test_previews_are_as_large_as_the_picture_when_a_tiny_decoder_is_there(
    parts: Parts, tmp_path: Path
) -> None:
    context, sizes = context_in(tmp_path), list[tuple[int, int]]()
    context.progress = lambda done, total, preview=None: sizes.append(preview.size)
    guider = custom.basic_guider(parts.model, parts.good)
    parts.through(guider, sigmas=parts.levels[:2], context=context)
    folder = tmp_path / "vae_approx"
    save_file(tiny().state_dict(), folder / "taesd_decoder.safetensors", {"made": "by hand"})
    parts.through(guider, sigmas=parts.levels[:2], context=context)
    assert sizes == [(4, 4), (32, 32)]


def test_a_file_that_is_no_tiny_decoder_is_told_and_stops_nothing(parts: Parts, tmp_path: Path) -> None:
    context, said = context_in(tmp_path), list[str]()
    context.log = lambda message: said.append(message)
    save_file({"a": torch.zeros(1)}, context.job.files.folder("vae_approx") / "taesd_decoder.safetensors")
    parts.through(custom.basic_guider(parts.model, parts.good), context=context)
    assert [text for text in said if "no TAESD decoder" in text] == said
    assert len(said) == 1
