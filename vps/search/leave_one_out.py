"""The order of what is lost when one region is hidden: a single round, and where others start."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.protocol import Round, Rounds, measure_round

_PRIOR_SHARE = 0.02  # of the whole score: it orders what leaving out does not tell apart


def leave_one_out(objective: Objective, seed: int = 0, /) -> Rounds:
    """Regions by s(V) - s(V - {i}), in m + 2 passes and one round; another measures the curves.

    Where hiding either of two regions changes nothing, the box decides (`box_prior`): a share of
    0.02 s(V) of it is added to the difference.
    """
    first = first_round(objective)
    if not (yield first):
        return first.order
    order = leave_one_out_order(objective)
    yield measure_round(order)
    return order


def first_round(objective: Objective) -> Round:
    """Asks for the whole image, nothing, and all regions but one; its order is the prior's."""
    count = objective.regions.count
    whole = np.ones((1, count), bool)
    order = np.argsort(-box_prior(objective), kind="stable")
    return Round(order, np.concatenate([whole, ~whole, ~np.eye(count, dtype=bool)]))


def leave_one_out_order(objective: Objective) -> np.ndarray:
    """(m,) the order by leaving one out; to be read after `first_round`."""
    count = objective.regions.count
    keep = np.concatenate([np.ones((1, count), bool), ~np.eye(count, dtype=bool)])
    score = objective.evaluate(keep).score
    drop = score[0] - score[1:] + _PRIOR_SHARE * score[0] * box_prior(objective)
    return np.argsort(-drop, kind="stable")


def box_prior(objective: Objective) -> np.ndarray:
    """(m,) float64 in (0, 1]: how much each region is expected to matter, by its place alone.

        p_i = max(share of region i inside the box, 0.35 exp(-d_i / 0.12))

    with d_i the mean distance of its pixels from the box, in shares of the image's sides.
    """
    labels = objective.regions.label_map.ravel()
    height, width = objective.regions.label_map.shape
    rows, columns = objective.source.size
    x1, y1, x2, y2 = np.array(objective.target.box) / [columns, rows, columns, rows]
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width)[None, :] + 0.5) / width
    gaps = np.maximum(np.maximum(x1 - x, x - x2), 0), np.maximum(np.maximum(y1 - y, y - y2), 0)
    distance = np.hypot(*gaps).ravel()
    counts = np.bincount(labels)
    inside = np.bincount(labels, distance == 0) / counts
    near = 0.35 * np.exp(-np.bincount(labels, distance) / counts / 0.12)
    prior: np.ndarray = np.maximum(inside, near)
    return prior
