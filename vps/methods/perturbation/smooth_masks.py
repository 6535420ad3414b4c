"""Smooth masks out of few parameters, through which a gradient can be followed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

_CELLS = 32  # along the longer side: steps of 7 pixels on 224, as in the paper
_SMOOTH = 3  # sigma in cells: 21 pixels
_RADIUS = 5  # cells: beyond, k is below 0.07, and the smooth maximum passes it over
_POINTS = 2  # along a cell, where a mask is worked out
_COLDNESS = 20  # how near the maximum of the convolution is to the largest value


class SmoothMasks:
    """The smooth maximum convolution of Fong et al. (ICCV 2019).

        m(u) = smax over cells i of k(|u - c_i| / sigma) p_i,   k(z) = exp(-2 max(z - 1/2, 0)^2),
        smax_i v_i = sum_i v_i exp(20 v_i) / sum_i exp(20 v_i)

    with p in [0, 1] one parameter a cell and c_i the middle of the cell. A mask is as high beside a
    cell as the cell is, and falls off by sigma.

    Args:
        size: (h, w) of a mask in pixels.
        device: of all that is computed.
    """

    def __init__(self, size: tuple[int, int], device: torch.device) -> None:
        self._size = size
        side = max(size) / _CELLS
        self.grid = (max(round(size[0] / side), 1), max(round(size[1] / side), 1))
        """(rows, columns) of the parameters."""
        reach = torch.arange(-_RADIUS, _RADIUS + 1, device=device)
        # Where the points of a cell lie, from the middle of the cell.
        within = (torch.arange(_POINTS, device=device) + 0.5) / _POINTS - 0.5
        along = reach[None, :] - within[:, None]
        rows, columns = along[:, None, :, None], along[None, :, None, :]
        apart = (rows**2 + columns**2).sqrt() / _SMOOTH
        self._weights = torch.exp(-2 * (apart - 0.5).clamp(min=0) ** 2)

    @property
    def counts(self) -> tuple[int, int]:
        """How many points a mask has, with the margin and without."""
        rows, columns = self.grid
        every = (rows + 2 * _SMOOTH) * (columns + 2 * _SMOOTH)
        return every * _POINTS**2, rows * columns * _POINTS**2

    def points(self, parameters: Tensor) -> Tensor:
        """(K, h', w') in [0, 1], masks at a few points a cell, over the image and sigma beside it.

        The margin is there for the area: without it, cells at the edges would cost less.

        Args:
            parameters: (K, rows, columns) in [0, 1].
        """
        rows, columns = (length + 2 * _SMOOTH for length in self.grid)
        around = pad(parameters, (_RADIUS + _SMOOTH,) * 4)
        width = 2 * _RADIUS + 1
        # (K, rows, columns, width, width): the parameters around each cell.
        windows = around.unfold(1, width, 1).unfold(2, width, 1)
        values = (windows[:, :, None, :, None] * self._weights[:, None]).flatten(-2)
        soft = (values * (_COLDNESS * values).softmax(dim=-1)).sum(dim=-1)
        return soft.reshape(-1, rows * _POINTS, columns * _POINTS)

    def masks(self, points: Tensor) -> Tensor:
        """(K, h, w) in [0, 1], masks of points without the margin, enlarged bilinearly."""
        edge = _POINTS * _SMOOTH
        inner = points[:, None, edge:-edge, edge:-edge]
        return interpolate(inner, self._size, mode="bilinear")[:, 0].clamp(0, 1)
