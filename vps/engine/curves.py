"""The curves along an order of regions: the one way in which all methods are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vps.core.scoring import BestCandidates
from vps.engine.objective import Objective
from vps.errors import InputError


@dataclass(frozen=True, eq=False)
class Curves:
    """Values at steps k = 0..m, named and shaped as in `vps.results.explanation.Explanation`."""

    objective: np.ndarray
    insertion: np.ndarray
    deletion: np.ndarray
    insertion_class: np.ndarray
    deletion_class: np.ndarray
    insertion_iou: np.ndarray
    deletion_iou: np.ndarray
    insertion_boxes: np.ndarray
    deletion_boxes: np.ndarray
    areas: np.ndarray
    measured: np.ndarray


def prefixes(order: np.ndarray) -> np.ndarray:
    """(m + 1, m) bool: the first k regions of an order (m,), for k = 0..m."""
    order = np.asarray(order)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[None, :] < np.arange(len(order) + 1)[:, None]


def areas_covered(areas: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(m + 1,) share of the area that the first k regions of an order cover, from 0 to 1."""
    # The last point is 1 by definition; a sum of shares may miss it by rounding.
    return np.concatenate([[0.0], np.cumsum(areas[order])[:-1], [1.0]])


def replay(objective: Objective, order: np.ndarray, *, measure: bool = True) -> Curves:
    """Show and hide the first k regions of an order, for k = 0..m.

    Args:
        objective: scores subsets; what it has seen costs no pass.
        order: (m,) all regions, most important first.
        measure: whether to make the passes that are missing; otherwise values between measured
            steps are interpolated over the area, boxes are those of the step before, and
            `Curves.measured` tells which are which.

    Returns:
        The curves; at most 2 m passes, for the whole image and nothing are on both.

    Raises:
        InputError: an order that does not hold each region once; or nothing may be measured, and
            neither the whole image nor nothing has been.
        DetectorError: the detector breaks its contract.
    """
    order, count = np.asarray(order), objective.regions.count
    if not np.array_equal(np.sort(order), np.arange(count)):
        raise InputError(f"an order must hold each region 0..{count - 1} once, got {order}")
    keep = prefixes(order)
    both = np.concatenate([keep, ~keep])
    areas = areas_covered(objective.regions.areas, order)
    known = np.ones(len(both), bool) if measure else objective.source.known(both)
    shown, hidden = np.split(known, 2)
    if not (shown[0] and shown[-1]):
        raise InputError("a curve needs at least the scores of the whole image and of nothing")
    best = objective.evaluate(both[known])
    insertion = _filled(areas, shown, best[: shown.sum()])
    deletion = _filled(areas, hidden, best[shown.sum() :])
    return Curves(
        objective=objective.combine(insertion.score, deletion.score, keep),
        insertion=insertion.score,
        deletion=deletion.score,
        insertion_class=insertion.class_score,
        deletion_class=deletion.class_score,
        insertion_iou=insertion.iou,
        deletion_iou=deletion.iou,
        insertion_boxes=insertion.box,
        deletion_boxes=deletion.box,
        areas=areas,
        measured=shown & hidden,
    )


def _filled(
    areas: np.ndarray, known: np.ndarray, best: BestCandidates[np.ndarray]
) -> BestCandidates[np.ndarray]:
    """(m + 1,) from known steps: values interpolated, boxes those of the step before."""
    filled = best[np.cumsum(known) - 1]
    for name in ("score", "class_score", "iou"):
        getattr(filled, name)[:] = np.interp(areas, areas[known], getattr(best, name))
    return filled
