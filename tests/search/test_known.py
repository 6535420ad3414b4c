import itertools

import numpy as np
import pytest

from tests.helpers.analytic import additive, constant, coverage, scattered, strip_detector, worth
from tests.helpers.objectives import WEIGHTS, make, subsets
from vps.engine.curves import prefixes, replay
from vps.search.known import best_known_order
from vps.search.orders import with_complements


def measured_worth(objective, order) -> float:
    return worth(objective, order, replay(objective, order, measure=False).objective)


def by_brute_force(objective) -> dict[tuple[int, ...], float]:
    """J of every order whose prefixes and complements have all passed."""
    found = {}
    for order in itertools.permutations(range(objective.regions.count)):
        keep = prefixes(np.array(order))
        if objective.source.known(np.concatenate([keep, ~keep])).all():
            found[order] = measured_worth(objective, np.array(order))
    return found


def objective_knowing(orders, answer=None, count: int = 6, extra: np.ndarray | None = None):
    objective = make(strip_detector(answer or scattered(), count), batch_size=32)
    for order in orders:
        replay(objective, np.array(order))
    if extra is not None:
        objective.evaluate(extra)
    return objective


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("seed", range(4))
def test_equals_brute_force_over_the_known_orders(seed, count):
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(count) for _ in range(3)]
    extra = with_complements(rng.random((2**count // 3, count)) < 0.5)
    objective = objective_knowing(orders, count=count, extra=extra)
    passes = objective.source.passes
    order, reached = best_known_order(objective)
    found = by_brute_force(objective)
    assert reached == pytest.approx(max(found.values()), abs=1e-12)
    assert found[tuple(order.tolist())] == pytest.approx(reached, abs=1e-12)
    assert objective.source.passes == passes


def test_with_all_subsets_known_it_is_the_optimum_over_all_orders():
    every = np.array(list(itertools.product([False, True], repeat=5)))
    objective = objective_knowing([], count=5, extra=every)
    order, reached = best_known_order(objective)
    found = by_brute_force(objective)
    assert len(found) == 120
    assert reached == pytest.approx(max(found.values()), abs=1e-12)
    assert found[tuple(order.tolist())] == pytest.approx(reached, abs=1e-12)


def test_subsets_without_their_complement_are_no_way():
    order = np.array([3, 1, 0, 5, 4, 2])
    better = np.argsort(-WEIGHTS)
    objective = objective_knowing([order], additive(WEIGHTS), extra=prefixes(better))
    assert best_known_order(objective)[0].tolist() == order.tolist()
    objective.evaluate(~prefixes(better))
    assert best_known_order(objective)[0].tolist() == better.tolist()


def test_joins_two_orders_into_a_better_one():
    # One begins well, the other ends well; both pass through {0, 1, 2}.
    weights = np.array([6, 5, 4, 3, 2, 1]) / 32
    orders = [[0, 1, 2, 5, 4, 3], [2, 1, 0, 3, 4, 5]]
    objective = objective_knowing(orders, additive(weights))
    order, reached = best_known_order(objective)
    assert order.tolist() == [0, 1, 2, 3, 4, 5]
    assert reached > max(measured_worth(objective, np.array(one)) for one in orders)
    assert objective.source.passes < sum(len(one) * 2 for one in orders)


def test_ties_go_to_the_lower_index():
    # The prefixes of the reverse order are the complements, so it is known too.
    objective = objective_knowing([[2, 3, 0, 1]], constant(0.5), 4)
    assert best_known_order(objective)[0].tolist() == [1, 0, 3, 2]
    replay(objective, np.array([1, 0, 2, 3]))
    assert best_known_order(objective)[0].tolist() == [1, 0, 2, 3]


def test_each_target_has_its_own_best_order():
    # The same subsets, weighed by consistency alone and by collaboration alone.
    covers = np.random.default_rng(1).random((6, 16)) < 0.4
    every = np.array(list(itertools.product([False, True], repeat=6)))
    found = []
    for lambdas in [(1.0, 0.0), (0.0, 1.0)]:
        objective = make(strip_detector(coverage(covers)), lambdas=lambdas, batch_size=64)
        objective.evaluate(every)
        order, reached = best_known_order(objective)
        assert reached == pytest.approx(max(by_brute_force(objective).values()), abs=1e-12)
        found.append(order.tolist())
    assert found[0] != found[1]


def test_areas_weigh_the_steps():
    # Five strips of 192 pixels differ in area, and each gives as much: the small ones come first.
    weights = np.full(5, 1 / 8)
    every = np.array(list(itertools.product([False, True], repeat=5)))
    objective = objective_knowing([], additive(weights), 5, every)
    areas = objective.regions.areas
    order, _ = best_known_order(objective)
    assert len(np.unique(areas)) > 1
    assert (np.diff(areas[order]) >= 0).all()


@pytest.mark.parametrize(
    "keep",
    [
        np.zeros((0, 6), bool),
        np.zeros((1, 6), bool),
        np.array([[False] * 6, [True] * 6]),
        prefixes(np.arange(6)),
        with_complements(prefixes(np.arange(6))[[0, 1, 2, 4, 5, 6]]),
        with_complements(subsets(12)),
    ],
    ids=["nothing", "empty", "ends", "no complements", "a gap", "scattered"],
)
def test_no_order_is_known(keep):
    objective = make(strip_detector(scattered()))
    objective.evaluate(keep)
    with pytest.raises(LookupError):
        best_known_order(objective)
