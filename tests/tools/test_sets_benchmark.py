"""The passes until a repair is found, where they can be counted by hand."""

import numpy as np

from tests.helpers.analytic import additive, strip_detector
from tests.helpers.objectives import make
from tools.benchmarks.sets import measured
from vps.sets.goals import unseen

WEIGHTS = np.array([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])


def test_the_pass_of_the_first_set_and_of_the_smallest():
    source = make(strip_detector(additive(WEIGHTS))).source
    hidden = np.zeros((4, 6), bool)
    hidden[1, 1:3] = True  # 0.7 is left
    hidden[2, :4] = True
    hidden[3, 0] = True
    source.evaluate(~hidden)
    goal = unseen(0, 0.55)
    row = measured(source, goal)
    assert row == (3, 4, 1, source.regions.areas[0])
    assert measured(source, unseen(0, 0.01)) is None
