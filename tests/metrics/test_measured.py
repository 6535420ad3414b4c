import dataclasses

import numpy as np

from vps.metrics import Measured


def test_the_map_is_computed_once_and_a_constant_one_warns_no_more(explanation, recwarn):
    one = Measured(dataclasses.replace(explanation, objective=[0.5] * 5))
    assert one.heatmap is one.heatmap
    assert one.heatmap.shape == (20, 40)
    assert not one.heatmap.any()
    assert not recwarn


def test_the_box_is_that_of_the_truth_where_there_is_one(explanation):
    x1, y1, x2, y2 = map(int, explanation.target.box)
    expected = np.zeros((20, 40), bool)
    expected[y1:y2, x1:x2] = True
    assert np.array_equal(Measured(explanation).inside, expected)
    inside = Measured(explanation, truth_box=(0, 0, 3, 2)).inside
    assert inside.sum() == 6
    assert inside[:2, :3].all()
