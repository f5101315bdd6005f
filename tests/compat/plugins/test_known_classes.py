"""Classes that packs derive from or ask for: latent formats, guiders, noise levels."""

import importlib
from typing import Any

import pytest
import torch

from diffusion.guiders import perpendicular_negative
from diffusion.sampling import Guider, sampler_named
from tests.compat.plugins.packs import Shelf
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import conds


def module(name: str) -> Any:
    return importlib.import_module(name)


def test_a_latent_format_tells_the_colours_of_its_channels(loaded: Any) -> None:
    formats = module("comfy.latent_formats")
    latent = torch.ones(4)
    for kind, offset in ((formats.SD15(), None), (formats.SDXL(), 3)):
        colours = latent @ torch.tensor(kind.latent_rgb_factors)
        assert colours.shape == (3,)
        assert (
            kind.latent_rgb_factors_bias is None if offset is None else len(kind.latent_rgb_factors_bias) == 3
        )
    own = loaded.model.get_model_object("latent_format")
    assert isinstance(own, formats.SD15) and isinstance(own, formats.LatentFormat)
    assert not isinstance(own, formats.SDXL)
    assert own.latent_rgb_factors == formats.SD15().latent_rgb_factors
    assert (own.latent_dimensions, own.taesd_decoder_name) == (2, "taesd_decoder")


def test_a_preview_by_colours_is_the_channels_mixed(named: Shelf) -> None:
    made = module("latent_preview").Latent2RGBPreviewer
    latent = torch.stack([torch.full((2, 3), value) for value in (1.0, -1.0, 0.5)])[None]
    picture = made(torch.eye(3).tolist()).decode_latent_to_preview(latent)
    assert (picture.size, picture.getpixel((0, 0))) == ((3, 2), (255, 0, 191))
    lighter = made(torch.eye(3).tolist(), [0.0, 1.0, 0.0])
    kind, picture, side = lighter.decode_latent_to_preview_image("JPEG", latent)
    assert (kind, picture.getpixel((2, 1)), side) == ("JPEG", (255, 127, 191), 512)


def test_a_pack_may_derive_a_latent_format_of_its_own() -> None:
    formats = module("comfy.latent_formats")

    class Mine(formats.LatentFormat):
        """A pack's own."""

        latent_channels = 8

        def __init__(self) -> None:
            self.scale_factor = 0.5
            self.latent_rgb_factors = [[1.0, 0.0, 0.0]] * 8

    made = Mine()
    assert made.process_in(torch.tensor(4.0)) == 2.0 and made.process_out(torch.tensor(1.0)) == 2.0
    assert (made.latent_channels, len(made.latent_rgb_factors)) == (8, 8)
    assert formats.SD15(scale_factor=0.2).scale_factor == 0.2


def run(guider: Any) -> torch.Tensor:
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    sigmas = torch.tensor([8.0, 2.0, 0.0])
    return guider.sample(noise, torch.zeros(1, 4, 8, 8), sampler_named("euler"), sigmas)


def test_a_pack_may_derive_a_perpendicular_guider_whose_guidance_changes(loaded: Any) -> None:
    sides = [conds(loaded.clip, text) for text in ("a red circle", "a blue square", "")]

    class Falling(module("comfy_extras.nodes_perpneg").Guider_PerpNeg):
        """A pack's own."""

        def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
            self.cfg = float(timestep[0])
            return super().predict_noise(x, timestep, model_options, seed)

    def made(kind: Any) -> Any:
        guider = kind(loaded.model)
        guider.set_conds(*sides)
        guider.set_cfg(6.0, 0.7)
        return guider

    ours = Guider(loaded.model, perpendicular_negative(6.0, 0.7))
    ours.inner_set_conds({"positive": sides[0], "negative": sides[1], "empty_negative_prompt": sides[2]})
    plain = run(made(module("comfy_extras.nodes_perpneg").Guider_PerpNeg))
    assert differ(plain, run(ours)) < 1e-5
    assert differ(run(made(Falling)), plain) > 1e-3


def test_guiders_of_one_and_of_two_prompts_can_be_made(loaded: Any) -> None:
    made = module("comfy_extras.nodes_custom_sampler")
    sides = [conds(loaded.clip, text) for text in ("a red circle", "a blue square", "")]
    one, two, plain = made.Guider_Basic(loaded.model), made.Guider_DualCFG(loaded.model), Guider(loaded.model)
    one.set_conds(sides[0])
    two.set_conds(*sides)
    two.set_cfg(1.0, 1.0)
    plain.set_conds(sides[0])
    assert differ(run(one), run(plain)) == 0
    assert differ(run(two), run(plain)) < 1e-3


@pytest.mark.parametrize(
    ("said", "levels", "prediction"),
    [
        ("EPS", "ModelSamplingDiscrete", "EPS"),
        ("V_PREDICTION", "ModelSamplingDiscrete", "V_PREDICTION"),
        ("EDM", "ModelSamplingContinuousEDM", "EDM"),
        ("FLOW", "ModelSamplingDiscreteFlow", "CONST"),
        ("FLUX", "ModelSamplingFlux", "CONST"),
    ],
)
def test_what_a_network_puts_out_says_its_noise_levels(
    loaded: Any, said: str, levels: str, prediction: str
) -> None:
    base, kinds = module("comfy.model_base"), module("comfy.model_sampling")
    made = base.model_sampling(loaded.model.model.model_config, base.ModelType[said])
    assert isinstance(made, getattr(kinds, levels)) and isinstance(made, getattr(kinds, prediction))


def test_noise_levels_that_are_not_here_are_named(loaded: Any) -> None:
    base = module("comfy.model_base")
    with pytest.raises(RuntimeError, match=r"comfy\.model_sampling\.StableCascadeSampling"):
        base.model_sampling(loaded.model.model.model_config, base.ModelType.STABLE_CASCADE)
