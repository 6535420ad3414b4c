"""Plan a whole order by a surrogate, measure it in one round, and again."""

from __future__ import annotations

import numpy as np

from vps.engine.curves import prefixes
from vps.engine.objective import Objective
from vps.search.known import best_known_order
from vps.search.leave_one_out import box_prior, first_round, leave_one_out_order
from vps.search.orders import with_complements
from vps.search.plan import improved_plan
from vps.search.protocol import Round, Rounds, measure_round
from vps.search.surrogate import Surrogate

NO_EVIDENCE = 0.01
"""Below this score everywhere, differences between subsets are noise and no order is sought."""

_PATIENCE = 4  # rounds without progress after which the search ends


def path_search(objective: Objective, seed: int = 0, /) -> Rounds:
    """Few rounds of many passes: for detectors that gain from large batches.

    1. Leave one region out, each in turn; measure the order that this gives.
    2. Fit a surrogate to all that was measured (`vps.search.surrogate`), and improve the best
       order by moves of single regions for as long as the surrogate expects J, the area under F,
       to rise (`vps.search.plan`).
    3. Measure the planned order, one round of at most 2 (m - 1) passes. The best order is the best
       path through all that is known (`vps.search.known`). Repeat from 2 until a plan brings
       nothing new.
    """
    if (yield from opening(objective)):
        yield from improving(objective, Surrogate(box_prior(objective)))
    return best(objective)


def best(objective: Objective) -> np.ndarray:
    """(m,) the best order that is known; without any, by leaving one out, or else by the box."""
    try:
        return best_known_order(objective)[0]
    except LookupError:
        first = first_round(objective)
        seen = objective.source.known(first.ask).all()
        return leave_one_out_order(objective) if seen else first.order


def opening(objective: Objective) -> Rounds:
    """The first two rounds; returns whether it makes sense to go on."""
    if not (yield first_round(objective)):
        return False
    if not (yield measure_round(leave_one_out_order(objective), divisible=True)):
        return False
    return bool(objective.seen[1].max() >= NO_EVIDENCE)


def fit_around(objective: Objective, model: Surrogate, *orders: np.ndarray) -> None:
    """Fit the surrogate to all that is known, for predictions near orders (m,)."""
    keep = np.concatenate([prefixes(order) for order in orders])
    model.fit(*objective.seen, near=np.concatenate([keep, ~keep]))


def improving(objective: Objective, model: Surrogate) -> Rounds:
    """Plan and measure until nothing is gained any more; needs an order that is known."""
    order, reached = best_known_order(objective)
    failures = 0
    while failures < _PATIENCE:
        fit_around(objective, model, order)
        plan, _ = improved_plan(objective, model, order)
        ask = with_complements(prefixes(plan))
        if not objective.source.new(ask).any():
            break
        complete = yield Round(order, ask, True)
        order, now = best_known_order(objective)
        failures = 0 if now > reached else failures + 1
        reached = now
        if not complete:
            break
    return order
