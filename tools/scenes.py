"""Scenes of coloured shapes with captions: what the embedded models learn from, and what their test asks for.

A scene holds one or two flat shapes on a flat background. Some compositions (colour × shape × place) are held
out: `draw_scene` never makes them for training, so that a picture of one shows that the words were learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np

PICTURE: Final = 128
SHAPES: Final = ("circle", "square", "triangle")
COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "red": (220, 40, 40),
    "yellow": (240, 220, 40),
    "green": (40, 180, 60),
    "cyan": (40, 210, 220),
    "blue": (40, 70, 220),
    "purple": (165, 50, 205),
}
RADII: Final = {"small": 14.0, "medium": 18.0, "large": 25.0}
BACKGROUNDS: Final = {"dark": 32, "gray": 128, "light": 226}
PLACES: Final = {"left": (32, 64), "right": (96, 64), "top": (64, 32), "bottom": (64, 96), "center": (64, 64)}
PAIRS: Final = (("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top"))

_SIZE_WORDS: Final = {
    "small": ("small", "small", "little"),
    "medium": ("",),
    "large": ("large", "large", "big"),
}
_PLACE_WORDS: Final = {
    "left": ("on the left",),
    "right": ("on the right",),
    "top": ("at the top",),
    "bottom": ("at the bottom",),
    "center": ("in the center", "in the middle"),
}
_RELATIONS: Final = {
    "left": ("left of", "left of", "to the left of"),
    "right": ("right of", "right of", "to the right of"),
    "top": ("above",),
    "bottom": ("below", "below", "under"),
}
_ENDINGS: Final = (
    "{} on a {} background",
    "{} on a {} background",
    "{} on a {} background",
    "{}, {} background",
)
_LEADS: Final = ("", "", "", "", "", "a picture of ", "an image of ")


@dataclass(frozen=True, slots=True)
class Item:
    """One shape of a scene: what it is, where it stands, its centre and radius in pixels, its RGB (0–255)."""

    shape: str
    colour: str
    size: str
    place: str
    x: float
    y: float
    radius: float
    rgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """One or two items on a background; shade is the background's grey value, 0–255."""

    items: tuple[Item, ...]
    background: str
    shade: float


def is_held(colour: str, shape: str, place: str) -> bool:
    """Whether a composition is kept out of training: one in seven, at most one place of a coloured shape."""
    parts = list(COLOURS).index(colour), SHAPES.index(shape), list(PLACES).index(place)
    return (parts[0] + 2 * parts[1] + 3 * parts[2]) % 7 == 3


def has_held(scene: Scene) -> bool:
    return any(is_held(item.colour, item.shape, item.place) for item in scene.items)


def draw_scene(random: Random, held: bool = False) -> Scene:
    """A random scene; with `held` one that contains a held composition, without it one that contains none."""
    while True:
        scene = _any_scene(random)
        if has_held(scene) == held:
            return scene


def _any_scene(random: Random) -> Scene:
    pair = random.random() < 0.7
    places = random.choice(PAIRS) if pair else (random.choice(list(PLACES)),)
    items = tuple(_item(random, place) for place in places)
    background = random.choice(list(BACKGROUNDS))
    return Scene(items, background, BACKGROUNDS[background] + random.uniform(-8, 8))


def _item(random: Random, place: str) -> Item:
    shape, colour, size = random.choice(SHAPES), random.choice(list(COLOURS)), random.choice(list(RADII))
    x, y = PLACES[place]
    bright = random.uniform(0.93, 1.05)
    red, green, blue = (min(255.0, value * bright) for value in COLOURS[colour])
    return Item(
        shape,
        colour,
        size,
        place,
        x + random.uniform(-2.5, 2.5),
        y + random.uniform(-2.5, 2.5),
        RADII[size] + random.uniform(-1, 1),
        (red, green, blue),
    )


