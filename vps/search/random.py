"""A random order: what any search has to beat."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.protocol import Rounds, measure_round


def random_order(objective: Objective, seed: int = 0, /) -> Rounds:
    """The regions in random order; the same seed gives the same order. One round: its curves."""
    order = np.random.default_rng(seed).permutation(objective.regions.count)
    yield measure_round(order)
    return order
