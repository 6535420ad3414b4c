"""Greedy search that trusts old gains as upper bounds (Minoux)."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.greedy import added
from vps.search.orders import with_complements
from vps.search.protocol import Round, Rounds, measure_round

_AT_ONCE = 4  # regions evaluated again in a round


def lazy(objective: Objective, seed: int = 0, /) -> Rounds:
    """Greedy with lazy evaluations (Minoux, "Accelerated greedy algorithms", 1978).

    A region's gain of an earlier step bounds its gain of this one if F is submodular: then only
    regions whose bound exceeds the best gain of this step need be evaluated again, and the order
    is that of greedy. A detector's F is not submodular, old gains mislead, and the order is worse:
    this search is here to be compared with.
    """
    count = objective.regions.count
    order, bounds = np.empty(0, np.int64), np.zeros(count)
    fresh = np.ones(count, bool)
    keep = np.concatenate([np.zeros((1, count), bool), np.eye(count, dtype=bool)])
    if not (yield Round(np.arange(count), with_complements(keep))):
        return np.arange(count)
    values = objective.value(keep)
    reached, bounds = values[0], values[1:] - values[0]
    while len(order) < count:
        left = np.setdiff1d(np.arange(count), order)
        # By bound; of equals, the lower index first.
        ranked = left[np.argsort(-bounds[left], kind="stable")]
        while not fresh[ranked[0]]:
            chosen = ranked[~fresh[ranked]][:_AT_ONCE]
            keep = added(order, chosen, count)
            if not (yield Round(np.append(order, ranked), with_complements(keep))):
                return np.append(order, ranked)
            bounds[chosen], fresh[chosen] = objective.value(keep) - reached, True
            ranked = left[np.argsort(-bounds[left], kind="stable")]
        order = np.append(order, ranked[0])
        reached += bounds[ranked[0]]
        fresh[:] = False
    yield measure_round(order)
    return order
