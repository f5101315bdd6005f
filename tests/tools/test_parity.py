"""The comparison with recorded results: its rows, its tolerances, a case from file to row."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from host.folders import SOURCES
from tools import parity

LATENT = np.ones((1, 4, 4, 4), np.float32)
PROMPT = {
    "1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 32, "batch_size": 1}},
    "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "made"}},
}


@pytest.fixture(autouse=True)
def _precision_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PRECISION", "fp32")


def setting(folder: Path, **recorded: np.ndarray) -> parity.Setting:
    """A setting whose reference holds what is recorded, with __ for the slash."""
    save_file({key.replace("__", "/"): value for key, value in recorded.items()}, folder / "reference.st")
    return parity.Setting(folder / "reference.st", SOURCES / "models", folder, folder / "hashes", "fp32")


@pytest.mark.parametrize(("change", "passes"), [(2e-4, True), (4e-4, False)])
def test_latents_may_differ_by_a_part_of_their_largest_value(change: float, passes: bool) -> None:
    made = {"latent0": LATENT * (1 + np.float32(change))}
    assert parity.compared(made, {"latent0": LATENT})[0] is passes


def test_pictures_may_differ_in_the_mean() -> None:
    wanted = np.full((8, 8, 3), 100, np.float32)
    near, far = wanted.copy(), wanted + 1
    near[0] += 4
    assert parity.compared({"image0": near}, {"image0": wanted})[0]
    assert not parity.compared({"image0": far}, {"image0": wanted})[0]


def test_what_is_missing_or_of_another_size_fails_with_the_reason() -> None:
    passed, facts = parity.compared({"latent0": LATENT[..., :2]}, {"latent0": LATENT, "image0": LATENT})
    assert not passed
    assert "image0 missing" in facts and "latent0 (1, 4, 4, 2)" in facts
    assert parity.compared({"latent0": LATENT}, {}) == (False, "nothing is recorded for it")


def test_a_case_runs_from_its_file_to_its_row(tmp_path: Path) -> None:
    case = tmp_path / "empty.json"
    case.write_text(json.dumps(PROMPT), "utf-8")
    row = parity.run_case(case, setting(tmp_path, empty__latent0=np.zeros((1, 4, 4, 8), np.float32)))
    assert row.passed, row.facts
    assert row.line().startswith("PASS  empty")
    assert row.peak > 2**20


def test_a_case_that_cannot_run_is_a_row_that_says_why(tmp_path: Path) -> None:
    case = tmp_path / "broken.json"
    case.write_text(json.dumps(PROMPT | {"1": {"class_type": "Nowhere", "inputs": {}}}), "utf-8")
    row = parity.run_case(case, setting(tmp_path, broken__latent0=LATENT))
    assert not row.passed
    assert "Nowhere" in row.facts


def test_an_unknown_name_is_refused_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("{}", "utf-8")
    with pytest.raises(SystemExit, match=r"has no case two\. It has one"):
        parity.chosen(tmp_path, ["two"], [])


def test_the_pictures_that_cases_load_are_drawn(tmp_path: Path) -> None:
    from PIL import Image

    parity.draw_inputs(tmp_path)
    with (
        Image.open(tmp_path / "parity_photo.png") as photo,
        Image.open(tmp_path / "parity_masked.png") as hole,
    ):
        assert (photo.size, photo.mode, hole.mode) == ((256, 192), "RGB", "RGBA")
        assert hole.getpixel((128, 96))[3] == 0  # type: ignore[index]
        assert hole.getpixel((10, 10))[3] == 255  # type: ignore[index]
