import numpy as np
import pytest

from tests.helpers.analytic import additive, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS, make
from vps.engine.curve_values import auc
from vps.engine.curves import prefixes, replay
from vps.errors import InputError


def test_additive_score_has_the_closed_form():
    order = np.array([3, 1, 0, 5, 4, 2])
    curves = replay(make(strip_detector(additive(WEIGHTS))), order)
    prefix = np.concatenate([[0], np.cumsum(WEIGHTS[order])])
    np.testing.assert_allclose(curves.insertion, prefix, atol=1e-6)
    np.testing.assert_allclose(curves.deletion, WEIGHTS.sum() - prefix, atol=1e-6)
    np.testing.assert_allclose(curves.objective, 1 - WEIGHTS.sum() + 2 * prefix, atol=1e-6)
    # Each weight counts for the half step in which it appears and for all steps after.
    area = np.dot(WEIGHTS[order], (np.arange(6)[::-1] + 0.5) / 6)
    np.testing.assert_allclose(auc(curves.areas, curves.insertion), area, atol=1e-6)
    np.testing.assert_allclose(auc(curves.areas, curves.deletion), WEIGHTS.sum() - area, atol=1e-6)


def test_starts_with_nothing_and_ends_with_everything():
    curves = replay(make(strip_detector(scattered(), 5)), np.arange(5))
    assert curves.areas[0] == 0
    assert curves.areas[-1] == 1
    assert curves.insertion[0] == curves.deletion[-1]
    assert curves.insertion[-1] == curves.deletion[0]
    np.testing.assert_array_equal(curves.insertion_boxes[0], curves.deletion_boxes[-1])
    np.testing.assert_allclose(
        curves.insertion, curves.insertion_class * curves.insertion_iou, rtol=1e-6
    )


def test_costs_two_passes_a_region():
    objective = make(strip_detector(scattered()))
    replay(objective, np.arange(6))
    assert objective.source.passes == 12


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 3, 4, 4], [1, 2, 3, 4, 5, 6]])
def test_an_order_that_is_none(order):
    with pytest.raises(InputError, match="each region"):
        replay(make(strip_detector(scattered())), np.array(order))


ORDER = np.array([3, 1, 0, 5, 4, 2])
NAMES = ["", "_class", "_iou"]


def known(shown, hidden, detector=None):
    """An objective that knows both ends, and these steps of the curves along ORDER."""
    objective = make(detector or strip_detector(scattered()))
    steps = prefixes(ORDER)
    objective.evaluate(np.concatenate([steps[[0, -1]], steps[shown], ~steps[hidden]]))
    return objective


def test_what_is_not_measured_lies_on_the_line_between_measured_steps():
    objective = known(shown=[2, 3], hidden=[1, 5])
    passes = objective.source.passes
    got, full = replay(objective, ORDER, measure=False), replay(known([], []), ORDER)
    assert objective.source.passes == passes
    for side, steps in (("insertion", [0, 2, 3, 6]), ("deletion", [0, 1, 5, 6])):
        for name in NAMES:
            curve, true = getattr(got, side + name), getattr(full, side + name)
            assert np.array_equal(curve[steps], true[steps])
            for low, high in zip(steps, steps[1:], strict=False):
                for k in range(low + 1, high):
                    share = (got.areas[k] - got.areas[low]) / (got.areas[high] - got.areas[low])
                    expected = (1 - share) * true[low] + share * true[high]
                    assert curve[k] == pytest.approx(expected, abs=1e-12)
        boxes, true = getattr(got, f"{side}_boxes"), getattr(full, f"{side}_boxes")
        before = [max(step for step in steps if step <= k) for k in range(7)]
        assert np.array_equal(boxes, true[before])
    np.testing.assert_allclose(got.objective, got.insertion + 1 - got.deletion, atol=1e-12)
    assert np.array_equal(got.areas, full.areas)


@pytest.mark.parametrize(
    ("shown", "hidden", "measured"),
    [
        ([], [], [0, 6]),
        ([2, 3], [1, 5], [0, 6]),
        ([1, 2, 4], [1, 4, 5], [0, 1, 4, 6]),
        (range(7), range(7), range(7)),
    ],
)
def test_a_step_is_measured_where_both_its_curves_are(shown, hidden, measured):
    curves = replay(known(list(shown), list(hidden)), ORDER, measure=False)
    assert np.flatnonzero(curves.measured).tolist() == list(measured)


def test_with_all_steps_known_nothing_is_interpolated():
    objective = make(strip_detector(scattered()))
    full = replay(objective, ORDER)
    assert full.measured.all()
    again = replay(objective, ORDER, measure=False)
    for name, value in vars(full).items():
        assert np.array_equal(getattr(again, name), value), name


def test_the_line_runs_over_the_area_not_over_the_steps():
    # Five strips of 192 pixels differ in area.
    objective = make(strip_detector(additive(np.array([0.5, 0.1, 0.1, 0.1, 0.1])), 5))
    objective.evaluate(np.array([[False] * 5, [True] * 5]))
    curves = replay(objective, np.arange(5), measure=False)
    assert len(np.unique(objective.regions.areas)) > 1
    np.testing.assert_allclose(curves.insertion, 0.9 * curves.areas, atol=1e-6)
    np.testing.assert_allclose(curves.deletion, 0.9 * (1 - curves.areas), atol=1e-6)


@pytest.mark.parametrize("steps", [[], [0], [6], [1, 2, 3, 4, 5]])
def test_without_both_ends_there_is_no_curve(steps):
    objective = make(strip_detector(scattered()))
    objective.evaluate(prefixes(ORDER)[steps])
    with pytest.raises(InputError, match="whole image and of nothing"):
        replay(objective, ORDER, measure=False)
