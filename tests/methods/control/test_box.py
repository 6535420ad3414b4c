import dataclasses

import numpy as np

from tests.helpers.patches import BOX, SIZE, question
from vps.core.targets import Target
from vps.methods.control.box import BoxPrior


def test_one_inside_and_zero_outside():
    found = BoxPrior().attribute(question(), seed=0)
    expected = np.zeros((1, *SIZE))
    expected[0, 4:14, 4:14] = 1
    np.testing.assert_array_equal(found.maps, expected)
    assert found.maps.dtype == np.float32
    assert found.passes == 0


def test_shares_at_the_edges_on_another_grid():
    # The image is four times as high and twice as wide as the grid, and one box sticks out.
    base = question(Target(BOX, "dog"), Target((-3.0, 0.0, 4.0, 4.0), "cat"))
    asked = dataclasses.replace(base, pixels=base.pixels[:, :5, :15], size=SIZE)
    first, second = BoxPrior().attribute(asked, seed=0).maps
    np.testing.assert_allclose(first.sum(axis=1) / first.sum(), [0, 0.4, 0.4, 0.2, 0])
    np.testing.assert_allclose(first[1], [0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(first[3].max(), 0.5)
    assert second.sum() == 2
    assert (second[0, :2] == 1).all()
