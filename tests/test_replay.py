import numpy as np
import pytest

from tests.analytic import additive, scattered, strip_detector
from tests.test_objective import WEIGHTS, make
from vps.errors import InputError
from vps.metrics.curves import auc
from vps.replay import replay


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
