import numpy as np
import pytest
from captum.attr import ShapleyValueSampling

from tests.helpers.analytic import additive, breaking, needed_pair
from tests.helpers.games import (
    PAIR,
    WEIGHTS,
    asked,
    exact_shapley,
    feature_mask,
    pair_score,
    region_values,
    score_of_pixels,
    values_of,
)
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.shapley_sampling import ShapleySampling


def test_of_an_additive_game_one_permutation_tells_all():
    values, found = values_of(ShapleySampling(permutations=1), asked(additive(WEIGHTS)))
    np.testing.assert_allclose(values, WEIGHTS, atol=1e-6)
    assert found.passes == 7


def test_many_permutations_come_near_the_shapley_values_and_add_up():
    values, found = values_of(
        ShapleySampling(permutations=3000), asked(needed_pair(WEIGHTS, *PAIR))
    )
    np.testing.assert_allclose(values, exact_shapley(pair_score, 6), atol=0.015)
    assert values.sum() == pytest.approx(pair_score(np.ones(6, bool)), abs=1e-5)
    assert (found.passes, found.stopped) == (64, "finished")


@pytest.mark.parametrize("answer", [additive(WEIGHTS), needed_pair(WEIGHTS, *PAIR)])
def test_it_is_captums_along_the_same_permutations(answer):
    rng = np.random.default_rng(5)
    orders = [rng.permutation(6).tolist() for _ in range(10)]
    problem = asked(answer)
    theirs = ShapleyValueSampling(score_of_pixels(problem))
    theirs.permutation_generator = lambda *_: iter(orders)
    attributed = theirs.attribute(
        problem.pixels[None], baselines=0.0, feature_mask=feature_mask(problem), n_samples=10
    )
    values, _ = values_of(ShapleySampling(permutations=10), asked(answer), seed=5)
    np.testing.assert_allclose(values, region_values(problem, attributed), atol=1e-6)


def test_a_budget_ends_within_a_permutation():
    problem = asked(additive(WEIGHTS))
    values, found = values_of(ShapleySampling(), problem, budget=Budget(passes=10))
    np.testing.assert_allclose(values, WEIGHTS, atol=1e-6)
    assert (found.passes, found.stopped, found.limit) == (10, "budget", 10)


def test_its_own_budget_draws_as_long_as_it_lasts():
    for budget, passes in ((20, 20), (1000, 64)):
        method = ShapleySampling(budget=budget)
        problem = asked(needed_pair(WEIGHTS, *PAIR))
        values, found = values_of(method, problem)
        assert found.passes == passes == method.planned_passes(problem)
    np.testing.assert_allclose(values, exact_shapley(pair_score, 6), atol=0.03)


def test_more_features_than_passes():
    problem = asked(additive(WEIGHTS))
    with pytest.raises(InputError, match="6 passes .* it takes 7 .* permutation of 6 features"):
        ShapleySampling().attribute(problem, Budget(passes=6))
    assert not problem.detector.seen


def test_ended_early_the_steps_until_then_are_used():
    problem = asked(additive(WEIGHTS), batch_size=2)
    breaking(problem.detector, {2: KeyboardInterrupt()})
    values, found = values_of(ShapleySampling(), problem)
    assert (found.passes, found.stopped) == (4, "interrupted")
    # Of three regions the weight is known; the others stand at the mean of these.
    assert np.isclose(values, WEIGHTS, atol=1e-6).sum() >= 3
    assert values.mean() == pytest.approx(np.sort(values)[[0, -1]].mean(), abs=0.2)


@pytest.mark.parametrize("settings", [{"permutations": 0}, {"budget": 1}, {"budget": 1.5}])
def test_what_it_cannot_be_set_to(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        ShapleySampling(**settings)


def test_it_may_be_ended_where_all_subsets_are_known():
    asked_often = []
    budget = Budget(cancelled=lambda: asked_often.append(1) or len(asked_often) > 500)
    problem = asked(needed_pair(WEIGHTS, *PAIR))
    values, found = values_of(ShapleySampling(permutations=10**6), problem, budget=budget)
    np.testing.assert_allclose(values, exact_shapley(pair_score, 6), atol=0.05)
    assert (found.passes, found.stopped) == (64, "cancelled")
    assert len(asked_often) == 501
