"""Says what stands in a picture of a scene, by colour and connected components; nothing here is learned."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tools.scenes import BACKGROUNDS, COLOURS, RADII, SHAPES, Item, Scene, coverage

_CHROMA: Final = 70
_LEAST: Final = 80
_FIT: Final = 0.7
_NARROW: Final = 0.65
# Areas of the shapes of radius 1, and how far below its origin a triangle's centre of mass lies.
_AREAS: Final = {"circle": np.pi, "square": 1.8**2, "triangle": 1.9 * 2.1 / 2}
_DROP: Final = 0.9 - 1.9 / 3
_ASTRAY: Final = 12


@dataclass(frozen=True, slots=True)
class Found:
    """One shape seen in a picture: what it is, its size, and the middle of its frame in pixels."""

    shape: str
    colour: str
    size: str
    x: float
    y: float


def detect(picture: np.ndarray) -> list[Found]:
    """The shapes in an (H, W, 3) uint8 picture, from left to right."""
    values = picture.astype(np.int32)
    chroma = values.max(2) - values.min(2)
    seen = [
        _identify(values, _core(chroma, part))
        for part in components(chroma > _CHROMA)
        if part.sum() >= _LEAST
    ]
    return sorted((one for one in seen if one is not None), key=lambda one: (one.x, one.y))


def components(mask: np.ndarray) -> Iterator[np.ndarray]:
    """The 4-connected parts of a mask, one mask each."""
    left = mask.copy()
    while left.any():
        part = np.zeros_like(left)
        start = np.unravel_index(left.argmax(), left.shape)
        part[start] = True
        while True:
            grown = part.copy()
            grown[1:] |= part[:-1]
            grown[:-1] |= part[1:]
            grown[:, 1:] |= part[:, :-1]
            grown[:, :-1] |= part[:, 1:]
            grown &= left
            if grown.sum() == part.sum():
                break
            part = grown
        left &= ~part
        yield part


def fits(picture: np.ndarray) -> list[float]:
    """How well the best shape covers each coloured part of a picture: intersection over union, 0 to 1."""
    values = picture.astype(np.int32)
    chroma = values.max(2) - values.min(2)
    parts = [_core(chroma, part) for part in components(chroma > _CHROMA) if part.sum() >= _LEAST]
    return [max(_fits(part).values()) for part in parts]


def _core(chroma: np.ndarray, part: np.ndarray) -> np.ndarray:
    """A part up to where its colour has faded by half, which is the outline of a shape with blurred edges."""
    return part & (chroma > np.percentile(chroma[part], 90) / 2)


def _identify(values: np.ndarray, part: np.ndarray) -> Found | None:
    """The best shape for a part, or none where no shape covers it well."""
    ys, xs = np.nonzero(part)
    width, height = float(np.ptp(xs) + 1), float(np.ptp(ys) + 1)
    if not _NARROW < width / height < 1 / _NARROW:
        return None
    found = _fits(part)
    shape = max(found, key=lambda name: found[name])
    if found[shape] < _FIT:
        return None
    radius = _radius(shape, part)
    size = min(RADII, key=lambda name: abs(RADII[name] - radius))
    colour = _colour(np.median(values[part], axis=0))
    return Found(shape, colour, size, float(xs.min()) + width / 2, float(ys.min()) + height / 2)


def _radius(shape: str, part: np.ndarray) -> float:
    """The radius of a shape that has a part's area."""
    return float(np.sqrt(part.sum() / _AREAS[shape]))


def _fits(part: np.ndarray) -> dict[str, float]:
    ys, xs = np.nonzero(part)
    return {shape: _fit(shape, part, float(xs.mean()), float(ys.mean())) for shape in SHAPES}


def _fit(shape: str, part: np.ndarray, x: float, y: float) -> float:
    """Intersection over union of a part with the shape that has its area and its centre of mass."""
    radius = _radius(shape, part)
    drop = _DROP * radius if shape == "triangle" else 0.0
    ys, xs = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    ideal = coverage(shape, xs - x, ys - y + drop, radius) > 0.5
    return float((ideal & part).sum() / (ideal | part).sum())


def _colour(rgb: np.ndarray) -> str:
    """The nearest colour, by direction from gray alone, so that brightness does not count."""

    def tint(value: np.ndarray) -> np.ndarray:
        centred = value - value.mean()
        return centred / (np.linalg.norm(centred) + 1e-6)

    return max(COLOURS, key=lambda name: float(tint(np.asarray(COLOURS[name], dtype=float)) @ tint(rgb)))


def background(picture: np.ndarray) -> str:
    """The name of the background, read from the picture's corners."""
    corners = picture[2::123, 2::123]
    shade = float(np.median(corners))
    return min(BACKGROUNDS, key=lambda name: abs(BACKGROUNDS[name] - shade))


def shows(picture: np.ndarray, scene: Scene) -> bool:
    """Whether a picture holds just the shapes of a scene, each in its colour."""
    wanted = Counter((item.shape, item.colour) for item in scene.items)
    return Counter((one.shape, one.colour) for one in detect(picture)) == wanted


def shows_all(picture: np.ndarray, scene: Scene) -> bool:
    """Whether a picture holds just a scene's shapes in their colours, sizes and places, on its background."""
    found = detect(picture)
    return (
        len(found) == len(scene.items)
        and all(any(_same(one, item) for one in found) for item in scene.items)
        and background(picture) == scene.background
    )


def _same(one: Found, item: Item) -> bool:
    alike = (one.shape, one.colour, one.size) == (item.shape, item.colour, item.size)
    return alike and abs(one.x - item.x) < _ASTRAY and abs(one.y - item.y) < _ASTRAY
