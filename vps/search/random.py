"""A random order: what any search has to beat."""

from __future__ import annotations

import numpy as np

from vps.objective import Objective


def random_order(objective: Objective, *, seed: int = 0, budget: int | None = None) -> np.ndarray:
    """The regions in random order, without a pass.

    Args:
        objective: tells how many regions there are.
        seed: the same seed gives the same order.
        budget: not used; no pass is made.

    Returns:
        (m,) int64.
    """
    return np.random.default_rng(seed).permutation(objective.regions.count)
