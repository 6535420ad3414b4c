"""One number a region, whatever a method gives: means of its map, or scores of its order."""

from __future__ import annotations

import numpy as np

from vps.engine.attribution import region_scores
from vps.engine.curves import replay
from vps.engine.problem import Problem
from vps.methods.protocol import Attribution


def region_values(problem: Problem, found: Attribution) -> np.ndarray:
    """How important each region is, by what a method says of the T targets of a problem.

    Of maps, the mean over the region. Of an order, the scores that explanations paint
    (`vps.engine.attribution.region_scores`), from what its search has seen of its prefixes; those
    that it has not are interpolated.

    Returns:
        (T, m) float64, higher is more important.

    Raises:
        InputError: the search of an order has not seen the whole image and nothing.
    """
    if found.orders is None:
        return np.stack(found.means_of(problem.regions))
    source = problem.passes() if found.source is None else found.source
    measure = found.source is None
    return np.stack(
        [
            region_scores(order, replay(objective, order, measure=measure).objective)
            for objective, order in zip(problem.objectives(source), found.orders, strict=True)
        ]
    )
