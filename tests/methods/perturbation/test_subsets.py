import numpy as np
import pytest

from tests.helpers.analytic import additive, breaking
from tests.helpers.games import WEIGHTS, asked
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.subsets import ShownSubsets

ROWS = ~np.eye(6, dtype=bool)


def shown(problem, budget=None, wanted=10, least=2):
    return ShownSubsets(problem, "some-method", budget, wanted=wanted, least=least, why="for it")


def test_a_row_that_has_passed_costs_nothing_and_the_rest_ends_where_the_passes_do():
    subsets = shown(asked(additive(WEIGHTS)), Budget(passes=4))
    keep = ROWS[[0, 0, 1, 0, 2, 1, 3, 4, 5]]
    assert subsets.show(keep) == 7
    assert (subsets.stopped, subsets.source.passes, subsets.left) == ("budget", 4, 0)
    assert subsets.show(ROWS[:4]) == 4
    np.testing.assert_allclose(subsets.scores(ROWS[:2])[:, 0], [0.85, 0.7])


def test_too_few_passes_are_refused_before_the_first():
    for budget, wanted in ((Budget(passes=1), 10), (None, 1), (Budget(passes=3), 1)):
        problem = asked(additive(WEIGHTS))
        with pytest.raises(InputError, match="1 passes are too few for some-method: it takes 2"):
            shown(problem, budget, wanted)
        assert not problem.detector.seen


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt()])
def test_what_ends_it_early_leaves_what_was_known(error):
    problem = asked(additive(WEIGHTS), batch_size=2)
    breaking(problem.detector, {1: error})
    subsets = shown(problem)
    assert subsets.show(ROWS) == 2
    assert subsets.stopped == ("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
    assert (subsets.error is None) == isinstance(error, KeyboardInterrupt)
    assert subsets.left == 0
    assert subsets.show(ROWS[2:]) == 0


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt()])
def test_before_the_least_is_known_it_is_raised(error):
    problem = asked(additive(WEIGHTS), batch_size=2)
    breaking(problem.detector, {1: error})
    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        shown(problem).show(ROWS, least=3)


def test_cancelling():
    reports = []
    budget = Budget(progress=reports.append, cancelled=lambda: len(reports) == 2)
    subsets = shown(asked(additive(WEIGHTS), batch_size=2), budget)
    assert subsets.show(ROWS) == 4
    assert subsets.stopped == "cancelled"
    assert [progress.passes for progress in reports] == [2, 4]


def test_a_region_of_which_nothing_is_known_is_painted_as_the_mean():
    problem = asked(additive(WEIGHTS))
    subsets = shown(problem, Budget(passes=5))
    found = subsets.attribution(np.array([[1.0, 2.0, np.nan, 3.0, np.nan, 2.0]]))
    np.testing.assert_allclose(found.means_of(problem.regions), [[1, 2, 2, 3, 2, 2]])
    assert found.maps.dtype == np.float32
    assert (found.limit, found.source) == (5, subsets.source)
