"""What a search owes the engine."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np

from vps.engine.curves import prefixes
from vps.engine.objective import Objective
from vps.search.orders import with_complements


class Round(NamedTuple):
    """What a strategy would answer if it were stopped now, and what it asks for next.

    Attributes:
        order: (m,) int64, the best order so far.
        ask: (K, m) bool, subsets to evaluate; the most telling first.
        divisible: whether the first part of `ask` is of use where not all of it can be afforded.
        reserve: how many passes of the budget are held back for the end, which is what is asked for
            after False, or by the next round without a reserve; None where nothing is held back.
    """

    order: np.ndarray
    ask: np.ndarray
    divisible: bool = False
    reserve: int | None = None


Rounds = Generator[Round, bool, Any]
"""Yields rounds, is sent whether all that was asked for has been evaluated, and returns the order.

What was asked for is then known to the objective. After False, the budget or the time is spent.
One round more at the most comes then: its order is the answer, and what it asks for is shown as far
as the reserve of the round before lasts.
"""


class Search(Protocol):
    """A strategy that orders the regions; it makes no pass of its own but asks for them."""

    def __call__(self, objective: Objective, seed: int, /) -> Rounds:
        """Order the regions so that F rises early along the order.

        Args:
            objective: what is known of subsets of regions.
            seed: of whatever the strategy draws at random.

        Returns:
            The rounds; the order is (m,) int64, all regions, most important first. Ties go to the
            lower index.
        """
        ...


def measure_round(order: np.ndarray, *, divisible: bool = False) -> Round:
    """The round that measures the curves of an order."""
    return Round(order, with_complements(prefixes(order)), divisible)
