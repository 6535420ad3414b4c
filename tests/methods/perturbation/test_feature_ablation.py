import numpy as np
import pytest
from captum.attr import FeatureAblation as Captums

from tests.helpers.analytic import additive, breaking, needed_pair
from tests.helpers.games import (
    PAIR,
    WEIGHTS,
    asked,
    feature_mask,
    pair_score,
    region_values,
    score_of_pixels,
)
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.feature_ablation import FeatureAblation


@pytest.mark.parametrize("answer", [additive(WEIGHTS), needed_pair(WEIGHTS, *PAIR)])
def test_it_is_captums(answer):
    problem = asked(answer)
    theirs = Captums(score_of_pixels(problem)).attribute(
        problem.pixels[None], baselines=0.0, feature_mask=feature_mask(problem)
    )
    found = FeatureAblation().attribute(asked(answer), Budget(), 0)
    np.testing.assert_allclose(
        found.means_of(problem.regions)[0], region_values(problem, theirs), atol=1e-6
    )
    assert (found.passes, found.stopped) == (7, "finished")


def test_the_drop_of_a_region_that_another_needs():
    problem = asked(needed_pair(WEIGHTS, *PAIR))
    (values,) = FeatureAblation().attribute(problem).means_of(problem.regions)
    whole = pair_score(np.ones(6, bool))
    np.testing.assert_allclose(values, [0.05, whole, 0.1, whole, 0.15, 0.1], atol=1e-6)


def test_more_features_than_passes():
    problem = asked(additive(WEIGHTS))
    with pytest.raises(InputError, match="6 passes are too few .* at least, .* each of 6 regions"):
        FeatureAblation().attribute(problem, Budget(passes=6))
    assert not problem.detector.seen


def test_ended_early_the_seed_tells_which_regions_are_known():
    known = set()
    for seed in range(5):
        problem = asked(additive(WEIGHTS), batch_size=3)
        breaking(problem.detector, {1: KeyboardInterrupt()})
        found = FeatureAblation().attribute(problem, Budget(), seed)
        (values,) = found.means_of(problem.regions)
        right = np.isclose(values, WEIGHTS, atol=1e-6)
        assert right.sum() >= 2
        known.add(tuple(right))
    assert len(known) > 1
