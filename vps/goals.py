"""What a set of regions is to bring about: tests on what the detector says of subsets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Goal = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From rows (K, T, 8) of `vps.passes.Passes.evaluate` to (K,) bool, whether a subset attains the
goal, and (K,) float64, how near it comes: higher is nearer, whatever the scale."""


def is_seen(rows: np.ndarray, number: int, threshold: float) -> np.ndarray:
    """(K,) bool: whether any candidate is a detection of a target.

    Args:
        rows: (K, T, 8), see `vps.scoring.best_candidates`.
        number: of the target.
        threshold: the lowest class score of a detection, at an IoU above 0.5.
    """
    seen: np.ndarray = rows[:, number, 7] >= threshold
    return seen


def seen(number: int, threshold: float) -> Goal:
    """The detector finds the target; nearness is s."""
    return lambda rows: (is_seen(rows, number, threshold), rows[:, number, 0])


def unseen(number: int, threshold: float) -> Goal:
    """The detector does not find the target; nearness is -s."""
    return lambda rows: (~is_seen(rows, number, threshold), -rows[:, number, 0])


def wins(number: int, rival: int, threshold: float) -> Goal:
    """The detector finds one target, and scores it higher than its rival.

    Both are targets of the same passes. Nearness is the contrast s_A - s_B.
    """

    def goal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        contrast = rows[:, number, 0] - rows[:, rival, 0]
        return is_seen(rows, number, threshold) & (contrast > 0), contrast

    return goal
