"""What a set of regions is to bring about: tests on what the detector says of subsets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Goal = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From rows (K, T, 7) of `vps.passes.Passes.evaluate` to (K,) bool, whether a subset attains the
goal, and (K,) float64, how near it comes: higher is nearer, whatever the scale."""


def is_seen(rows: np.ndarray, number: int, threshold: float, iou: float) -> np.ndarray:
    """(K,) bool: whether the candidate that attains s counts as a detection of a target.

    Its class score is at least the threshold and its IoU with the target is above `iou`. Only the
    candidate that attains s is looked at, so True is never wrong; where another one with a higher
    IoU x score is a worse match, an object may be there that this does not tell.

    Args:
        rows: (K, T, 7), see `vps.scoring.best_candidates`.
        number: of the target.
        threshold: the lowest class score.
        iou: the IoU to exceed.
    """
    seen: np.ndarray = (rows[:, number, 1] >= threshold) & (rows[:, number, 2] > iou)
    return seen


def seen(number: int, threshold: float, iou: float) -> Goal:
    """The detector finds the target; nearness is s."""
    return lambda rows: (is_seen(rows, number, threshold, iou), rows[:, number, 0])


def unseen(number: int, threshold: float, iou: float) -> Goal:
    """The detector does not find the target; nearness is -s."""
    return lambda rows: (~is_seen(rows, number, threshold, iou), -rows[:, number, 0])


def wins(number: int, rival: int, threshold: float, iou: float) -> Goal:
    """The detector finds one target, and scores it higher than its rival.

    Both are targets of the same passes. Nearness is the contrast s_A - s_B.
    """

    def goal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        contrast = rows[:, number, 0] - rows[:, rival, 0]
        return is_seen(rows, number, threshold, iou) & (contrast > 0), contrast

    return goal
