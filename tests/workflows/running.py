"""Running shipped workflows in this process and looking at their pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import server
from tools.detect import detect

ROOT = Path(__file__).parents[2]
Picture = Any
"""(H, W, 3) uint8."""


@dataclass(frozen=True)
class Made:
    """What a run printed: its pictures in order, and any texts."""

    pictures: dict[str, Picture]
    texts: list[str]

    @property
    def first(self) -> Picture:
        return next(iter(self.pictures.values()))


Run = Callable[..., Made]


def runner(out: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a workflow by name or path: run("txt2img", "--set", "seed=3")."""

    def run(source: str | Path, *options: str) -> Made:
        path = source if isinstance(source, Path) else ROOT / "workflows" / f"{source}.json"
        capsys.readouterr()
        code = server.main(["run", str(path), "--out", str(out), "--no-cache", "--quiet", *options])
        said = capsys.readouterr()
        assert code == 0, said.err
        lines = said.out.splitlines()
        return Made(
            {Path(line).name: load(line) for line in lines if line.endswith(".png")},
            [line for line in lines if not line.endswith(".png")],
        )

    return run


def load(path: str | Path) -> Picture:
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def seen(picture: Picture) -> list[str]:
    """The shapes of a 128 × 128 picture, from left to right: "red circle"."""
    return [f"{found.colour} {found.shape}" for found in detect(picture)]


def apart(first: Picture, second: Picture) -> float:
    """The mean distance of two pictures of one size, in steps of 255."""
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


def mean_colour(picture: Picture, rows: slice, columns: slice) -> Sequence[float]:
    return picture[rows, columns].reshape(-1, 3).mean(0).tolist()
