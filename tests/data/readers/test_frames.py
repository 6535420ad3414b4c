import pytest

from vps.data.left_out import LeftOut
from vps.data.readers.frames import FRACTIONS, Placed, drop_fractions, refuse_corners
from vps.errors import InputError

SIZE = (100, 200)


def placed(*boxes, size=SIZE):
    return [Placed(box, size, f"annotation {number}") for number, box in enumerate(boxes)]


PIXELS = (10, 20, 50, 60)
PARTS = (0.1, 0.2, 0.5, 0.6)


@pytest.mark.parametrize("size", [SIZE, None])
def test_fractions_are_refused_where_most_boxes_are(size):
    left_out = LeftOut("a.json")
    with pytest.raises(
        InputError, match=r"a\.json: 2 of 3 boxes .* e\.g\. annotation 0, 0\.1, 0\.2"
    ):
        drop_fractions(placed(PARTS, PIXELS, PARTS, size=size), left_out)


def test_single_fractions_are_left_out():
    left_out = LeftOut("a.json")
    assert drop_fractions(placed(PIXELS, PARTS), left_out) == [True, False]
    assert left_out.counts == {FRACTIONS: 1}
    assert drop_fractions([], left_out) == []


def test_small_boxes_in_pixels_stay():
    boxes = [(0, 0, 1, 1), (0.5, 0.5, 1.5, 1.5), (3, 3, 3.5, 3.5)]
    assert drop_fractions(placed(*boxes), LeftOut()) == [True] * 3
    assert drop_fractions(placed(PARTS, size=(1, 2)), LeftOut()) == [True]


def as_sizes(corners):
    """What a reader makes of corners that it takes for x, y, width, height."""
    return [(x1, y1, x1 + x2, y1 + y2) for x1, y1, x2, y2 in corners]


CORNERS = [(20 * k, 10 * k, 20 * k + 15, 10 * k + 9) for k in range(9)]


def test_corners_instead_of_sizes_are_refused():
    with pytest.raises(InputError, match=r"a\.json: \d of 9 boxes leave .* x1, y1, x2, y2"):
        refuse_corners(placed(*as_sizes(CORNERS)), "a.json")


def test_boxes_that_may_be_sizes_pass():
    refuse_corners(placed(*CORNERS), "a.json")
    # One box that is no pair of corners says that the others are none, either.
    refuse_corners(placed(*as_sizes(CORNERS), (150, 50, 160, 60)), "a.json")
    refuse_corners(placed(*as_sizes(CORNERS), size=None), "a.json")
    refuse_corners(placed(*as_sizes(CORNERS[:5])), "a.json")
    # Large objects in the upper left corner are both.
    refuse_corners(placed(*[(5, 5, 150 + k, 80) for k in range(9)]), "a.json")
