import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn.metrics import auc as sklearn_auc

from vps.engine.curve_values import auc, highest_score, necessary_step, normalised, sufficient_step
from vps.errors import InputError


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


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    areas, scores = np.sort(rng.random(30)), rng.random(30)
    assert auc(areas, scores) == pytest.approx(sklearn_auc(areas, scores))


def test_peers_bug_the_point_at_0_is_part_of_the_area():
    areas, scores = np.array([0, 0.5, 1]), np.array([1.0, 1.0, 1.0])
    assert auc(areas, scores) == 1
    assert auc(areas[1:], scores[1:]) == 0.5


def test_peers_bug_x_is_the_area_and_not_the_step():
    scores = np.array([0.0, 1.0, 1.0])
    assert auc(np.array([0, 0.8, 1]), scores) == pytest.approx(0.6)
    assert auc(np.array([0, 0.2, 1]), scores) == pytest.approx(0.9)


def test_peers_bug_iou_75_is_not_computed_at_50():
    scores, ious = np.array([0.9, 0.4]), np.array([0.6, 0.8])
    assert highest_score(scores, ious, 0.5) == 0.9
    assert highest_score(scores, ious, 0.75) == 0.4


def test_normalised_by_the_whole():
    assert normalised(0.3, 0.6) == pytest.approx(0.5)
    assert normalised(0.3, 0.1) == pytest.approx(3)
    assert normalised(0.0, 0.5) == 0
    assert normalised(0.3, 0.0) is None


def test_first_step_that_suffices_by_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(50):
        curve, share = rng.random(7), rng.uniform(0.1, 1)
        fits = [k for k in range(7) if curve[k] >= share * curve[-1]]
        assert sufficient_step(curve, share) == min(fits)


def test_first_step_that_is_necessary_by_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(50):
        curve, share = rng.random(7), rng.uniform(0, 0.9)
        fits = [k for k in range(7) if curve[k] <= share * curve[0]]
        assert necessary_step(curve, share) == (min(fits) if fits else None)


def test_steps_that_were_not_measured_do_not_count():
    measured = np.array([True, False, True, True])
    assert sufficient_step(np.array([0, 1, 0.2, 1]), measured=measured) == 3
    assert necessary_step(np.array([1, 0, 0.8, 0]), measured=measured) == 3
    with pytest.raises(InputError, match="flags"):
        sufficient_step(np.array([0, 1]), measured=measured)


def test_no_smallest_set():
    assert necessary_step(np.array([0.8, 0.7, 0.6])) is None
    # Where the whole scores 0, each step would reach a share of it.
    assert sufficient_step(np.array([0, 0.7, 0])) is None
    assert necessary_step(np.array([0, 0, 0])) is None


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (sufficient_step, 0),
        (sufficient_step, 1.1),
        (sufficient_step, float("nan")),
        (necessary_step, 1),
        (necessary_step, -0.1),
        (necessary_step, float("nan")),
    ],
)
def test_shares_out_of_range(step, share):
    with pytest.raises(InputError, match="share"):
        step(np.array([0.5, 0.5]), share)
