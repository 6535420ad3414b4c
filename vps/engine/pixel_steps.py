"""Replaying a map by equal steps of its pixels, as the baselines of the VPS paper were judged."""

from __future__ import annotations

import dataclasses

import numpy as np

from vps.core.regions import PIXEL_STEPS, Regions
from vps.engine.problem import Problem
from vps.errors import InputError

STEPS = 49
"""In how many parts the pixels are shown and hidden."""

FILL = "black"
"""What stands where a pixel is hidden."""


def pixel_steps(values: np.ndarray, steps: int = STEPS) -> Regions:
    """The pixels of a map in parts of equal size, those of the highest values first.

    Of n pixels sorted by falling value, ties by their place row by row, part k of 0..K-1 has those
    from floor(k n / K) to floor((k + 1) n / K).

    Args:
        values: (h, w) finite; higher is more important.
        steps: K, at least 1; with fewer pixels than that, each is a part of its own.

    Returns:
        Regions 0..K-1 on the same grid, in the order in which they are shown or hidden. They are
        seldom connected.

    Raises:
        InputError: another shape, values that are not finite, or no step.

    >>> pixel_steps(np.array([[0.1, 0.9], [0.9, 0.3]]), steps=2).label_map.tolist()
    [[1, 0], [0, 1]]
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise InputError(f"a map is (h, w) and finite, got {values.shape}")
    if steps < 1:
        raise InputError(f"pixels are shown in at least one step, got {steps}")
    count = values.size
    steps = min(steps, count)
    ends = np.arange(1, steps + 1) * count // steps
    labels = np.empty(count, np.int32)
    labels[np.argsort(-values.ravel(), kind="stable")] = np.searchsorted(
        ends, np.arange(count), side="right"
    )
    return Regions(labels.reshape(values.shape), PIXEL_STEPS)


def in_pixel_steps(problem: Problem, number: int, values: np.ndarray) -> Problem:
    """The question about one target, with the pixels of a map in place of regions, and in black.

    Curves along its regions 0, 1, ... are those of Chen et al., CVPR 2025, for methods that give a
    map: 49 equal steps of pixels by falling value, hidden ones black
    (`vps.engine.curves.replay`). Such curves are of other steps, of other shapes and of another
    fill than those of the problem itself, so methods that are judged by the one and by the other
    cannot be compared.

    Args:
        problem: what was asked.
        number: which of its targets.
        values: (h, w), the map of that target on the detector's grid.
    """
    alone = problem.about([problem.targets[number]])
    return dataclasses.replace(alone, regions=pixel_steps(values), fill=FILL)
