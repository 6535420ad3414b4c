import numpy as np
import pytest

from vps.engine.attribution import (
    enlarged,
    nearest,
    paint,
    region_means,
    region_scores,
    region_sums,
    scaled,
)
from vps.errors import InputError


def test_recursion_of_the_paper():
    scores = region_scores(np.array([2, 0, 1]), np.array([0.0, 0.5, 0.4, 0.4]))
    # a_0 = 0, a_1 = -0.5, a_2 = -0.5 - 0.1.
    np.testing.assert_allclose(scores, [-0.5, -0.6, 0])


def test_recursion_of_the_authors_code():
    order, objective = np.array([2, 0, 1]), np.array([0.0, 0.5, 0.4, 0.4])
    # Region k of the order gets a_k: a_1 = -0.5, a_2 = -0.6, a_3 = -0.6.
    np.testing.assert_allclose(region_scores(order, objective, "vps-paper"), [-0.6, -0.6, -0.5])


def test_by_the_authors_rule_what_adds_nothing_looks_as_important_as_what_suffices():
    objective = np.array([0.0, 2.0, 2.0, 2.0, 1.0])
    order = np.array([1, 2, 0, 3])
    assert scaled(region_scores(order, objective, "vps-paper")).tolist() == [1, 1, 1, 0]
    assert scaled(region_scores(order, objective)).tolist() == [0, 1, 0, 0]


def test_a_region_that_suffices_stands_out_from_those_that_add_nothing():
    scores = scaled(region_scores(np.array([1, 2, 0, 3]), np.array([0.0, 2.0, 2.0, 2.0, 2.0])))
    assert scores.tolist() == [0, 1, 0, 0]


def test_earlier_is_never_lower():
    rng = np.random.default_rng(0)
    order = rng.permutation(20)
    assert (np.diff(region_scores(order, rng.random(21))[order]) <= 0).all()


def test_scaled_spans_zero_to_one():
    np.testing.assert_allclose(scaled(np.array([-3.0, -1.0, -2.0])), [0, 1, 0.5])


def test_constant_is_zero_with_a_warning():
    with pytest.warns(UserWarning, match="constant"):
        values = scaled(np.full(4, -0.7))
    assert values.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf, 0.0]])
def test_nothing_to_scale(values):
    with pytest.raises(InputError):
        scaled(np.array(values))


def test_lengths_must_fit():
    with pytest.raises(InputError, match="4 steps"):
        region_scores(np.arange(3), np.zeros(3))


@pytest.mark.parametrize(("source", "count"), [(5, 5), (5, 13), (13, 5), (1, 4)])
def test_nearest_is_the_pixel_under_the_centre(source, count):
    centres = (np.arange(count) + 0.5) * source / count
    assert nearest(source, count).tolist() == np.floor(centres).astype(int).tolist()


def test_paint_keeps_the_values_of_regions():
    label_map = np.array([[0, 1], [2, 2]])
    painted = paint(np.array([5.0, 6.0, 7.0]), label_map, (4, 6))
    assert painted[:2].tolist() == [[5, 5, 5, 6, 6, 6]] * 2
    assert (painted[2:] == 7).all()


def test_means_and_sums_of_regions_by_brute_force():
    rng = np.random.default_rng(0)
    label_map = rng.permutation(np.arange(60) % 7).reshape(6, 10)
    values = rng.normal(size=(6, 10)).astype(np.float32)
    parts = [values[label_map == region].astype(np.float64) for region in range(7)]
    np.testing.assert_allclose(region_means(values, label_map), [part.mean() for part in parts])
    np.testing.assert_allclose(region_sums(values, label_map), [part.sum() for part in parts])


def test_sums_on_another_grid_are_those_of_the_painted_regions():
    label_map = np.array([[0, 1], [2, 2]])
    values = np.random.default_rng(0).random((5, 7))
    painted = paint(np.arange(3), label_map, (5, 7))
    expected = [values[painted == region].sum() for region in range(3)]
    np.testing.assert_allclose(region_sums(values, label_map), expected)
    # A map of one pixel shows one region only.
    assert region_sums(np.ones((1, 1)), label_map).tolist() == [0, 0, 1]


@pytest.mark.parametrize("size", [(3, 4), (7, 9), (2, 2), (1, 30)])
def test_enlarged_by_loops(size):
    values = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    expected = np.empty(size)
    for row in range(size[0]):
        for column in range(size[1]):
            y = np.clip((row + 0.5) * 3 / size[0] - 0.5, 0, 2)
            x = np.clip((column + 0.5) * 4 / size[1] - 0.5, 0, 3)
            top, left = int(y), int(x)
            low, right = min(top + 1, 2), min(left + 1, 3)
            upper = values[top, left] * (1 - x % 1) + values[top, right] * (x % 1)
            lower = values[low, left] * (1 - x % 1) + values[low, right] * (x % 1)
            expected[row, column] = upper * (1 - y % 1) + lower * (y % 1)
    np.testing.assert_allclose(enlarged(values, size), expected, atol=1e-6)


def test_enlarged_stays_in_the_range_of_the_map():
    values = scaled(np.random.default_rng(0).random((5, 5)))
    found = enlarged(values, (333, 77))
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert 0.9 < found.max() <= 1
