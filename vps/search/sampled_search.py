"""Orders judged by a sample of their prefixes, planned anew after every few passes."""

from __future__ import annotations

import itertools
from operator import itemgetter

import numpy as np

from vps.engine.curve_values import auc
from vps.engine.curves import areas_covered, prefixes, replay
from vps.engine.objective import Objective
from vps.search.leave_one_out import box_prior, first_round, leave_one_out_order
from vps.search.orders import with_complements
from vps.search.path_search import NO_EVIDENCE, best, fit_around, improving
from vps.search.plan import improved_plan
from vps.search.protocol import Round, Rounds, measure_round
from vps.search.surrogate import Surrogate

_SAMPLES = 16  # prefixes a round; with what they leave, twice as many passes
_WIDE = 32  # the same where rounds are few
_SHIFTS = (0, 0.5, -0.25, 0.25, 0.12, -0.37)  # of the samples, in their distance, in turn
_PATIENCE = 12  # rounds without a better order after which the search ends


def sampled_search(objective: Objective, seed: int = 0, /) -> Rounds:
    """More and smaller rounds than `path_search` for the same passes.

    1. Leave one region out, each in turn: the first order.
    2. Show 16 prefixes of the order, at equal shares of the area, and what they leave: at most 32
       passes. J, the area under F, is estimated from all of its prefixes that are known by now,
       whoever asked for them, with F straight in between. The order with the highest estimate is
       kept.
    3. Fit a surrogate to all that was measured, and improve by it the order that was just sampled
       and the one that is kept (`vps.search.plan`). Of the two plans, the one of which it expects
       more is the next order. Back to 2.
    4. The last of the budget, held back for it, measures the curves of the order that is kept.
       What is left where samples bring no better order any more is spent as `path_search` does.
    """
    return _sampling(objective, _SAMPLES)


def sampled_search_wide(objective: Objective, seed: int = 0, /) -> Rounds:
    """`sampled_search` with 32 prefixes of an order: half as many rounds, of 64 passes."""
    return _sampling(objective, _WIDE)


def _sampling(objective: Objective, samples: int) -> Rounds:
    if not (yield first_round(objective)):
        return best(objective)
    kept = order = leave_one_out_order(objective)
    if objective.seen[1].max() < NO_EVIDENCE:
        yield measure_round(order, divisible=True)
        return best(objective)
    model = Surrogate(box_prior(objective))
    failures = 0
    for shift in itertools.cycle(_SHIFTS):
        ask = with_complements(_sampled(objective, order, samples, shift))
        # All of it or nothing: else what is held back might not do for the curves.
        complete = yield Round(kept, ask, False, _reserve(objective, kept, order, ask))
        if not complete:
            yield measure_round(kept, divisible=True)
            return best(objective)
        if _estimated_worth(objective, order) > _estimated_worth(objective, kept):
            kept, failures = order, 0
        else:
            failures += 1
        if failures == _PATIENCE:
            break
        starts = [kept] if np.array_equal(order, kept) else [kept, order]
        fit_around(objective, model, *starts)
        plans = [improved_plan(objective, model, start) for start in starts]
        order, _ = max(plans, key=itemgetter(1))
    if (yield measure_round(kept, divisible=True)):
        yield from improving(objective, model)
    return best(objective)


def _sampled(objective: Objective, order: np.ndarray, samples: int, shift: float) -> np.ndarray:
    """(K, m) bool, K <= samples: prefixes of an order (m,) at equal shares of the area."""
    areas = areas_covered(objective.regions.areas, order)
    wanted = (np.arange(samples) + 0.5 + shift) / samples
    steps = np.abs(areas[:, None] - wanted).argmin(axis=0)
    return prefixes(order)[np.unique(steps)]


def _estimated_worth(objective: Objective, order: np.ndarray) -> float:
    """J of an order (m,) from those of its prefixes that are known, on both sides."""
    curves = replay(objective, order, measure=False)
    return auc(curves.areas, curves.objective)


def _reserve(objective: Objective, kept: np.ndarray, order: np.ndarray, ask: np.ndarray) -> int:
    """The passes that measure the curves of either order, once all that is asked for is known."""
    curves = [with_complements(prefixes(one)) for one in (kept, order)]
    new = objective.source.new
    later = [int(new(np.concatenate([ask, one])).sum()) for one in curves]
    return max(later) - int(new(ask).sum())
