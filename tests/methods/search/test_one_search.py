"""Methods that are one search: what they are allowed, and what they say that they take."""

import numpy as np
import pytest

from tests.helpers.analytic import (
    TARGET,
    additive,
    breaking,
    noisy,
    photo,
    scattered,
    strip_detector,
)
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods import make_method
from vps.methods.search.lima import LiMA
from vps.methods.search.phase_win import PhaseWin
from vps.methods.search.vps import VPS
from vps.search import SEARCHES
from vps.search.driver import run_searches

METHODS = {"phase-win": "phase_win", "lima": "bidirectional"}


def problem_of(detector, **settings):
    return make_problem(detector, photo(), [TARGET], regions=detector.regions, **settings)


@pytest.mark.parametrize("name", METHODS)
def test_the_smaller_of_both_budgets_counts(name):
    method = make_method(name, {"budget": 60})
    for given, limit in [(Budget(), 60), (Budget(40), 40), (Budget(100), 60)]:
        found = method.attribute(problem_of(strip_detector(scattered(), 12)), given)
        assert found.passes <= limit == found.limit
        assert (found.stopped, found.search) == ("budget", METHODS[name])
        assert sorted(found.orders[0].tolist()) == list(range(12))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 16])
@pytest.mark.parametrize("answer", [scattered(), additive(np.full(16, 0.05))])
def test_it_takes_no_more_than_it_says(name, count, answer):
    problem = problem_of(strip_detector(scattered(), count))
    method = make_method(name)
    found = method.attribute(problem)
    assert found.passes <= method.planned_passes(problem) <= 2**count
    assert found.stopped == "finished"


def test_what_lima_says_is_what_it_takes_but_for_subsets_of_both_ends():
    problem = problem_of(strip_detector(scattered(), 16))
    for pending in (2, 4, 8, 20):
        method = LiMA(pending=pending)
        spent = method.attribute(problem).passes
        assert method.planned_passes(problem) - 16 <= spent <= method.planned_passes(problem)


@pytest.mark.parametrize("name", METHODS)
def test_a_detector_that_fails_leaves_an_order(name):
    detector = breaking(strip_detector(scattered(), 8), {5: RuntimeError("no more")})
    found = make_method(name).attribute(problem_of(detector, batch_size=4))
    assert found.stopped == "failed"
    assert "no more" in str(found.error)
    assert sorted(found.orders[0].tolist()) == list(range(8))


def test_phase_win_is_the_search_of_that_name_with_its_settings():
    answers = []
    for method in (PhaseWin(), VPS(search="phase_win"), PhaseWin(prune=0.9)):
        detector = strip_detector(noisy(np.linspace(0.06, 0.08, 12), 0.1), 12)
        found = method.attribute(problem_of(detector), Budget(), 3)
        answers.append((found.orders[0].tolist(), found.passes))
    assert answers[0] == answers[1] != answers[2]


def test_lima_searches_with_its_own_weights_whatever_those_of_the_problem():
    orders = [
        LiMA(pending=3)
        .attribute(problem_of(strip_detector(scattered(), 8), lambdas=lambdas))
        .orders[0]
        .tolist()
        for lambdas in [(1, 1), (0, 1), (1, 1, 5)]
    ]
    assert orders[0] == orders[1] == orders[2]
    problem = problem_of(strip_detector(scattered(), 8), lambdas=(20, 5, 0.01))
    search = run_searches(SEARCHES["bidirectional"], problem.objectives(problem.passes()))
    assert LiMA().attribute(problem).orders[0].tolist() == search.orders[0].tolist()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lima", {"pending": 0}, "pending must be at least 1"),
        ("lima", {"weights": (1, 2)}, "weights needs 3 values, got 2"),
        ("lima", {"weights": (0, 0, 1)}, "weights must be two numbers >= 0, not both 0, or three"),
        ("lima", {"weights": 3}, "weights must be a list"),
        ("lima", {"budget": 0}, "budget must be at least 1, got 0"),
        ("lima", {"budget": 0.5}, "budget must"),
        ("phase-win", {"budget": -3}, "budget must be at least 1"),
        ("phase-win", {"window": 0}, "window must be at least 1"),
        ("phase-win", {"windows": 4}, "did you mean 'window'"),
    ],
)
def test_what_they_cannot_be_set_to(name, options, message):
    with pytest.raises(InputError, match=message):
        make_method(name, options)
