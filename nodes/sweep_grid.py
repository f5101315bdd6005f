"""The grid that a sweep ends in: its pictures side by side, each row and column with its values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from graph.node import node
from graph.spec import Hint
from graph.sweep import GRID
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nodes import collage, tensors
else:
    torch = LazyModule("torch")
    collage = LazyModule("nodes.collage")
    tensors = LazyModule("nodes.tensors")

LARGEST: Final = 8192
"""Pixels that all cells of a grid together have at most on a side; larger ones are scaled down."""
GAP: Final = 4
WHITE: Final = (255, 255, 255)
GREY: Final = (225, 225, 225)


@node(GRID, title="Sweep Grid", category="image/batch", extra={"partial": True})
def sweep_grid(
    column_labels: Annotated[list[str], Hint("What the pictures of each column have in common.")],
    row_labels: Annotated[list[str], Hint("The same of each row; empty for a single row.")],
    **pictures: Any,
) -> Image:
    """A sweep's pictures, picture_1, picture_2 and so on, row by row in a labelled grid."""
    places = range(len(column_labels) * max(1, len(row_labels)))
    cells = [_side_by_side(pictures.get(f"picture_{place + 1}")) for place in places]
    return labelled(cells, column_labels, row_labels)


def _side_by_side(batches: Sequence[Image] | None) -> "Tensor | None":
    """The pictures of one point as one (H, W, 3), or None when there are none."""
    images = [image[..., :3] for batch in batches or () for image in batch]
    if not images:
        return None
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    return torch.cat([_centred(image, height, width) for image in images], dim=1)


def labelled(cells: "Sequence[Tensor | None]", columns: Sequence[str], rows: Sequence[str]) -> Image:
    """(1, H, W, 3): cells (H, W, 3) row by row, under the columns' labels and beside the rows'."""
    width, height = _cell_size(cells, len(columns), max(1, len(rows)))
    letters = max(9, min(28, width // 10))
    margin = min(2 * width, max(map(len, rows), default=0) * letters)
    across, down = len(columns) * (width + GAP) - GAP, max(1, len(rows)) * (height + GAP) - GAP
    sheet = torch.ones(2 * letters + down, margin + across, 3)
    for place, cell in enumerate(cells):
        row, column = divmod(place, len(columns))
        y, x = 2 * letters + row * (height + GAP), margin + column * (width + GAP)
        sheet[y : y + height, x : x + width] = _drawn(cell, height, width, letters)
    for column, label in enumerate(columns):
        x = margin + column * (width + GAP)
        sheet[: 2 * letters, x : x + width] = collage.label_strip(label, width, 2 * letters, letters, WHITE)
    for row, label in enumerate(rows):
        y = 2 * letters + row * (height + GAP)
        sheet[y : y + height, :margin] = collage.label_strip(label, margin, height, letters, WHITE)
    return sheet[None]


def _cell_size(cells: "Sequence[Tensor | None]", columns: int, rows: int) -> tuple[int, int]:
    there = [cell for cell in cells if cell is not None]
    height, width = (max((cell.shape[axis] for cell in there), default=64) for axis in (0, 1))
    scale = min(1.0, LARGEST / (columns * width), LARGEST / (rows * height))
    return max(8, int(width * scale)), max(8, int(height * scale))


def _drawn(cell: "Tensor | None", height: int, width: int, letters: int) -> "Tensor":
    if cell is None:
        return collage.label_strip("failed", width, height, letters, GREY)
    ratio = min(1.0, height / cell.shape[0], width / cell.shape[1])
    if ratio < 1.0:
        size = max(1, int(cell.shape[1] * ratio)), max(1, int(cell.shape[0] * ratio))
        cell = tensors.channels_last(tensors.resize(tensors.channels_first(cell[None]), *size, "area"))[0]
    return _centred(cell, height, width)


def _centred(image: "Tensor", height: int, width: int) -> "Tensor":
    """A picture (H, W, 3) in the middle of a white one of at least its size."""
    y, x = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    sheet = torch.ones(height, width, 3)
    sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
    return sheet
