"""The paper's search: add the region that raises F most, until all are in."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.orders import with_complements
from vps.search.protocol import Round, Rounds


def greedy(objective: Objective, seed: int = 0, /) -> Rounds:
    """Greedy maximisation of F, one region a step.

        a_k = argmax over a not in S_(k-1) of F(S_(k-1) + a),   S_k = S_(k-1) + a_k

    Step k scores m - k + 1 subsets and as many complements. Over all steps that makes m (m + 1),
    of which four coincide with others (pairs of one region and all but one) for m >= 3: so
    m (m + 1) - 4 passes, after which the curves of the order cost none.

    Stopped early, the remaining regions follow by the F they had at the step before.
    """
    count = objective.regions.count
    remaining, order = np.arange(count), np.empty(0, np.int64)
    while len(remaining):
        candidates = np.sort(remaining)
        keep = added(order, candidates, count)
        if not (yield Round(np.append(order, remaining), with_complements(keep))):
            break
        # A stable sort of ascending candidates: of equals, the lower index comes first.
        remaining = candidates[np.argsort(-objective.value(keep), kind="stable")]
        order, remaining = np.append(order, remaining[0]), remaining[1:]
    return np.append(order, remaining)


def added(shown: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """(K, count) bool: the regions `shown` and one of the K `candidates`."""
    keep = np.zeros((len(candidates), count), bool)
    keep[:, shown] = True
    keep[np.arange(len(candidates)), candidates] = True
    return keep
