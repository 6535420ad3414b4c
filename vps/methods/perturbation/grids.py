"""Masks of a grid of rectangles, and maps of one value a cell."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vps.core.numbers import check_whole
from vps.errors import InputError


def check_cells(grid: object) -> None:
    """Raise InputError unless an image may be cut into so many cells a side."""
    check_whole("grid", grid, 2, 100)


def size_for(grid: int, pixels: Tensor) -> tuple[int, int]:
    """(h, w) of pixels (3, h, w), if they are enough for so many cells a side.

    Raises:
        InputError: there are cells without a pixel.
    """
    height, width = pixels.shape[1:]
    if grid > min(height, width):
        raise InputError(
            f"a grid of {grid} cells a side is finer than the pixels that the detector sees, "
            f"{height} x {width}: set a smaller grid"
        )
    return height, width


def grid_masks(cells: np.ndarray, size: tuple[int, int], device: torch.device) -> Tensor:
    """Masks whose cells have sharp edges.

    Args:
        cells: (K, g * g) in [0, 1], row by row.
        size: (h, w) of a mask in pixels.
        device: of the result.

    Returns:
        (K, h, w) float32; 1 shows a pixel.
    """
    grid = round(cells.shape[1] ** 0.5)
    values = torch.from_numpy(cells.astype(np.float32)).to(device)
    return interpolate(values.reshape(-1, 1, grid, grid), size, mode="nearest-exact")[:, 0]


def grid_maps(values: np.ndarray, size: tuple[int, int]) -> Tensor:
    """(T, h, w) float64, one value a cell (T, g * g) enlarged by cubic splines, as both methods of
    grids have it."""
    grid = round(values.shape[1] ** 0.5)
    cells = torch.from_numpy(values).reshape(-1, 1, grid, grid)
    return interpolate(cells, size, mode="bicubic")[:, 0]
