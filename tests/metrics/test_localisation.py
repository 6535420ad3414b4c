import numpy as np
import pytest

from vps.errors import InputError
from vps.metrics.localisation import (
    any_maximum_inside,
    energy_pointing_game,
    inside_box,
    inside_whole_pixels,
    pointing_game,
)

SIZE = (4, 6)


def one_pixel(row, column, value=1.0):
    values = np.zeros(SIZE)
    values[row, column] = value
    return values


@pytest.mark.parametrize(
    "box", [(1, 1, 3, 4), (0.5, 0.5, 2.5, 2.5), (0.6, 1.49, 4.51, 2.2), (-3, -3, 1.2, 9)]
)
def test_pixels_inside_a_box_by_brute_force(box):
    x1, y1, x2, y2 = box
    inside = inside_box(box, SIZE)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            x, y = column + 0.5, row + 0.5
            assert inside[row, column] == (x1 <= x < x2 and y1 <= y < y2)


def test_whole_pixels_and_boxes_side_by_side():
    assert inside_box((0, 0, 6, 4), SIZE).all()
    assert inside_box((2, 1, 5, 3), SIZE).sum() == 6
    left, right = inside_box((0, 0, 2.5, 4), SIZE), inside_box((2.5, 0, 6, 4), SIZE)
    assert (left ^ right).all()
    assert not inside_box((2.6, 1.6, 3.4, 2.4), SIZE).any()


def test_the_maximum_inside_or_outside():
    inside = inside_box((2, 1, 5, 3), SIZE)
    assert pointing_game(one_pixel(1, 2), inside) == 1
    assert pointing_game(one_pixel(2, 4), inside) == 1
    # No tolerance, not even of one pixel.
    assert pointing_game(one_pixel(1, 5), inside) == 0
    assert pointing_game(one_pixel(3, 2), inside) == 0


def test_ties_count_as_the_share_inside():
    values = one_pixel(1, 2) + one_pixel(2, 2) + one_pixel(0, 0) + one_pixel(3, 5, 0.5)
    assert pointing_game(values, inside_box((2, 1, 5, 3), SIZE)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_peers_bug_a_constant_map_does_not_win(value):
    # np.argmax of a constant map is the first pixel, which this box holds.
    inside = inside_box((0, 0, 6, 3), SIZE)
    assert pointing_game(np.full(SIZE, value), inside) == 0


def test_the_scale_of_a_map_does_not_matter_to_pointing():
    values = np.random.default_rng(0).normal(size=SIZE)
    inside = inside_box((0, 0, 3, 4), SIZE)
    assert pointing_game(values, inside) == pointing_game(5 * values - 7, inside)


def test_energy_inside():
    inside = inside_box((2, 1, 5, 3), SIZE)
    assert energy_pointing_game(np.full(SIZE, 0.2), inside) == pytest.approx(6 / 24)
    assert energy_pointing_game(one_pixel(1, 2, 3) + one_pixel(0, 0), inside) == 0.75
    assert energy_pointing_game(one_pixel(0, 0), inside) == 0
    assert energy_pointing_game(np.zeros(SIZE), inside) == 0
    assert energy_pointing_game(np.ones(SIZE), np.eye(4, 6, dtype=bool)) == pytest.approx(4 / 24)


def test_energy_of_large_float32_maps_is_summed_exactly_enough():
    values = np.full((2000, 2000), 0.1, np.float32)
    assert energy_pointing_game(values, inside_box((0, 0, 1000, 2000), (2000, 2000))) == 0.5


def test_unusable_maps():
    inside = np.ones(SIZE, bool)
    for game in (pointing_game, energy_pointing_game):
        with pytest.raises(InputError, match="one size"):
            game(np.zeros((6, 4)), inside)
        with pytest.raises(InputError, match="NaN"):
            game(np.full(SIZE, np.nan), inside)
    with pytest.raises(InputError, match="at least 0"):
        energy_pointing_game(one_pixel(0, 0, -1), inside)


def test_by_the_authors_rule_one_pixel_at_the_maximum_is_enough():
    values = one_pixel(1, 2) + one_pixel(2, 2) + one_pixel(0, 0) + one_pixel(3, 5, 0.5)
    assert any_maximum_inside(values, inside_box((2, 1, 5, 3), SIZE)) == 1
    assert any_maximum_inside(values, inside_box((3, 1, 6, 4), SIZE)) == 0
    assert any_maximum_inside(np.full(SIZE, 0.3), inside_box((3, 1, 6, 4), SIZE)) == 1
    with pytest.raises(InputError, match="one size"):
        any_maximum_inside(np.zeros((6, 4)), np.ones(SIZE, bool))


@pytest.mark.parametrize("box", [(1.0, 1.0, 3.0, 4.0), (0.9, 0.2, 4.99, 2.5), (-2.7, -1, 2.2, 9)])
def test_whole_pixels_by_slices(box):
    x1, y1, x2, y2 = (max(int(edge), 0) for edge in box)
    expected = np.zeros(SIZE, bool)
    expected[y1:y2, x1:x2] = True
    assert np.array_equal(inside_whole_pixels(box, SIZE), expected)
