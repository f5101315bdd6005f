"""Every shipped workflow does what it is there to show."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workflows.running import ROOT, Picture, Run, apart, load, runner, seen
from tools.detect import fits

PATCH = np.s_[32:96, 64:128]
"""Where the inpainting workflows paint: rows and columns."""

YELLOW_AND_BLUE = "a large yellow circle right of a small blue square on a dark background"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("DARKROOM_HOME", str(ROOT))
    yield runner(tmp_path, capsys)


def scene() -> Picture:
    return load(ROOT / "input" / "darkroom-scene.png")


def outside(picture: Picture) -> Picture:
    """A picture with the patch taken out."""
    kept = picture.copy()
    kept[PATCH] = 0
    return kept


def test_img2img_keeps_more_of_its_source_at_a_lower_denoise(run: Run) -> None:
    little, much = (run("img2img", "--set", f"denoise={value}").first for value in (0.3, 0.9))
    assert apart(little, scene()) < 0.6 * apart(much, scene())


def test_the_hires_fix_makes_one_larger_picture_of_the_same_thing(run: Run) -> None:
    made = run("hires").first
    assert made.shape == (192, 192, 3)
    small = np.array(Image.fromarray(made).resize((128, 128)))
    assert len(seen(small)) == 1


@pytest.mark.parametrize("name", ["inpaint-noise-mask", "inpaint-crop"])
def test_inpainting_changes_the_masked_part_and_no_pixel_of_the_rest(name: str, run: Run) -> None:
    made = run(name).first
    assert np.array_equal(outside(made), outside(scene()))
    assert seen(scene()) == ["blue circle", "yellow square"]
    assert seen(made) == ["blue circle", "red triangle"]


@pytest.mark.parametrize("name", ["inpaint-erase", "inpaint-soft"])
def test_inpainting_in_latents_changes_the_masked_part_and_little_else(name: str, run: Run) -> None:
    made = run(name).first
    assert seen(made) == ["blue circle", "red triangle"]
    assert apart(outside(made), outside(scene())) < 4


def test_a_soft_mask_is_followed_in_time_not_cut_at_its_edge(run: Run) -> None:
    hard = run("inpaint-soft", "--set", "blurred.sigma=0.1", "--set", "blurred.blur_radius=1").first
    assert apart(hard, run("inpaint-soft").first) > 0.1


def test_outpainting_adds_room_and_keeps_the_picture(run: Run) -> None:
    made = run("outpaint").first
    assert made.shape == (128, 192, 3)
    assert apart(made[:, :100], scene()[:, :100]) < 5
    assert apart(made[:, 136:], np.full((128, 56, 3), 127)) > 20


def test_each_area_holds_what_its_own_prompt_says(run: Run) -> None:
    made = run("area-composition").first
    assert made.shape == (128, 256, 3)
    assert seen(made[:, :128]) == ["red circle"]
    assert seen(made[:, 128:]) == ["blue triangle"]


def test_a_scheduled_prompt_keeps_the_place_and_changes_the_colour(run: Run) -> None:
    plain = "a large {} circle on the left on a light background"
    red, purple = (
        run("prompt-scheduling", "--prompt", plain.format(word)).first for word in ("red", "purple")
    )
    both = run("prompt-scheduling").first
    assert (seen(red), seen(purple), seen(both)) == (["red circle"], ["purple circle"], ["purple circle"])
    assert apart(both, purple) > 0


def test_a_sweep_makes_every_combination_and_a_labelled_grid(run: Run) -> None:
    made = run("sweep").pictures
    assert len(made) == 7
    pictures = list(made.values())
    assert all(seen(picture) == ["red circle"] for picture in pictures[:3])
    assert all(set(seen(picture)) == {"blue square", "green triangle"} for picture in pictures[3:6])
    grid = made["sweep-grid_00001_.png"]
    right = grid[-128:, -128:]
    assert np.array_equal(right, pictures[5])
    assert grid[:20].min() < 100, "the columns have labels"


def test_every_picture_of_a_folder_comes_out(run: Run) -> None:
    made = run("batch-over-folder").pictures
    sources = sorted((ROOT / "input" / "darkroom-scenes").glob("*.png"))
    assert len(made) == len(sources) + 1 == 4
    for source, picture in zip(sources, list(made.values())[:3], strict=True):
        assert apart(load(source), picture) > 0
    assert made["batch-sheet_00001_.png"].shape[0] > 2 * 128


def test_the_loop_runs_as_often_as_it_is_told(run: Run) -> None:
    once = run("loop", "--set", "rounds=1")
    thrice = run("loop")
    assert (once.texts, thrice.texts) == (["1"], ["3"])
    assert apart(once.first, thrice.first) > 1
    assert seen(thrice.first) == ["red triangle"]


def test_custom_sampling_is_the_plain_sampler_in_parts(run: Run, tmp_path: Path) -> None:
    parts = run("custom-sampling").first
    whole = run("txt2img", "--prompt", YELLOW_AND_BLUE, "--set", "seed=7", "--set", "cfg=5")
    with Image.open(tmp_path / next(iter(whole.pictures))) as picture:
        assert picture.size == (128, 128)
    assert np.array_equal(parts, whole.first)


def test_the_base_of_sdxl_draws_its_prompt(run: Run) -> None:
    assert set(seen(run("sdxl-base").first)) == {"red circle", "blue square"}


def test_the_refiners_steps_make_truer_shapes_than_one_leap_to_the_end(run: Run) -> None:
    leapt = run("sdxl-refiner", "--set", "second.steps=17", "--set", "second.cfg=1").first
    refined = run("sdxl-refiner").first
    assert set(seen(refined)) == {"purple triangle", "yellow circle"}
    assert np.mean(fits(refined)) > np.mean(fits(leapt))


def test_the_lora_turns_day_to_night_only_as_strongly_as_asked(run: Run) -> None:
    none, half, full = (run("lora", "--set", f"style.strength_model={value}").first for value in (0, 0.5, 1))
    shades = [float(np.median(picture)) for picture in (none, half, full)]
    assert shades[0] > 190 > shades[1] > shades[2] and shades[2] < 60


def test_the_embedding_draws_what_its_word_stands_for(run: Run) -> None:
    assert sorted(seen(run("embedding").first)) == ["green triangle", "red square"]
    unknown = "a word on a light background"
    assert sorted(seen(run("embedding", "--prompt", unknown).first)) != ["green triangle", "red square"]


def test_the_controlnet_puts_shapes_where_the_edges_are(run: Run) -> None:
    wanted = np.ptp(scene().astype(int), axis=2) > 70
    shares = list[float]()
    for strength in (0.0, 1.0):
        made = np.ptp(run("controlnet", "--set", f"strength={strength}").first.astype(int), axis=2) > 70
        shares.append(float((made & wanted).sum() / (made | wanted).sum()))
    assert shares[1] > 0.6 and shares[1] > shares[0] + 0.2


def test_the_upscaler_doubles_a_picture_and_keeps_what_it_shows(run: Run) -> None:
    small = run("txt2img", "--prompt", YELLOW_AND_BLUE, "--set", "seed=7", "--set", "cfg=5").first
    large = run("upscale").first
    assert large.shape == (256, 256, 3)
    halved = np.array(Image.fromarray(large).resize((128, 128), Image.Resampling.BOX))
    assert apart(halved, small) < 4
