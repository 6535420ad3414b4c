"""The paper's search: add the region that raises F most, until all are in."""

from __future__ import annotations

import numpy as np

from vps.objective import Objective


def greedy(objective: Objective, *, seed: int = 0, budget: int | None = None) -> np.ndarray:
    """Greedy maximisation of F, one region a step.

        a_k = argmax over a not in S_(k-1) of F(S_(k-1) + a),   S_k = S_(k-1) + a_k

    Step k scores m - k + 1 subsets and as many complements. Over all steps that makes m (m + 1),
    of which four coincide with others (pairs of one region and all but one) for m >= 3: so
    m (m + 1) - 4 passes, after which the curves of the order cost none.

    Args:
        objective: scores subsets of regions.
        seed: not used; nothing is drawn.
        budget: when a step could exceed this number of passes, the remaining regions follow by
            the F they had at the step before (at the start: by index).

    Returns:
        (m,) int64, most important first; ties go to the lower index.
    """
    count = objective.regions.count
    remaining, order = np.arange(count), np.empty(0, np.int64)
    while len(remaining):
        if budget is not None and objective.passes + 2 * len(remaining) > budget:
            break
        candidates = np.sort(remaining)
        keep = np.zeros((len(candidates), count), bool)
        keep[:, order] = True
        keep[np.arange(len(candidates)), candidates] = True
        values = objective.value(keep)
        # A stable sort of ascending candidates: of equals, the lower index comes first.
        remaining = candidates[np.argsort(-values, kind="stable")]
        order, remaining = np.append(order, remaining[0]), remaining[1:]
    return np.append(order, remaining)
