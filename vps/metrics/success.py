"""How often, and how well, some part of the image brings the detection forth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vps.errors import InputError


def average_highest_score(scores: Sequence[float] | np.ndarray) -> float:
    """Mean over cases of `vps.engine.curve_values.highest_score`, after Chen et al., CVPR 2025.

    Args:
        scores: (n,) the highest score of each case, in [0, 1], all at the same IoU threshold.

    Raises:
        InputError: no cases, or scores outside [0, 1].
    """
    return float(_checked(scores).mean())


def is_success(score: float, threshold: float = 0.35) -> bool:
    """Whether the highest score of a case exceeds the threshold; to equal it is not enough."""
    return score > threshold


def success_rate(scores: Sequence[float] | np.ndarray, threshold: float = 0.35) -> float:
    """Explaining success rate: the share of cases whose highest score exceeds a threshold.

    After Chen et al., "Interpreting Object-level Foundation Models via Visual Precision Search",
    CVPR 2025.

    Args:
        scores: (n,) the highest score of each case, in [0, 1], all at the same IoU threshold.
        threshold: theta.

    Raises:
        InputError: no cases, or scores outside [0, 1].
    """
    return float(np.mean([is_success(score, threshold) for score in _checked(scores)]))


def _checked(scores: Sequence[float] | np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, np.float64)
    if not scores.size:
        raise InputError("there are no cases: a mean over none says nothing")
    # Written so that NaN is refused, too.
    if not ((scores >= 0) & (scores <= 1)).all():
        raise InputError(
            f"highest scores lie in [0, 1], got {scores.min():.4g} to {scores.max():.4g}"
        )
    return scores
