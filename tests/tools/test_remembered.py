"""Passes that a file remembers, against passes that are made."""

import numpy as np

from tests.helpers.analytic import TARGET, additive, strip_detector
from tests.helpers.objectives import WEIGHTS, make, subsets
from tools.benchmarks.remembered import RememberedPasses


def test_what_the_file_knows_counts_but_is_not_asked_again(tmp_path):
    def source(detector):
        given = (detector, detector.pixels, (12, 16), detector.regions, [TARGET])
        return RememberedPasses(tmp_path / "passes" / "one.npz", *given, batch_size=4)

    keep = np.unique(subsets(20), axis=0)
    first, second = (strip_detector(additive(WEIGHTS)) for _ in range(2))
    before = source(first)
    said = before.evaluate(keep[:9])
    before.save()
    after = source(second)
    np.testing.assert_array_equal(after.evaluate(keep[:9]).table, said.table)
    assert (after.passes, len(second.seen)) == (9, 0)
    expected = make(strip_detector(additive(WEIGHTS))).source.evaluate(keep)
    np.testing.assert_array_equal(after.evaluate(keep).table, expected.table)
    assert (after.passes, len(second.seen)) == (len(keep), len(keep) - 9)
