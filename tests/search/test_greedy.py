import numpy as np
import pytest

from tests.helpers.analytic import (
    additive,
    breaking,
    by_score,
    constant,
    coverage,
    needed_pair,
    noisy,
    scattered,
    strip_detector,
)
from tests.helpers.loops import by_loops
from tests.helpers.objectives import WEIGHTS, make
from vps.engine.budget import Budget
from vps.engine.curves import replay
from vps.search.driver import run_searches
from vps.search.greedy import greedy

COVERS = np.random.default_rng(0).random((6, 16)) < 0.3


def order_of(objective, **settings) -> list[int]:
    return run_searches(greedy, [objective], **settings).orders[0].tolist()


def naive(answer, count: int, lambdas=(1.0, 1.0)) -> list[int]:
    """The paper's loop, word for word, on the rule itself: no batches, no store, no detector."""

    def score(regions) -> float:
        return float(by_loops(*answer(np.isin(np.arange(count), list(regions))), "object")[0])

    order: list[int] = []
    while len(order) < count:
        best, chosen = -np.inf, -1
        for region in range(count):
            if region in order:
                continue
            shown = {*order, region}
            hidden = set(range(count)) - shown
            value = lambdas[0] * score(shown) + lambdas[1] * (1 - score(hidden))
            if value > best + 1e-9:
                best, chosen = value, region
        order.append(chosen)
    return order


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("lambdas", [(1.0, 1.0), (1.0, 0.0), (0.25, 2.0)])
def test_equals_the_naive_loop_on_a_rule_without_structure(count, lambdas):
    objective = make(strip_detector(scattered(), count), lambdas=lambdas, batch_size=5)
    assert order_of(objective) == naive(scattered(), count, lambdas)


@pytest.mark.parametrize(
    "answer",
    [
        additive(WEIGHTS),
        coverage(COVERS),
        needed_pair(WEIGHTS, 0, 4),
        noisy(WEIGHTS),
        constant(0.5),
    ],
    ids=["additive", "coverage", "needed pair", "noisy", "constant"],
)
def test_equals_the_naive_loop_on_rules_with_structure(answer):
    assert order_of(make(strip_detector(answer))) == naive(answer, 6)


def test_recovers_a_planted_order():
    assert order_of(make(strip_detector(additive(WEIGHTS)))) == np.argsort(-WEIGHTS).tolist()


def test_ties_go_to_the_lower_index():
    weights = np.array([1, 3, 1, 3, 1]) / 16
    assert order_of(make(strip_detector(additive(weights), 5))) == [1, 3, 0, 2, 4]
    assert order_of(make(strip_detector(constant(0), 5))) == [0, 1, 2, 3, 4]
    # Region 2 covers more than region 1, but no more of what region 0 leaves.
    points = np.array(
        [[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 1, 0, 0, 1, 0, 0]]
    )
    overlapping = strip_detector(coverage(points.astype(bool)), 3)
    assert order_of(make(overlapping, lambdas=(1, 0))) == [0, 1, 2]


def test_both_terms_count():
    # Region 0 is enough, so is region 1; together with 2 hidden, nothing is left.
    either = by_score(lambda keep: 0.5 * (keep[0] or keep[1]) + 0.25 * keep[2])
    assert order_of(make(strip_detector(either, 3), lambdas=(1, 0))) == [0, 2, 1]
    assert order_of(make(strip_detector(either, 3), lambdas=(0, 1))) == [2, 0, 1]


@pytest.mark.parametrize(("count", "passes"), [(1, 2), (2, 4), (3, 8), (4, 16), (6, 38), (8, 68)])
def test_number_of_passes_and_rounds_and_free_curves(count, passes):
    objective = make(strip_detector(scattered(), count))
    outcome = run_searches(greedy, [objective])
    assert objective.source.passes == passes
    assert count < 3 or passes == count * (count + 1) - 4
    # The last two steps ask for what the first and the driver have asked for: no rounds of passes.
    assert outcome.rounds == max(count - 2, 1)
    assert replay(objective, outcome.orders[0]).measured.all()
    assert objective.source.passes == passes


@pytest.mark.parametrize(
    ("budget", "steps"), [(14, 1), (23, 1), (24, 2), (31, 2), (32, 3), (37, 3), (38, 6), (39, 6)]
)
def test_a_budget_leaves_the_rest_by_the_last_step(budget, steps):
    objective = make(strip_detector(scattered()))
    outcome = run_searches(greedy, [objective], budget=Budget(budget))
    full = naive(scattered(), 6)
    assert outcome.orders[0].tolist()[:steps] == full[:steps]
    assert outcome.stopped == ("budget" if steps < 6 else "finished")
    left = np.setdiff1d(np.arange(6), full[: steps - 1])
    keep = np.zeros((len(left), 6), bool)
    keep[:, full[: steps - 1]] = True
    keep[np.arange(len(left)), left] = True
    by_value = left[np.argsort(-objective.value(keep), kind="stable")]
    assert outcome.orders[0].tolist() == [*full[: steps - 1], *by_value]


def test_stopped_in_the_first_round_it_keeps_the_lower_index_first():
    detector = breaking(strip_detector(additive(WEIGHTS)), {0: KeyboardInterrupt()})
    assert order_of(make(detector)) == list(range(6))
