"""The grid of a sweep: cells where they belong, gaps for what failed, labels, a limit."""

import torch
from torch import Tensor

from nodes.sweep_grid import GAP, LARGEST, labelled, sweep_grid


def flat(value: float, height: int = 20, width: int = 30) -> Tensor:
    return torch.full((1, height, width, 3), value)


def test_cells_stand_in_rows_and_columns_under_their_labels() -> None:
    pictures = {f"picture_{n + 1}": [flat(n / 10)] for n in range(4)}
    sheet = sweep_grid(["cfg 1", "cfg 2"], ["a", "b"], **pictures)[0]
    bottom, right = sheet.shape[0] - 1, sheet.shape[1] - 1
    corners = [
        sheet[bottom - 20 - GAP, right - 30 - GAP],
        sheet[bottom - 20 - GAP, right],
        sheet[bottom, right - 30 - GAP],
        sheet[bottom, right],
    ]
    assert torch.allclose(torch.stack(corners), torch.tensor([0.0, 0.1, 0.2, 0.3])[:, None].expand(4, 3))
    assert sheet[: bottom - 40 - GAP].min() < 0.5


def test_what_failed_leaves_a_gap() -> None:
    sheet = sweep_grid(["a", "b"], [], picture_2=[flat(0.0)])[0]
    assert sheet[-1, -1].tolist() == [0.0, 0.0, 0.0]
    assert 0.8 < float(sheet[-1, 0, 0]) < 0.95


def test_pictures_of_a_batch_stand_side_by_side_and_smaller_ones_in_the_middle() -> None:
    batch = torch.cat([flat(0.0), flat(0.5)])
    sheet = sweep_grid(["a"], ["x", "y"], picture_1=[batch], picture_2=[flat(0.0, 10, 10)])[0]
    cell = sheet[-20:, -60:]
    assert cell[10, 30].tolist() == [0.0, 0.0, 0.0]
    assert cell[1, 1].tolist() == [1.0, 1.0, 1.0]


def test_a_grid_that_would_be_huge_has_smaller_cells() -> None:
    columns = [str(number) for number in range(40)]
    sheet = labelled([torch.zeros(400, 400, 3)] * 40, columns, [])
    assert sheet.shape[2] <= LARGEST + 40 * GAP
