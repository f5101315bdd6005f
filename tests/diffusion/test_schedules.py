"""Schedules against recorded sigmas."""

import json
from pathlib import Path

import pytest
import torch

from diffusion.errors import DiffusionError
from diffusion.families import FAMILIES
from diffusion.sampling_space import sampling_of
from diffusion.schedules import SCHEDULES, beta_quantile, sigmas_for

RECORDED = json.loads((Path(__file__).parent / "data" / "sigmas.json").read_text())
SPACE = sampling_of(FAMILIES["sd1"])


@pytest.mark.parametrize("case", RECORDED)
def test_a_schedule_gives_the_recorded_sigmas(case: str) -> None:
    schedule, steps = case.split("/")
    recorded = torch.tensor(RECORDED[case])
    torch.testing.assert_close(sigmas_for(schedule, int(steps), SPACE), recorded, rtol=1e-5, atol=0)


def test_every_schedule_was_recorded_too() -> None:
    assert {case.split("/")[0] for case in RECORDED} == set(SCHEDULES)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 50, 999])
def test_any_number_of_steps_gives_falling_sigmas_that_end_in_zero(schedule: str, steps: int) -> None:
    sigmas = sigmas_for(schedule, steps, SPACE)
    assert sigmas[-1] == 0
    assert sigmas.isfinite().all()
    assert (sigmas.diff() <= 0).all()


def test_an_unknown_schedule_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DiffusionError, match=r"no schedule 'karas'.*karras"):
        sigmas_for("karas", 4, SPACE)


def test_a_beta_quantile_undoes_the_distribution() -> None:
    assert beta_quantile(0.5, 0.6, 0.6) == pytest.approx(0.5)
    assert beta_quantile(0.3, 1.0, 1.0) == pytest.approx(0.3)
    assert beta_quantile(0.36, 2.0, 1.0) == pytest.approx(0.6)
