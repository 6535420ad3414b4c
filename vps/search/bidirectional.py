"""Greedy search from both ends at once (LiMA)."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.greedy import added
from vps.search.orders import with_complements
from vps.search.protocol import Round, Rounds, measure_round

PENDING = 8
"""How many regions are tried for the end at each step, in the published experiments."""


def bidirectional(objective: Objective, seed: int = 0, /, pending: int = PENDING) -> Rounds:
    """Each step takes the most important region for the front and the least for the back.

    LiMA (Chen et al., "Less is More: Efficient Black-box Attribution via Minimal Interpretable
    Subset Selection", 2025). With front A, back B and the regions M between them, a step

        a = argmax over M of F(A + a),   b = argmin over the n worst of M of F(B + b)

    where the worst are those with the smallest F(A + b) but a. While more than n are left: then
    only the front grows. So m / 2 + n / 2 steps of two rounds do instead of m.

    Of regions with equal F the lower index stands before. Stopped early, the regions between stand
    by the F that they had at the step before.

    Args:
        pending: n, at least 1; with 1 the worst by F(A + b) is taken as it is.
    """
    count = objective.regions.count
    front, back, middle = np.empty(0, np.int64), np.empty(0, np.int64), np.arange(count)
    while len(middle) > 1:
        order = np.concatenate([front, middle, back])
        candidates = np.sort(middle)
        keep = added(front, candidates, count)
        if not (yield Round(order, with_complements(keep))):
            return order
        middle = _ranked(objective, candidates, keep)
        front, worst = np.append(front, middle[0]), np.sort(middle[1:][-pending:])
        middle = middle[1:]
        if len(middle) < pending:
            continue
        if pending > 1:
            order = np.concatenate([front, middle, back])
            keep = added(back, worst, count)
            if not (yield Round(order, with_complements(keep))):
                return order
            worst = _ranked(objective, worst, keep)
        back, middle = np.append(worst[-1], back), middle[middle != worst[-1]]
    order = np.concatenate([front, middle, back])
    yield measure_round(order)
    return order


def _ranked(objective: Objective, candidates: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Ascending candidates by F of the subset with each, descending; a stable sort."""
    return candidates[np.argsort(-objective.value(keep), kind="stable")]
