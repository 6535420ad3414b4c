"""Insertion and deletion curves: the area under them and what is read off their steps."""

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


LEAST_WHOLE = 0.01
"""Scores of a whole image below it are no evidence of the target."""


def normalised(value: float, whole: float) -> float | None:
    """An area under a curve as a share of the score of the whole image.

    It exceeds 1 where parts score higher than the whole.

    Args:
        value: what `auc` gave.
        whole: s(V), the score of the whole image.

    Returns:
        value / whole; None where the whole scores less than `LEAST_WHOLE`, as missed objects do:
        there one case would outweigh all others in a mean.
    """
    return value / whole if whole >= LEAST_WHOLE else None


def sufficient_step(
    insertion: np.ndarray, share: float = 0.9, measured: np.ndarray | None = None
) -> int | None:
    """The first step of an insertion curve that does nearly as well as the whole image.

        min {k : s(first k regions) >= share * s(V)}

    As areas do not decrease, it is the step of the smallest area that suffices.

    Args:
        insertion: (n,) scores; the last is that of the whole image, s(V).
        share: the part of s(V) to reach, in (0, 1].
        measured: (n,) bool, the steps that count; by default all.

    Returns:
        The step; None where the whole image scores 0, for then there is nothing that a part could
        be sufficient for.

    Raises:
        InputError: a share outside (0, 1], or lengths that differ.
    """
    if not 0 < share <= 1:
        raise InputError(f"share must lie in (0, 1], got {share}")
    insertion = np.asarray(insertion)
    whole = insertion[-1]
    return _first(insertion >= share * whole, measured) if whole > 0 else None


def necessary_step(
    deletion: np.ndarray, share: float = 0.5, measured: np.ndarray | None = None
) -> int | None:
    """The first step of a deletion curve that takes much of the score away.

        min {k : s(V without the first k regions) <= share * s(V)}

    Args:
        deletion: (n,) scores; the first is that of the whole image, s(V).
        share: the part of s(V) to fall to, in [0, 1).
        measured: (n,) bool, the steps that count; by default all.

    Returns:
        The step; None where no step falls so low, or the whole image scores 0 already.

    Raises:
        InputError: a share outside [0, 1), or lengths that differ.
    """
    if not 0 <= share < 1:
        raise InputError(f"share must lie in [0, 1), got {share}")
    deletion = np.asarray(deletion)
    whole = deletion[0]
    return _first(deletion <= share * whole, measured) if whole > 0 else None


def _first(reached: np.ndarray, measured: np.ndarray | None) -> int | None:
    if measured is not None:
        if np.shape(measured) != reached.shape:
            raise InputError(f"{reached.shape} scores need as many flags, got {np.shape(measured)}")
        reached = reached & measured
    return int(np.argmax(reached)) if reached.any() else None
