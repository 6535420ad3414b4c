"""What is hidden, and where as much is hidden."""

import numpy as np
import pytest

from tests.helpers.analytic import TARGET, additive, strip_detector
from vps.engine.problem import make_problem
from vps.reliance.evidence import distance_from
from vps.reliance.hiding import moved_elsewhere, seen_with


@pytest.fixture
def weights():
    return np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.25])


def test_pixels_are_hidden_as_their_regions_would_be(weights):
    detector = strip_detector(additive(weights))
    image = (detector.pixels.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    problem = make_problem(detector, image, [TARGET], regions=detector.regions)
    labels = detector.regions.label_map
    hidden = [labels == 2, np.isin(labels, [0, 5]), labels == 2, labels < 0]
    found = seen_with(problem, hidden).score[:, 0]
    assert found == pytest.approx([0.85, 0.7, 0.85, 1.0])
    assert len(detector.seen) == 3  # Two are the same.


def test_shapes_move_as_a_brute_force_search_would_let_them():
    rng = np.random.default_rng(3)
    mask = np.zeros((9, 11), bool)
    mask[2:5, 3:6] = True
    avoid = np.zeros_like(mask)
    avoid[5:8, 2:7] = True
    apart = distance_from((2, 5, 7, 8), (9, 11), (9, 11))
    found = moved_elsewhere(mask, avoid, apart, 3, rng)
    assert len(found) == 3
    fitting = []
    for down in range(9):
        for right in range(11):
            moved = np.roll(mask, (down, right), (0, 1))
            # A tenth of nine pixels, rounded up.
            if (moved & mask).sum() <= 1 and (moved & avoid).sum() <= 1:
                fitting.append((abs(apart[moved].sum() - apart[mask].sum()), moved))
    nearest = sorted(error for error, _ in fitting)[: max(3, int(0.05 * len(fitting)))]
    for moved in found:
        assert moved.sum() == mask.sum()
        assert any(np.array_equal(moved, one) for _, one in fitting)
        error = abs(apart[moved].sum() - apart[mask].sum())
        assert error <= nearest[-1] + 1e-6


def test_what_has_no_room_is_not_moved():
    full = np.ones((4, 4), bool)
    nothing = np.zeros((4, 4), bool)
    apart = np.zeros((4, 4))
    assert moved_elsewhere(full, nothing, apart, 2, np.random.default_rng(0)) == []
    assert moved_elsewhere(nothing, nothing, apart, 2, np.random.default_rng(0)) == []
