"""What a search owes the engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from vps.objective import Objective


class Search(Protocol):
    """A strategy that orders the regions."""

    def __call__(self, objective: Objective, *, seed: int, budget: int | None) -> np.ndarray:
        """Order the regions so that F rises early along the order.

        Args:
            objective: scores subsets of regions and counts the passes.
            seed: of whatever the strategy draws at random.
            budget: stop asking for more once `objective.passes` would exceed it; None for no
                limit. Reading the curves of the order afterwards may take up to 2 m passes more.

        Returns:
            (m,) int64, all regions, most important first. Ties go to the lower index.
        """
        ...
