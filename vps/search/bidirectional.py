"""Greedy search from both ends at once (LiMA)."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.greedy import added
from vps.search.orders import with_complements
from vps.search.protocol import Round, Rounds, measure_round


def bidirectional(objective: Objective, seed: int = 0, /) -> Rounds:
    """Each step takes the best region as the next most, the worst as the next least important.

    As in LiMA (Chen et al., "Less is More", 2025): the step's evaluations F(S + a) of all
    remaining regions a are read at both ends, so m / 2 steps do, and about m (m + 2) / 2 passes
    before the curves of the order, which take up to m more.

    Stopped early, the remaining regions stand between by the F they had at the step before.
    """
    count = objective.regions.count
    front, back, middle = np.empty(0, np.int64), np.empty(0, np.int64), np.arange(count)
    while len(middle) > 1:
        candidates = np.sort(middle)
        keep = added(front, candidates, count)
        order = np.concatenate([front, middle, back])
        if not (yield Round(order, with_complements(keep))):
            return order
        middle = candidates[np.argsort(-objective.value(keep), kind="stable")]
        front, back = np.append(front, middle[0]), np.append(middle[-1], back)
        middle = middle[1:-1]
    order = np.concatenate([front, middle, back])
    yield measure_round(order)
    return order
