"""The scenes that the tiny model learns from: what is drawn, what is said, and what is kept back."""

from random import Random

import numpy as np

from diffusion.tokenizer import tokenize
from tools.detect import shows_all
from tools.scenes import (
    COLOURS,
    PLACES,
    SHAPES,
    Item,
    Scene,
    caption,
    draw_scene,
    has_held,
    held_scenes,
    is_held,
    plain_caption,
    render,
    words,
)


def test_held_compositions_never_occur_in_training() -> None:
    random = Random(1)
    drawn = [item for _ in range(3000) for item in draw_scene(random).items]
    assert not [item for item in drawn if is_held(item.colour, item.shape, item.place)]


def test_every_coloured_shape_is_learned_in_at_least_four_places() -> None:
    held = {(c, s): [p for p in PLACES if is_held(c, s, p)] for c in COLOURS for s in SHAPES}
    assert max(len(places) for places in held.values()) == 1
    assert sum(len(places) for places in held.values()) >= 12


def test_held_scenes_are_the_same_each_time_and_all_different() -> None:
    scenes = held_scenes(60)
    assert scenes == held_scenes(60)
    assert len({plain_caption(scene) for scene in scenes}) == 60
    assert all(has_held(scene) for scene in scenes)


def test_a_plain_caption_says_shapes_colours_sizes_relation_and_background() -> None:
    green = Item("triangle", "green", "small", "left", 32, 64, 14, (40, 180, 60))
    yellow = Item("circle", "yellow", "large", "right", 96, 64, 25, (240, 220, 40))
    said = "a small green triangle left of a large yellow circle on a dark background"
    assert plain_caption(Scene((green, yellow), "dark", 32)) == said
    assert (
        plain_caption(Scene((yellow,), "gray", 128))
        == "a large yellow circle on the right on a gray background"
    )


def test_a_caption_uses_listed_words_only() -> None:
    random, known = Random(2), set(words())
    for _ in range(500):
        assert set(caption(draw_scene(random), random).replace(",", " ,").split()) <= known


def test_words_keep_their_tokens_in_any_caption() -> None:
    random, known = Random(3), {token for word in words() for token in tokenize(word)}
    for _ in range(200):
        assert set(tokenize(caption(draw_scene(random), random))) <= known


def test_both_shapes_of_a_scene_stay_apart_and_inside() -> None:
    random = Random(4)
    for _ in range(100):
        scene = draw_scene(random)
        picture = render(scene).astype(int)
        coloured = picture.max(2) - picture.min(2) > 70
        assert not (coloured[0].any() or coloured[-1].any() or coloured[:, 0].any() or coloured[:, -1].any())
        assert shows_all(picture.astype(np.uint8), scene)
