"""Repair rates against closed forms."""

import numpy as np
import pytest

from vps.errors import InputError
from vps.metrics.repair import is_repaired, repair_auc, repair_rate

NONE = float("nan")


def test_the_rate_counts_what_is_repaired_by_hiding_no_more():
    areas = [0.0, 0.05, 0.05, 0.3, NONE]
    assert repair_rate(areas, [0, 0.04, 0.05, 0.3, 1]) == pytest.approx([0.2, 0.2, 0.6, 0.8, 0.8])
    assert is_repaired(areas, [0.1])[:, 0].tolist() == [True, True, True, False, False]


def test_a_share_that_is_reached_up_to_rounding_is_reached():
    area = sum([0.1] * 3)
    assert area > 0.3
    assert repair_rate([area], [0.3]) == [1]


def test_nothing_repaired_is_a_rate_of_zero():
    assert repair_rate([NONE, NONE], [0, 1]).tolist() == [0, 0]
    assert repair_auc(None) == 0


@pytest.mark.parametrize(("area", "expected"), [(0.0, 1.0), (0.25, 0.75), (1.0, 0.0)])
def test_the_area_under_a_step_is_what_lies_right_of_it(area, expected):
    assert repair_auc(area) == expected


def test_the_mean_over_failures_is_the_area_under_the_rate():
    rng = np.random.default_rng(0)
    areas = np.where(rng.random(20) < 0.3, NONE, rng.random(20))
    # The rate is constant between the areas: sum over the steps.
    shares = np.unique([0, 1, *areas[np.isfinite(areas)]])
    area = float(np.sum(repair_rate(areas, shares)[:-1] * np.diff(shares)))
    each = [repair_auc(None if np.isnan(value) else value) for value in areas]
    assert np.mean(each) == pytest.approx(area)


@pytest.mark.parametrize("areas", [[-0.1], [0.5, 1.2]])
def test_areas_that_are_no_shares_are_refused(areas):
    with pytest.raises(InputError, match="areas lie in"):
        repair_rate(areas, [0.5])


def test_no_failures_have_no_rate():
    with pytest.raises(InputError, match="no failures"):
        repair_rate([], [0.5])
