import numpy as np
import pytest

from tests.analytic import additive, scattered, strip_detector
from tests.test_objective import WEIGHTS, make
from vps.replay import replay
from vps.search import SEARCHES
from vps.search.greedy import greedy


def test_recovers_a_planted_order():
    order = greedy(make(strip_detector(additive(WEIGHTS))))
    assert order.tolist() == np.argsort(-WEIGHTS).tolist()


def test_ties_go_to_the_lower_index():
    weights = np.array([0.1, 0.3, 0.1, 0.3, 0.1])
    assert greedy(make(strip_detector(additive(weights), 5))).tolist() == [1, 3, 0, 2, 4]
    assert greedy(make(strip_detector(additive(np.zeros(5)), 5))).tolist() == [0, 1, 2, 3, 4]


def test_each_step_is_the_best_of_those_left():
    objective = make(strip_detector(scattered()))
    order = greedy(objective)
    for step in range(6):
        left = [a for a in range(6) if a not in order[:step]]
        keep = np.zeros((len(left), 6), bool)
        keep[:, order[:step]] = True
        keep[np.arange(len(left)), left] = True
        assert left[int(np.argmax(objective.value(keep)))] == order[step]


@pytest.mark.parametrize(("count", "passes"), [(1, 2), (2, 4), (3, 8), (6, 38), (8, 68)])
def test_number_of_passes_and_free_curves(count, passes):
    objective = make(strip_detector(scattered(), count))
    order = greedy(objective)
    assert objective.regions.count == count
    assert objective.passes == passes
    replay(objective, order)
    assert objective.passes == passes


def test_budget_keeps_the_order_of_the_last_step():
    objective = make(strip_detector(additive(WEIGHTS)))
    assert greedy(objective, budget=12).tolist() == np.argsort(-WEIGHTS).tolist()
    assert objective.passes == 12
    assert greedy(make(strip_detector(additive(WEIGHTS))), budget=11).tolist() == list(range(6))


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("budget", [None, 0, 13])
def test_every_search_orders_all_regions_within_budget_and_repeats_itself(name, budget):
    objectives = [make(strip_detector(scattered())) for _ in range(2)]
    orders = [SEARCHES[name](objective, seed=3, budget=budget) for objective in objectives]
    assert sorted(orders[0]) == list(range(6))
    assert np.array_equal(*orders)
    assert budget is None or objectives[0].passes <= budget


def test_random_follows_its_seed_without_a_pass():
    objective = make(strip_detector(scattered(), 12))
    orders = [SEARCHES["random"](objective, seed=seed, budget=None).tolist() for seed in (0, 1)]
    assert orders[0] != orders[1]
    assert objective.passes == 0
