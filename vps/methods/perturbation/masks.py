"""Random soft masks, as RISE and D-RISE show images through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

Normalisation = Literal["coverage", "expected"]
"""What a pixel's weighted sum of masks is divided by, see `MaskSums.maps`."""


def random_masks(
    numbers: Iterable[int],
    size: tuple[int, int],
    *,
    grid: int,
    p: float,
    seed: int,
    device: torch.device | None = None,
) -> Tensor:
    """Some of an endless row of masks; each depends on the seed and its number alone.

    A coarse grid of zeros and ones is enlarged bilinearly to grid + 1 times the size of a cell,
    and the mask is cut out of it at a random place (Petsiuk et al., CVPR 2021, section 4.2). So
    masks are smooth, and their cells do not always have their edges at the same pixels.

    Args:
        numbers: of the masks, from 0.
        size: (h, w) of a mask in pixels.
        grid: cells a side, in both directions.
        p: the probability that a cell is shown; also the mean of the masks at every pixel.
        seed: of the whole row.
        device: of the result.

    Returns:
        (K, h, w) float32 in [0, 1], one for each of K numbers; 1 shows a pixel.
    """
    # Rounded up: of cells that are rounded down, as in the paper, grid + 1 may not cover the image.
    cell = [-(-length // grid) for length in size]
    coarse, corners = [], []
    for number in numbers:
        rng = np.random.default_rng((seed, number))
        coarse.append((rng.random((grid, grid)) < p).astype(np.float32))
        corners.append(rng.integers(0, cell, endpoint=True).tolist())
    cells = torch.from_numpy(np.stack(coarse)).to(device)
    enlarged = interpolate(
        cells[:, None], [(grid + 1) * length for length in cell], mode="bilinear"
    )[:, 0]
    cut = [
        mask[top : top + size[0], left : left + size[1]]
        for mask, (top, left) in zip(enlarged, corners, strict=True)
    ]
    # The weights of the interpolation add to 1 up to rounding only.
    return torch.stack(cut).clamp_(0, 1)


class MaskSums:
    """Masks times their weights, added up a batch at a time; memory does not grow with them.

    Args:
        targets: T, how many weights a mask has.
        size: (h, w) of a mask in pixels.
    """

    def __init__(self, targets: int, size: tuple[int, int]) -> None:
        self._count = 0
        self._size = size
        self._weighted = torch.zeros(targets, size[0] * size[1], dtype=torch.float64)
        self._shown = torch.zeros(size[0] * size[1], dtype=torch.float64)

    def add(self, masks: Tensor, weights: Tensor) -> None:
        """A batch of masks (B, h, w) in [0, 1] with their weights (B, T)."""
        flat = masks.flatten(1)
        # Sums of many are kept in double precision, those of a batch need not be.
        self._weighted += (weights.to(flat).T @ flat).to(self._weighted)
        self._shown += flat.sum(dim=0).to(self._shown)
        self._count += len(masks)

    def maps(self, normalisation: Normalisation, p: float) -> Tensor:
        """The mean weight at each pixel, of the masks that show it.

        Args:
            normalisation: "coverage" divides by how much of all masks showed the pixel, so that a
                map is a weighted mean; a pixel that none showed has 0. "expected" divides by N p,
                how much of N masks would show it on average.
            p: the mean of the masks.

        Returns:
            (T, h, w) float64 on the CPU.
        """
        by_chance = self._shown.clamp(min=1e-9)
        divisor = by_chance if normalisation == "coverage" else self._count * p
        return (self._weighted / divisor).reshape(-1, *self._size)
