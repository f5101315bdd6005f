"""Noise levels from formulas and tables, and what may be done to them."""

import math

import pytest
import torch
from torch import Tensor

from diffusion import sigmas
from diffusion.families import FAMILIES
from diffusion.gits import LEVELS, STEPS
from diffusion.sampling_space import sampling_of
from diffusion.schedules import exponential_sigmas, karras_sigmas

SD1 = sampling_of(FAMILIES["sd1"])
LOW, HIGH = float(SD1.sigma_min), float(SD1.sigma_max)


def falls(levels: Tensor) -> bool:
    return bool((levels.diff() < 0).all())


def test_less_denoise_is_the_end_of_a_longer_schedule() -> None:
    whole = sigmas.basic(SD1, "karras", 20)
    assert torch.equal(sigmas.basic(SD1, "karras", 10, 0.5), whole[-11:])
    assert len(sigmas.basic(SD1, "karras", 10, 0.0)) == 0


def test_polyexponential_of_degree_1_is_exponential() -> None:
    torch.testing.assert_close(sigmas.polyexponential(9, LOW, HIGH), exponential_sigmas(9, LOW, HIGH))
    steep = sigmas.polyexponential(9, LOW, HIGH, 2.0)
    assert (steep[1:-2] < exponential_sigmas(9, LOW, HIGH)[1:-2]).all()


def test_laplace_is_symmetric_in_the_logarithm_and_ends_above_0() -> None:
    levels = sigmas.laplace(9, LOW, HIGH, 0.3, 0.5)
    assert len(levels) == 9
    assert float(levels[-1]) == pytest.approx(LOW)
    assert float(levels[4].log()) == pytest.approx(0.3, abs=1e-4)
    torch.testing.assert_close(levels[3].log() - 0.3, 0.3 - levels[5].log())


def test_variance_preserving_levels_follow_the_integral_of_beta() -> None:
    levels = sigmas.variance_preserving(10, 19.9, 0.1, 1e-3)
    assert float(levels[0]) == pytest.approx(math.sqrt(math.expm1(10.05)), rel=1e-5)
    assert float(levels[-2]) == pytest.approx(math.sqrt(math.expm1(19.9e-6 / 2 + 1e-4)), rel=1e-3)
    assert falls(levels)


def test_turbo_levels_are_every_hundredth_trained_one() -> None:
    assert torch.equal(sigmas.turbo(SD1, 1), torch.stack([SD1.sigma(torch.tensor(999)), torch.tensor(0.0)]))
    ten = sigmas.turbo(SD1, 10)
    assert torch.equal(sigmas.turbo(SD1, 10, 0.4), ten[-5:])
    assert torch.equal(sigmas.turbo(SD1, 2, 0.4), torch.cat([ten[6:8], torch.zeros(1)]))


@pytest.mark.parametrize("family", ["SD1", "SDXL", "SVD"])
def test_align_your_steps_gives_the_published_ten_and_others_between_them(family: str) -> None:
    ten = sigmas.align_your_steps(family, 10)
    assert ten[:-1].tolist() == pytest.approx(sigmas.ALIGN_YOUR_STEPS[family][:-1])
    assert float(ten[-1]) == 0
    twenty = sigmas.align_your_steps(family, 20)
    torch.testing.assert_close(twenty[:-1:2], ten[:-1])
    assert falls(twenty)
    assert torch.equal(sigmas.align_your_steps(family, 10, 0.3), ten[-4:])
    assert len(sigmas.align_your_steps(family, 10, 0.0)) == 0


def test_gits_tables_fall_and_have_a_row_for_2_to_20_steps() -> None:
    assert list(LEVELS) == sorted(LEVELS, reverse=True)
    assert len(STEPS) == 15
    for rows in STEPS.values():
        numbers = [[int(number) for number in row.split()] for row in rows]
        assert [len(row) for row in numbers] == list(range(1, 20))
        assert all(row == sorted(set(row)) and row[0] > 0 and row[-1] < len(LEVELS) - 1 for row in numbers)


def test_gits_levels_are_those_published() -> None:
    assert sigmas.gits(0.8, 2).tolist() == pytest.approx([14.61464119, 7.49001646, 0.0])
    assert sigmas.gits(1.2, 4)[:2].tolist() == pytest.approx([14.61464119, 2.36326075], rel=1e-6)
    assert torch.equal(sigmas.gits(1.2000001, 10), sigmas.gits(1.2, 10))
    twenty = sigmas.gits(1.2, 20)
    forty = sigmas.gits(1.2, 40)
    torch.testing.assert_close(forty[:-1:2], twenty[:-1])
    assert torch.equal(sigmas.gits(1.2, 10, 0.5), sigmas.gits(1.2, 10)[-6:])


def test_splitting_leaves_the_level_between_in_both_parts() -> None:
    levels = karras_sigmas(8, LOW, HIGH)
    high, low = sigmas.split(levels, 3)
    assert torch.equal(torch.cat([high, low[1:]]), levels)
    for share, steps in ((0.0, 0), (0.25, 2), (1.0, 8)):
        high, low = sigmas.split_share(levels, share)
        assert (len(high) - 1, len(low) - 1) == (8 - steps, steps)


def test_flipping_turns_the_order_and_lifts_0() -> None:
    levels = torch.tensor([2.0, 1.0, 0.0])
    assert sigmas.flip(levels).tolist() == pytest.approx([1e-4, 1.0, 2.0])
    assert levels.tolist() == [2.0, 1.0, 0.0]
    assert len(sigmas.flip(torch.empty(0))) == 0


def test_another_first_level_leaves_the_others_and_the_original() -> None:
    levels = torch.tensor([2.0, 1.0, 0.0])
    assert sigmas.with_first(levels, 5.0).tolist() == [5.0, 1.0, 0.0]
    assert levels.tolist() == [2.0, 1.0, 0.0]
    assert len(sigmas.with_first(torch.empty(0), 5.0)) == 0


@pytest.mark.parametrize(("spacing", "part"), [("linear", 0.5), ("cosine", 0.5**0.5), ("sine", 1 - 0.5**0.5)])
def test_steps_between_two_levels_are_divided(spacing: str, part: float) -> None:
    levels = torch.tensor([16.0, 8.0, 4.0, 0.0])
    made = sigmas.extended(levels, 2, 10.0, 6.0, spacing)
    assert made.tolist() == pytest.approx([16.0, 8.0, 8.0 - 4.0 * part, 4.0, 0.0])
    assert len(sigmas.extended(levels, 3, -1.0, 0.0, spacing)) == 10
    assert len(sigmas.extended(torch.empty(0), 2, -1.0, 0.0, spacing)) == 0
