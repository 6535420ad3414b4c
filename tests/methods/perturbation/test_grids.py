import numpy as np
import pytest
import torch

from vps.errors import InputError
from vps.methods.perturbation.grids import check_cells, grid_maps, grid_masks, size_for


def test_each_cell_is_a_rectangle_of_its_own_value():
    cells = np.arange(9.0)[None] / 9
    (mask,) = grid_masks(cells, (6, 9), torch.device("cpu"))
    expected = np.kron(cells.reshape(3, 3), np.ones((2, 3)))
    np.testing.assert_allclose(mask, expected, rtol=1e-6)
    # Of sides that are no multiple, every cell has some pixels.
    (mask,) = grid_masks(cells, (4, 5), torch.device("cpu"))
    assert len(np.unique(mask)) == 9


def test_maps_are_smooth_and_stand_where_the_cells_are():
    values = np.zeros((2, 16))
    values[0, 6], values[1, 0] = 1.0, -2.0
    maps = grid_maps(values, (40, 60))
    assert maps.shape == (2, 40, 60)
    row, column = divmod(int(maps[0].argmax()), 60)
    assert 10 <= row < 20
    assert 30 <= column < 45
    assert maps[1].min() < -1.5
    torch.testing.assert_close(
        grid_maps(np.full((1, 4), 0.3), (5, 7)), torch.full((1, 5, 7), 0.3).double()
    )


def test_no_more_cells_than_pixels():
    assert size_for(4, torch.zeros(3, 4, 9)) == (4, 9)
    with pytest.raises(InputError, match="grid of 5 cells a side is finer .* 4 x 9"):
        size_for(5, torch.zeros(3, 4, 9))
    with pytest.raises(InputError, match="grid must be at least 2"):
        check_cells(1)
