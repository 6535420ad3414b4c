"""The curves along an order of regions: the one way in which all methods are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vps.errors import InputError
from vps.objective import Objective


@dataclass(frozen=True, eq=False)
class Curves:
    """Values at steps k = 0..m, named and shaped as in `vps.result.Explanation`."""

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


def replay(objective: Objective, order: np.ndarray) -> Curves:
    """Show and hide the first k regions of an order, for k = 0..m.

    Args:
        objective: scores subsets; what it has seen costs no pass.
        order: (m,) all regions, most important first.

    Returns:
        The curves; at most 2 m passes, for the whole image and nothing are on both.

    Raises:
        InputError: an order that does not hold each region once.
        DetectorError: the detector breaks its contract.
    """
    order, count = np.asarray(order), objective.regions.count
    if not np.array_equal(np.sort(order), np.arange(count)):
        raise InputError(f"an order must hold each region 0..{count - 1} once, got {order}")
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    keep = rank[None, :] < np.arange(count + 1)[:, None]
    both = objective.evaluate(np.concatenate([keep, ~keep]))
    shown, hidden = slice(None, count + 1), slice(count + 1, None)
    # The last point is 1 by definition; a sum of shares may miss it by rounding.
    areas = np.concatenate([[0.0], np.cumsum(objective.regions.areas[order])[:-1], [1.0]])
    return Curves(
        objective=objective.combine(both.score[shown], both.score[hidden]),
        insertion=both.score[shown],
        deletion=both.score[hidden],
        insertion_class=both.class_score[shown],
        deletion_class=both.class_score[hidden],
        insertion_iou=both.iou[shown],
        deletion_iou=both.iou[hidden],
        insertion_boxes=both.box[shown],
        deletion_boxes=both.box[hidden],
        areas=areas,
    )
