"""The detector that judges pictures: it must see what was drawn, and must not see what was not."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np

from tools.detect import background, components, detect, fits, shows, shows_all
from tools.scenes import Scene, draw_scene, render


def _scenes(count: int) -> list[Scene]:
    random = Random(11)
    return [draw_scene(random, held=number % 2 == 0) for number in range(count)]


def test_drawn_scenes_are_seen_whole() -> None:
    scenes = _scenes(100)
    assert sum(shows_all(render(scene), scene) for scene in scenes) >= 99


def test_another_scene_is_not_taken_for_the_one_asked() -> None:
    scenes = _scenes(60)
    wrong = [shows(render(one), other) for one, other in pairwise(scenes)]
    assert sum(wrong) <= 3


def test_a_changed_shape_or_colour_or_size_is_noticed() -> None:
    for scene in _scenes(20):
        first, *rest = scene.items
        turned = "circle" if first.shape == "square" else "square"
        tinted = "blue" if first.colour == "yellow" else "yellow"
        picture = render(scene)
        assert not shows(picture, replace(scene, items=(replace(first, shape=turned), *rest)))
        assert not shows(picture, replace(scene, items=(replace(first, colour=tinted), *rest)))
        grown = replace(first, size="large" if first.size == "small" else "small")
        assert not shows_all(picture, replace(scene, items=(grown, *rest)))


def test_a_blank_or_noisy_picture_shows_nothing() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert detect(np.full((128, 128, 3), 128, dtype=np.uint8)) == []
    assert not any(shows(noise, scene) for scene in _scenes(10))


def test_blurred_edges_do_not_hide_a_shape() -> None:
    for scene in _scenes(30):
        picture = render(scene).astype(float)
        for axis in (0, 1):
            picture = (np.roll(picture, 1, axis) + 2 * picture + np.roll(picture, -1, axis)) / 4
        assert shows(picture.astype(np.uint8), scene)


def test_the_background_is_told_by_its_corners() -> None:
    assert all(background(render(scene)) == scene.background for scene in _scenes(40))


def test_touching_corners_do_not_join_two_parts() -> None:
    mask = np.zeros((6, 6), dtype=bool)
    mask[0:2, 0:2] = mask[2:4, 2:4] = True
    assert [part.sum() for part in components(mask)] == [4, 4]


def test_a_rendered_shape_fits_better_than_one_with_a_piece_cut_off() -> None:
    scene = next(scene for scene in _scenes(40) if len(scene.items) == 1)
    picture, item = render(scene), scene.items[0]
    cut = picture.copy()
    cut[:, : round(item.x - item.radius / 3)] = picture[0, 0]
    assert fits(picture)[0] > 0.93 > 0.9 > fits(cut)[0]
