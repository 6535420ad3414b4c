"""The curves along an order of regions: the one way in which all methods are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    seen = objective.evaluate(both[known])
    rows = np.column_stack([seen.score, seen.class_score, seen.iou, seen.box])
    insertion = _filled(areas, shown, rows[: shown.sum()])
    deletion = _filled(areas, hidden, rows[shown.sum() :])
    return Curves(
        objective=objective.combine(insertion[:, 0], deletion[:, 0]),
        insertion=insertion[:, 0],
        deletion=deletion[:, 0],
        insertion_class=insertion[:, 1],
        deletion_class=deletion[:, 1],
        insertion_iou=insertion[:, 2],
        deletion_iou=deletion[:, 2],
        insertion_boxes=insertion[:, 3:],
        deletion_boxes=deletion[:, 3:],
        areas=areas,
        measured=shown & hidden,
    )


def _filled(areas: np.ndarray, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m + 1, 7) from rows at known steps: values interpolated, boxes those of the step before."""
    values = [np.interp(areas, areas[known], column) for column in rows[:, :3].T]
    before = np.cumsum(known) - 1
    return np.column_stack([*values, rows[before, 3:]])
