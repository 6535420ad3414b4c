"""All metrics of one explanation, against what can be worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import auc

from tests.analytic import TARGET, additive, constant, photo, strip_detector
from tests.test_objective import WEIGHTS
from vps import explain
from vps.errors import InputError
from vps.measures import MetricSettings, measure
from vps.metrics import METRICS
from vps.metrics.fidelity import random_subsets


def explained(answer=None, **settings):
    detector = strip_detector(additive(WEIGHTS) if answer is None else answer)
    return explain(detector, photo(), TARGET, regions=detector.regions, search="greedy", **settings)


@pytest.fixture(scope="module")
def explanation():
    return explained()


def test_names_are_those_of_the_table_and_values_are_finite(explanation):
    mask = np.zeros(explanation.image_size, bool)
    mask[3:5, 3:5] = True
    hidden = random_subsets(16, 6, seed=0)
    scores = 0.5 - hidden @ WEIGHTS / 2
    metrics = measure(explanation, mask=mask, fidelity=(hidden, scores))
    assert list(metrics) == list(METRICS)
    assert all(np.isfinite(value) and isinstance(value, float) for value in metrics.values())


def test_areas_are_those_of_an_independent_trapezoid_from_the_point_at_0(explanation):
    metrics = measure(explanation)
    ordered = np.sort(WEIGHTS)[::-1]
    areas = np.arange(7) / 6
    insertion = auc(areas, [0, *np.cumsum(ordered)])
    assert metrics["insertion"] == pytest.approx(insertion, abs=1e-6)
    assert metrics["insertion_normalised"] == pytest.approx(insertion / WEIGHTS.sum(), abs=1e-6)
    deletion = auc(areas, WEIGHTS.sum() - np.array([0, *np.cumsum(ordered)]))
    assert metrics["deletion"] == pytest.approx(deletion, abs=1e-6)


def test_each_highest_score_uses_its_own_threshold_not_that_of_a_peer_bug(explanation):
    """A box whose IoU is 0.6 counts at 0.5 and does not at 0.75."""
    loose = dataclasses.replace(explanation, insertion_iou=np.full(7, 0.6))
    metrics = measure(loose)
    assert metrics["highest_score_50"] == pytest.approx(WEIGHTS.sum(), abs=1e-6)
    assert metrics["highest_score_75"] == 0
    own = measure(loose, settings=MetricSettings(highest_ious=(0.55,), success_iou=0.65))
    assert own["highest_score_55"] > 0
    assert own["success"] == 0


def test_fidelity_is_the_rank_correlation_with_the_map_that_was_hidden(explanation):
    hidden = random_subsets(40, 6, seed=3)
    scores = WEIGHTS.sum() - hidden @ WEIGHTS**2
    found = measure(explanation, fidelity=(hidden, scores))["mu_fidelity"]
    sums = [explanation.heatmap[explanation.label_map == region].sum() for region in range(6)]
    expected = spearmanr(hidden @ np.array(sums), hidden @ WEIGHTS**2).statistic
    assert found == pytest.approx(expected, abs=0.02)


def test_what_does_not_apply_is_absent():
    with pytest.warns(UserWarning, match="no evidence|constant"):
        nothing = explained(constant(0.0))
    metrics = measure(nothing)
    absent = set(METRICS) - set(metrics)
    assert absent >= {"insertion_normalised", "sufficient_area", "necessary_area", "mu_fidelity"}
    assert metrics["pointing"] == 0  # a constant map is a miss


def test_the_truth_box_is_what_the_pointing_games_look_for(explanation):
    heatmap = explanation.heatmap
    top, left = np.argwhere(heatmap == 1)[0].tolist()
    inside = measure(explanation, truth_box=(left, top, left + 1, top + 1))
    ties = int((heatmap == 1).sum())
    assert inside["pointing"] == pytest.approx(1 / ties)
    assert measure(explanation, truth_box=(0, 0, 16, 12))["energy_pointing"] == pytest.approx(1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"highest_ious": (1.0,)},
        {"highest_ious": (0.5, 0.5)},
        {"sufficient_share": 0},
        {"necessary_share": 1},
        {"fidelity_subsets": 1},
        {"fidelity_share": 1},
        {"success_score": -1},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        MetricSettings(**wrong)


def test_a_mask_of_another_image_is_refused(explanation):
    with pytest.raises(InputError):
        measure(explanation, mask=np.ones((3, 3), bool))
