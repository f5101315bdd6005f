"""Noise levels that packs put together of levels and a prediction, in the place of a model's own."""

import importlib
from typing import Any

import pytest
import torch

from diffusion.sampling_space import DiscreteSampling
from tests.compat.plugins.test_layers_changed import differ
from tests.compat.plugins.test_objects import sampled


def names() -> Any:
    return importlib.import_module("comfy.model_sampling")


def put_together(levels: str, prediction: str, config: Any = None) -> Any:
    kinds = names()
    return type("Advanced", (getattr(kinds, levels), getattr(kinds, prediction)), {})(config)


def test_levels_put_together_anew_sample_as_the_models_own(loaded: Any) -> None:
    model = loaded.model.clone()
    made = put_together("ModelSamplingDiscrete", "EPS", model.model.model_config)
    torch.testing.assert_close(made.sigmas, model.model.model_sampling.sigmas)
    model.add_object_patch("model_sampling", made)
    assert model.get_model_object("model_sampling") is made
    assert differ(sampled(loaded, model), sampled(loaded, loaded.model)) < 1e-4


@pytest.mark.parametrize("prediction", ["V_PREDICTION", "X0", "EDM"])
def test_another_prediction_acts_as_our_own_of_that_name(loaded: Any, prediction: str) -> None:
    theirs, ours = loaded.model.clone(), loaded.model.clone()
    theirs.add_object_patch("model_sampling", put_together("ModelSamplingDiscrete", prediction))
    said = {"V_PREDICTION": "v_prediction", "X0": "x0", "EDM": "edm"}[prediction]
    ours.add_object_patch("model_sampling", DiscreteSampling(loaded.model.model.model_sampling.sigmas, said))
    made = sampled(loaded, theirs)
    torch.testing.assert_close(made, sampled(loaded, ours), atol=1e-3, rtol=1e-3)
    assert differ(made, sampled(loaded, loaded.model)) > 1e-2


def test_a_pack_may_replace_the_levels_and_the_prediction(loaded: Any) -> None:
    model, kinds = loaded.model.clone(), names()

    class Half(kinds.ModelSamplingDiscrete, kinds.EPS):
        """A pack's own prediction."""

        def calculate_denoised(self, sigma: Any, model_output: Any, model_input: Any) -> Any:
            return super().calculate_denoised(sigma, model_output, model_input) * 0.5

    made = Half(zsnr=True)
    assert float(made.sigma_max) > 4000
    made.set_sigmas(torch.linspace(0.1, 20.0, 50))
    assert made.timestep(torch.tensor([0.1, 20.0])).tolist() == [0, 49]
    model.add_object_patch("model_sampling", made)
    assert differ(sampled(loaded, model), sampled(loaded, loaded.model)) > 1e-2


def test_flows_and_ranges_say_the_level_of_a_time_and_back() -> None:
    flow = put_together("ModelSamplingDiscreteFlow", "CONST")
    flow.set_parameters(shift=3.0)
    assert float(flow.sigma(flow.timestep(torch.tensor(0.5)) / 2)) == pytest.approx(0.5)
    assert flow.percent_to_sigma(0.5) == pytest.approx(0.75)
    flux = put_together("ModelSamplingFlux", "CONST")
    assert len(flux.sigmas) == 10000 and float(flux.sigma_max) == pytest.approx(1.0)
    x, noise = torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)
    half = flow.noise_scaling(torch.tensor([0.5]), noise, x)
    assert half.flatten().tolist() == [2.0] * 4
    assert flow.inverse_noise_scaling(torch.tensor([0.5]), half).flatten().tolist() == [4.0] * 4
    wide = put_together("ModelSamplingContinuousEDM", "EDM")
    wide.set_parameters(0.1, 10.0, 0.5)
    assert float(wide.sigma(wide.timestep(torch.tensor(2.0)))) == pytest.approx(2.0)
    assert wide.percent_to_sigma(0.5) == pytest.approx(1.0)


def test_a_models_own_levels_are_of_the_classes_that_packs_ask_for(loaded: Any) -> None:
    kinds, own = names(), loaded.model.model.model_sampling
    assert isinstance(own, kinds.ModelSamplingDiscrete) and isinstance(own, kinds.EPS)
    assert not isinstance(own, kinds.V_PREDICTION) and not isinstance(own, kinds.ModelSamplingFlux)
    assert isinstance(put_together("ModelSamplingDiscrete", "V_PREDICTION"), kinds.EPS)
