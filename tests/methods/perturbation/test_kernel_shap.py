import math

import numpy as np
import pytest
import torch
from captum.attr import KernelShap

from tests.helpers.analytic import additive, breaking, by_score, needed_pair
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
from vps.methods.perturbation.kernel_shap import KernelSHAP, _subsets


@pytest.mark.parametrize("samples", [12, 20, 62, None])
def test_of_an_additive_game_it_is_the_weights_whatever_was_shown(samples):
    values, found = values_of(KernelSHAP(samples), asked(additive(WEIGHTS)), seed=1)
    np.testing.assert_allclose(values, WEIGHTS, atol=1e-6)
    assert found.passes == min(64, (samples or 62) + 2)


def test_over_all_subsets_it_is_the_shapley_values():
    values, found = values_of(KernelSHAP(), asked(needed_pair(WEIGHTS, *PAIR)))
    np.testing.assert_allclose(values, exact_shapley(pair_score, 6), atol=1e-6)
    assert (found.passes, found.stopped) == (64, "finished")


def test_of_some_subsets_it_comes_near_and_adds_up():
    rng = np.random.default_rng(0)
    weights = rng.random(12) / 20

    def score(keep):
        return float(weights @ keep) + 0.3 * bool(keep[2] and keep[7])

    exact = weights + 0.15 * np.isin(np.arange(12), [2, 7])
    errors = []
    for samples in (60, 600):
        values, found = values_of(KernelSHAP(samples), asked(by_score(score), 12), seed=2)
        assert values.sum() == pytest.approx(score(np.ones(12, bool)), abs=1e-5)
        assert found.passes == samples + 2
        errors.append(np.abs(values - exact).max())
    assert errors[0] < 0.05
    assert errors[1] < 0.01


@pytest.mark.parametrize(
    ("answer", "tolerance"), [(additive(WEIGHTS), 1e-4), (needed_pair(WEIGHTS, *PAIR), 0.03)]
)
def test_it_is_captums_which_draws_all_subsets_at_random(answer, tolerance):
    torch.manual_seed(0)
    problem = asked(answer)
    theirs = KernelShap(score_of_pixels(problem)).attribute(
        problem.pixels[None],
        baselines=0.0,
        feature_mask=feature_mask(problem),
        n_samples=2000,
        perturbations_per_eval=50,
    )
    values, _ = values_of(KernelSHAP(), asked(answer))
    np.testing.assert_allclose(values, region_values(problem, theirs), atol=tolerance)


@pytest.mark.parametrize(("count", "wanted"), [(6, 62), (7, 40), (10, 200), (64, 300), (9, 18)])
def test_subsets_differ_and_sizes_are_whole_from_the_outside(count, wanted):
    rows, times = _subsets(count, wanted, np.random.default_rng(0))
    assert rows.shape == (wanted, count) == np.unique(rows, axis=0).shape
    sizes = rows.sum(axis=1)
    assert 0 < sizes.min() <= sizes.max() < count
    assert times.min() >= 1
    whole = [np.sum(sizes == size) == math.comb(count, size) for size in range(1, count)]
    expected = {
        (6, 62): [True] * 5,
        (7, 40): [True, False, False, False, False, True],
        (10, 200): [True, *[False] * 7, True],
    }
    if (count, wanted) in expected:
        assert whole == expected[count, wanted]


def test_more_features_than_passes():
    problem = asked(additive(WEIGHTS))
    for method, budget in ((KernelSHAP(), Budget(passes=13)), (KernelSHAP(11), Budget())):
        with pytest.raises(InputError, match="13 passes .* it takes 14 at least, .* of 6 features"):
            method.attribute(problem, budget)
    assert not problem.detector.seen


@pytest.mark.parametrize(("call", "passes"), [(2, 8), (1, 4)])
def test_ended_early_what_was_shown_until_then_is_used(call, passes):
    problem = asked(additive(WEIGHTS), batch_size=4)
    breaking(problem.detector, {call: KeyboardInterrupt()})
    values, found = values_of(KernelSHAP(), problem)
    assert (found.passes, found.stopped) == (passes, "interrupted")
    assert values.sum() == pytest.approx(WEIGHTS.sum(), abs=1e-6)


@pytest.mark.parametrize("samples", [0, 2.5])
def test_what_it_cannot_be_set_to(samples):
    with pytest.raises(InputError, match="samples"):
        KernelSHAP(samples)
