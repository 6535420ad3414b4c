"""Greedy search that measures only the regions which a surrogate expects to be best."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective
from vps.search.greedy import added
from vps.search.leave_one_out import box_prior
from vps.search.orders import with_complements
from vps.search.path_search import best, fit_around, improving, opening
from vps.search.plan import predicted
from vps.search.protocol import Round, Rounds
from vps.search.surrogate import Surrogate

_K = 2


def top_k(objective: Objective, seed: int = 0, /) -> Rounds:
    """Many rounds of few passes: for detectors that gain nothing from large batches.

    After the opening of `path_search`, greedy: but each step measures only the k = 2 regions with
    the largest expected F(S + a), takes the truly best, and adds what it saw to the surrogate, so
    the next step is planned with all that is known. What is left of the budget goes to the plans
    of `path_search`.
    """
    if (yield from opening(objective)):
        model = Surrogate(box_prior(objective))
        fit_around(objective, model, best(objective))
        if (yield from _steps(objective, model)):
            yield from improving(objective, model)
    return best(objective)


def _steps(objective: Objective, model: Surrogate) -> Rounds:
    """One greedy order; returns whether it came to its end."""
    count, order = objective.regions.count, best(objective)
    shown = np.empty(0, np.int64)
    while len(shown) < count:
        keep = added(shown[:-1], shown[-1:], count) if len(shown) else np.zeros((1, count), bool)
        _, expected = predicted(objective, model, keep)
        left = np.flatnonzero(~keep[0])
        candidates = np.sort(left[np.argsort(-expected[0, left], kind="stable")[:_K]])
        tried = added(shown, candidates, count)
        ask = with_complements(tried)
        new = ask[objective.source.new(ask)]
        if not (yield Round(order, ask)):
            return False
        shown = np.append(shown, candidates[np.argmax(objective.value(tried))])
        if len(new):
            model.extend(new, objective.evaluate(new).score)
    return True
