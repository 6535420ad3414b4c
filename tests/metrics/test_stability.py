import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.helpers.analytic import TARGET, additive, noisy, photo, strip_detector
from vps.errors import InputError
from vps.metrics.stability import Variation, agreement, stability, usual_variations


def test_agreement_equals_an_independent_reference():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 50, (2, 20, 30)).astype(float)
    found = agreement(one, other)
    assert found.spearman == pytest.approx(spearmanr(one.ravel(), other.ravel())[0])
    assert agreement(other, one) == pytest.approx(found)


def test_the_top_tenth_is_counted_by_hand():
    one, other = np.zeros((10, 10)), np.zeros((10, 10))
    one.ravel()[:10] = other.ravel()[5:15] = 1
    assert agreement(one, other).top_iou == pytest.approx(5 / 15)
    # 20 pixels share the highest value: half of each belongs to the top.
    one.ravel()[:20] = 1
    assert agreement(one, one).top_iou == 1
    assert agreement(one, other).top_iou == pytest.approx((10 * 0.5) / (10 * 0.5 + 10))


def test_of_a_constant_map_no_rank_can_be_told():
    found = agreement(np.zeros((4, 4)), np.arange(16.0).reshape(4, 4))
    assert np.isnan(found.spearman)
    with pytest.raises(ValueError, match="one grid"):
        agreement(np.zeros((4, 4)), np.zeros((4, 5)))


def test_what_changes_nothing_is_the_same_and_what_changes_is_compared():
    weights = np.array([0.4, 0.02, 0.3, 0.01, 0.05, 0.03])
    detector = strip_detector(additive(weights))
    told = []
    first, rows = stability(
        detector,
        photo(),
        TARGET,
        variations=usual_variations(numbers=(), searches=("top_k",)),
        regions=detector.regions,
        search="greedy",
        done=told.append,
    )
    assert [row.variation for row in rows] == told
    assert told == ["seed +1", "seed +2", "search top_k", "fill black", "fill blur"]
    assert first.search == "greedy"
    for row in rows:
        assert (row.spearman, row.top_iou, row.gain) == pytest.approx((1, 1, 0))
        assert row.kept == 1
    # Regions 0 and 2 decide, and all others help.
    assert rows[0].chance == 1


def test_another_detector_would_be_told_apart():
    """A search that stops early, against greedy on a noisy score."""
    detector = strip_detector(noisy(np.linspace(0.3, 0.0, 12), 0.2), 12)
    _, (row,) = stability(
        detector,
        photo(),
        TARGET,
        variations=[Variation("one by one", {"search": "leave_one_out"})],
        regions=detector.regions,
        search="greedy",
    )
    assert row.spearman < 0.95
    assert row.gain < 0


def test_a_method_without_a_search_has_no_levels_to_keep():
    detector = strip_detector(additive(np.full(6, 0.1)))
    _, rows = stability(detector, photo(), TARGET, method="random", regions=detector.regions)
    assert {row.variation for row in rows} >= {"seed +1", "36 regions", "fill black"}
    assert not any("search" in row.variation for row in rows)
    assert all(np.isnan(row.kept) for row in rows)


def test_something_has_to_change():
    detector = strip_detector(additive(np.full(6, 0.1)))
    with pytest.raises(InputError, match="nothing is varied"):
        stability(
            detector, photo(), TARGET, fill="black", variations=[Variation("x", {"fill": "black"})]
        )