def plain_caption(scene: Scene) -> str:
    """The shortest full caption: "a small red circle left of a cyan square on a dark background"."""
    first = scene.items[0]
    if len(scene.items) == 1:
        said = f"a {_phrase(first, first.size)} {_PLACE_WORDS[first.place][0]}"
    else:
        second = scene.items[1]
        relation = _RELATIONS[first.place][0]
        said = f"a {_phrase(first, first.size)} {relation} a {_phrase(second, second.size)}"
    return f"{said} on a {scene.background} background"


def caption(scene: Scene, random: Random) -> str:
    """A caption of a scene in one of several phrasings; now and then the place is left unsaid."""
    nouns = [f"a {_phrase(item, random.choice(_SIZE_WORDS[item.size]))}" for item in scene.items]
    said = _one(scene, nouns, random) if len(nouns) == 1 else _two(scene, nouns, random)
    background = random.choice(("gray", "gray", "grey")) if scene.background == "gray" else scene.background
    return random.choice(_LEADS) + random.choice(_ENDINGS).format(said, background)


def _phrase(item: Item, size: str) -> str:
    said = "" if size == "medium" else size
    return f"{said} {item.colour} {item.shape}".strip()


def _one(scene: Scene, nouns: Sequence[str], random: Random) -> str:
    if random.random() < 0.2:
        return nouns[0]
    return f"{nouns[0]} {random.choice(_PLACE_WORDS[scene.items[0].place])}"


def _two(scene: Scene, nouns: Sequence[str], random: Random) -> str:
    first, second = scene.items
    way = random.random()
    if way < 0.08:
        return f"{nouns[0]} and {nouns[1]}"
    if way < 0.25:
        places = [random.choice(_PLACE_WORDS[item.place]) for item in (first, second)]
        return f"{nouns[0]} {places[0]} and {nouns[1]} {places[1]}"
    return f"{nouns[0]} {random.choice(_RELATIONS[first.place])} {nouns[1]}"


def render(scene: Scene) -> np.ndarray:
    """The picture of a scene with smooth edges: (128, 128, 3) uint8."""
    ys, xs = np.mgrid[0:PICTURE, 0:PICTURE].astype(np.float32) + 0.5
    picture = np.full((PICTURE, PICTURE, 3), scene.shade, dtype=np.float32)
    for item in scene.items:
        cover = coverage(item.shape, xs - item.x, ys - item.y, item.radius)[..., None]
        picture += cover * (np.asarray(item.rgb, dtype=np.float32) - picture)
    return picture.round().astype(np.uint8)


def coverage(shape: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """How much of each pixel a shape at the origin covers, 0 to 1."""
    return np.clip(0.5 - _distance(shape, x, y, radius), 0, 1)


def _distance(shape: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Pixels outside (positive) or inside (negative) of the outline, exact near the edges."""
    if shape == "circle":
        return np.hypot(x, y) - radius
    if shape == "square":
        return np.maximum(abs(x), abs(y)) - 0.9 * radius
    base, slope = 0.9 * radius, 1.9 / 1.05
    side = (abs(x) * slope - (y + radius)) / np.hypot(slope, 1)
    return np.maximum(y - base, side)


def held_scenes(count: int, seed: int = 0) -> list[Scene]:
    """The same held scenes for the same seed, all their captions different."""
    random, found = Random(seed), dict[str, Scene]()
    while len(found) < count:
        scene = draw_scene(random, held=True)
        found.setdefault(plain_caption(scene), scene)
    return list(found.values())


def words() -> tuple[str, ...]:
    """Every word that a caption may hold."""
    parts = [*SHAPES, *COLOURS, *BACKGROUNDS, *_ENDINGS, *_LEADS, "grey a and"]
    for table in (_SIZE_WORDS, _PLACE_WORDS, _RELATIONS):
        parts += [word for options in table.values() for word in options]
    text = " ".join(parts).replace("{}", " ").replace(",", " , ")
    return tuple(sorted(set(text.split())))
