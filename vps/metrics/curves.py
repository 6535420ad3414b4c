"""Insertion and deletion curves: the area under them and the best score along them."""

from __future__ import annotations

import numpy as np

from vps.errors import InputError


def auc(areas: np.ndarray, scores: np.ndarray) -> float:
    """Area under a curve over the share of the image's area, by the trapezoid rule.

        AUC = sum_k (x_k - x_(k-1)) (y_k + y_(k-1)) / 2

    Args:
        areas: (n,) x, non-decreasing shares in [0, 1] of the area shown (insertion) or hidden
            (deletion), with the point at 0.
        scores: (n,) y, the score at each of them.

    Returns:
        The area; in [0, 1] for scores in [0, 1] over the whole range of x.

    Raises:
        InputError: fewer than two points, different lengths, or x that goes back.
    """
    areas, scores = np.asarray(areas, np.float64), np.asarray(scores, np.float64)
    if areas.ndim != 1 or areas.shape != scores.shape or len(areas) < 2:
        raise InputError(
            "a curve needs as many areas as scores and at least two of them; "
            f"got {areas.shape} and {scores.shape}"
        )
    widths = np.diff(areas)
    if (widths < 0).any():
        raise InputError(f"areas must not decrease, they do at step {int(np.argmin(widths)) + 1}")
    return float(np.sum(widths * (scores[1:] + scores[:-1])) / 2)


def highest_score(class_scores: np.ndarray, ious: np.ndarray, threshold: float = 0.5) -> float:
    """The highest class score among the steps whose box has IoU > threshold with the target.

    Args:
        class_scores: (n,) class score of the best box of each step, in [0, 1].
        ious: (n,) IoU of the same boxes with the target box, in [0, 1].
        threshold: the IoU that a step must exceed to count.

    Returns:
        The score in [0, 1]; 0 when no step counts.

    Raises:
        InputError: arrays of different lengths.
    """
    class_scores, ious = np.asarray(class_scores), np.asarray(ious)
    if class_scores.shape != ious.shape:
        raise InputError(f"as many class scores as IoUs, got {class_scores.shape} and {ious.shape}")
    return float(np.max(class_scores[ious > threshold], initial=0.0))
