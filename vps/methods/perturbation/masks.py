"""Random soft masks, as RISE and D-RISE show images through."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate


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
