import numpy as np
import pytest
from scipy.integrate import trapezoid

from vps.errors import InputError
from vps.metrics.curves import auc, highest_score


def test_agrees_with_numpy_on_uneven_steps():
    rng = np.random.default_rng(0)
    areas = np.concatenate([[0], np.sort(rng.random(20)), [1]])
    scores = rng.random(22)
    np.testing.assert_allclose(auc(areas, scores), trapezoid(scores, areas))


def test_constant_line_and_triangle():
    areas = np.array([0, 0.1, 0.7, 1])
    assert auc(areas, np.full(4, 0.3)) == pytest.approx(0.3)
    assert auc(areas, areas) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("areas", "scores"), [([0], [1]), ([0, 1], [1, 1, 1]), ([0, 0.6, 0.4, 1], [0, 0, 0, 0])]
)
def test_unusable_curves(areas, scores):
    with pytest.raises(InputError):
        auc(np.array(areas), np.array(scores))


def test_highest_score_counts_steps_above_the_threshold_only():
    scores, ious = np.array([0.9, 0.6, 0.7]), np.array([0.5, 0.6, 0.8])
    assert highest_score(scores, ious) == 0.7
    assert highest_score(scores, ious, 0.3) == 0.9
    assert highest_score(scores, ious, 0.75) == 0.7
    assert highest_score(scores, ious, 0.9) == 0
    with pytest.raises(InputError):
        highest_score(scores, ious[:2])
