import numpy as np

from tests.helpers.patches import BOX, SIZE, question
from vps.core.targets import Target
from vps.engine.problem import Problem
from vps.methods.box import box_map


def test_one_inside_and_zero_outside():
    found = box_map(question(), seed=0)
    expected = np.zeros((1, *SIZE))
    expected[0, 4:14, 4:14] = 1
    np.testing.assert_array_equal(found.values, expected)
    assert found.values.dtype == np.float32
    assert found.passes == 0


def test_shares_at_the_edges_on_another_grid():
    # The image is four times as high and twice as wide as the grid, and one box sticks out.
    base = question(Target(BOX, "dog"), Target((-3.0, 0.0, 4.0, 4.0), "cat"))
    asked = Problem(
        base.detector, base.pixels[:, :5, :15], SIZE, base.regions, base.targets, fill="black"
    )
    first, second = box_map(asked, seed=0).values
    np.testing.assert_allclose(first.sum(axis=1) / first.sum(), [0, 0.4, 0.4, 0.2, 0])
    np.testing.assert_allclose(first[1], [0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(first[3].max(), 0.5)
    assert second.sum() == 2
    assert (second[0, :2] == 1).all()
