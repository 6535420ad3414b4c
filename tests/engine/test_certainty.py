import itertools

import numpy as np
import pytest

from tests.helpers.analytic import TARGET, additive, by_score, photo, strip_detector
from vps.engine.certainty import Level, effects_of, levels_of
from vps.explaining.explain import explain


def all_subsets(count):
    return np.array(list(itertools.product([False, True], repeat=count)))


def test_effects_equal_the_differences_by_loops():
    rng = np.random.default_rng(0)
    subsets = np.unique(rng.random((60, 7)) < 0.5, axis=0)
    rng.shuffle(subsets)
    scores = rng.random(len(subsets))
    known = {row.tobytes(): score for row, score in zip(subsets, scores, strict=True)}
    found = effects_of(subsets, scores)
    for region in range(7):
        changes = []
        for row in subsets[~subsets[:, region]]:
            more = row.copy()
            more[region] = True
            if more.tobytes() in known:
                changes.append(known[more.tobytes()] - known[row.tobytes()])
        assert found[region, 3] == len(changes)
        assert found[region, 0] == pytest.approx(np.mean(changes or [0]))


def test_of_all_subsets_the_mean_effect_is_the_banzhaf_value():
    """For an additive score that is the weight, with an interval of no width."""
    weights = np.array([0.4, 0.2, 0.05, 0.0, -0.1])
    subsets = all_subsets(5)
    found = effects_of(subsets, 0.2 + subsets @ weights)
    np.testing.assert_allclose(found[:, :3], np.repeat(weights[:, None], 3, axis=1), atol=1e-12)
    assert (found[:, 3] == 16).all()
    assert [level.value for level in levels_of(found, 0.85)] == [
        "decides",
        "decides",
        "helps",
        "cannot be told",
        "hinders",
    ]


def test_noise_cannot_be_told_and_what_stands_out_of_it_can():
    rng = np.random.default_rng(1)
    subsets = all_subsets(8)[rng.random(256) < 0.6]
    scores = 0.5 * subsets[:, 2] + rng.normal(0, 0.2, len(subsets))
    levels = levels_of(effects_of(subsets, scores), 1.0)
    assert levels[2] is Level.DECIDES
    assert levels.count(Level.UNTOLD) >= 6


def test_with_few_contexts_nothing_can_be_told():
    two = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]], bool)
    found = effects_of(two, np.array([0.0, 1.0, 0.0, 1.0]))
    assert found[0].tolist() == [1, -1, 1, 2]
    assert found[2].tolist() == [0, -1, 1, 0]
    assert set(levels_of(found, 1.0)) == {Level.UNTOLD}
    assert effects_of(np.zeros((0, 3), bool), np.zeros(0)).shape == (3, 4)


@pytest.mark.parametrize("search", ["greedy", "path_search", "top_k"])
def test_an_explanation_tells_its_levels(search, tmp_path):
    """Region 3 is needed, region 8 stands in the way, the others do nothing."""
    rule = by_score(lambda keep: 0.8 * keep[3] * (1 - 0.5 * keep[8]))
    detector = strip_detector(rule, 12)
    found = explain(detector, photo(), TARGET, regions=detector.regions, search=search)
    levels = found.levels
    assert levels[3] is Level.DECIDES
    assert levels[8] is Level.HINDERS
    assert levels.count(Level.UNTOLD) == 10
    assert found.told_at((12, 16)).sum() == 32
    found.save(tmp_path / "one")
    assert type(found).load(tmp_path / "one") == found


def test_a_method_that_is_no_search_has_none():
    detector = strip_detector(additive(np.full(6, 0.1)))
    found = explain(detector, photo(), TARGET, regions=detector.regions, method="box")
    assert found.effects is None
    assert found.levels is None
    assert found.told_at((12, 16)).all()
