"""The search from both ends against LiMA's steps, read aloud."""

import functools

import numpy as np
import pytest

from tests.helpers.analytic import additive, coverage, needed_pair, noisy, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS, make
from vps.engine.budget import Budget
from vps.engine.curves import replay
from vps.search.bidirectional import PENDING, bidirectional
from vps.search.driver import run_searches

COVERS = np.random.default_rng(0).random((6, 16)) < 0.3


def found(objective, pending=PENDING, **settings):
    search = functools.partial(bidirectional, pending=pending)
    return run_searches(search, [objective], **settings)


def literal(objective, count: int, pending: int) -> list[int]:
    """One subset at a time; ties are left to the lower index in front, to the higher behind."""

    def value(regions) -> float:
        return float(objective.value(np.isin(np.arange(count), list(regions))[None])[0])

    forward: list[int] = []
    backward: list[int] = []
    while len(forward) + len(backward) < count:
        between = [r for r in range(count) if r not in forward and r not in backward]
        if len(between) == 1:
            forward.append(between[0])
            break
        scores = {region: value([*forward, region]) for region in between}
        best = max(between, key=lambda region: (scores[region], -region))
        if len(between) > pending:
            others = [region for region in between if region != best]
            worst = sorted(others, key=lambda region: (scores[region], -region))[:pending]
            again = {region: value([*backward, region]) for region in worst}
            backward.append(min(worst, key=lambda region: (again[region], -region)))
        forward.append(best)
    return forward + backward[::-1]


@pytest.mark.parametrize("pending", [2, 3, 5, 8])
@pytest.mark.parametrize("lambdas", [(1, 1), (20, 5, 0.01), (1, 0, 0.5)])
@pytest.mark.parametrize(
    "answer",
    [
        scattered(),
        additive(WEIGHTS),
        coverage(COVERS),
        needed_pair(WEIGHTS, 0, 4),
        noisy(WEIGHTS),
    ],
    ids=["scattered", "additive", "coverage", "needed pair", "noisy"],
)
def test_equals_the_steps_of_the_paper(answer, lambdas, pending):
    order = found(make(strip_detector(answer), lambdas=lambdas), pending).orders[0]
    assert order.tolist() == literal(make(strip_detector(answer), lambdas=lambdas), 6, pending)


@pytest.mark.parametrize("count", [2, 5, 9, 12])
def test_with_one_pending_the_worst_of_the_step_goes_to_the_back(count):
    objective = make(strip_detector(scattered(), count))
    front, back, between = [], [], list(range(count))
    while len(between) > 1:
        keep = np.array([np.isin(np.arange(count), [*front, region]) for region in between])
        ranked = [between[i] for i in np.argsort(-objective.value(keep), kind="stable")]
        front, back = [*front, ranked[0]], [ranked[-1], *back]
        between = sorted(ranked[1:-1])
    outcome = found(make(strip_detector(scattered(), count)), pending=1)
    assert outcome.orders[0].tolist() == [*front, *between, *back]
    assert count // 2 <= outcome.rounds <= count // 2 + 1


@pytest.mark.parametrize(("count", "pending"), [(8, 8), (12, 8), (13, 4), (12, 2)])
def test_number_of_steps_and_curves_that_cost_nothing(count, pending):
    objective = make(strip_detector(scattered(), count))
    outcome = found(objective, pending)
    passes = objective.source.passes
    assert replay(objective, outcome.orders[0]).measured.all()
    assert objective.source.passes == passes
    both = max(count - pending + 1, 0) // 2
    # The last step asks for nothing new, nor does the round of the curves.
    assert outcome.rounds <= 2 * both + count - 2 * both


def test_stopped_early_the_regions_between_stand_by_the_step_before():
    count, objective = 12, make(strip_detector(additive(np.arange(1, 13) / 90), 12))
    outcome = found(objective, pending=3, budget=Budget(2 * count + 2))
    assert outcome.stopped == "budget"
    assert outcome.orders[0].tolist() == list(range(count))[::-1]
