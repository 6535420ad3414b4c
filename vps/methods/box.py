"""The target's box as a map: a control that knows where, but nothing of the detector."""

from __future__ import annotations

import numpy as np

from vps.engine.problem import Problem
from vps.methods.protocol import Maps


def box_map(problem: Problem, *, seed: int) -> Maps:
    """The share of each pixel that the target's box covers: 1 inside, 0 outside.

    Args:
        problem: what is asked.
        seed: says nothing here.
    """
    grid = (problem.pixels.shape[1], problem.pixels.shape[2])
    scale_y, scale_x = grid[0] / problem.size[0], grid[1] / problem.size[1]
    maps = []
    for target in problem.targets:
        x1, y1, x2, y2 = target.box
        rows = _covered(y1 * scale_y, y2 * scale_y, grid[0])
        columns = _covered(x1 * scale_x, x2 * scale_x, grid[1])
        maps.append(np.outer(rows, columns))
    return Maps(np.stack(maps).astype(np.float32), passes=0)


def _covered(start: float, end: float, count: int) -> np.ndarray:
    """(count,) the share of each pixel i, which reaches from i to i + 1, within [start, end]."""
    left = np.arange(count)
    return np.clip(np.minimum(left + 1, end) - np.maximum(left, start), 0, 1)
