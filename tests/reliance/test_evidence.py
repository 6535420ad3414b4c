"""Where the evidence lies, against slow references."""

import itertools

import numpy as np
import pytest

from vps.errors import InputError
from vps.reliance.evidence import OWN, Surroundings, distance_from, evidence_in


def grids(seed=0, count=5):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(60) % count).reshape(6, 10)
    own = np.zeros((6, 10), bool)
    own[labels == 0] = True
    bar, pole = (rng.random((2, 6, 10)) < 0.3) & ~own
    return labels, Surroundings(own, {"bar": bar, "pole": pole})


def test_shares_are_those_of_pixels():
    labels, around = grids()
    values = np.array([1.0, 0.2, 0.5, 0.0, 0.3])
    own, rest, others = evidence_in(values, labels, around)
    painted = values[labels]
    taken = around.own | around.others["bar"] | around.others["pole"]
    assert own == pytest.approx(painted[around.own].sum() / painted.sum())
    assert rest == pytest.approx(painted[~taken].sum() / painted.sum())
    for name, mask in around.others.items():
        assert others[name].share == pytest.approx(painted[mask].sum() / painted.sum())


def test_chance_is_the_mean_over_all_orders_of_the_regions_beside_the_object():
    labels, around = grids(1)
    values = np.array([1.0, 0.2, 0.5, 0.0, 0.3])
    _, _, others = evidence_in(values, labels, around)
    total = values[labels].sum()
    shares = []
    for order in itertools.permutations(range(1, 5)):
        moved = np.concatenate([values[:1], values[list(order)]])
        shares.append(moved[labels][around.others["bar"]].sum() / total)
    assert others["bar"].chance == pytest.approx(np.mean(shares))


def test_a_region_that_holds_a_piece_of_the_object_stays_where_it_is():
    labels = np.repeat(np.arange(3), 20).reshape(3, 20)
    own = np.zeros((3, 20), bool)
    own[1, : int(20 * OWN) + 1] = True
    bar = np.zeros((3, 20), bool)
    bar[1, -5:] = True
    _, _, others = evidence_in(np.array([0.0, 1.0, 0.5]), labels, Surroundings(own, {"bar": bar}))
    assert others["bar"].share == others["bar"].chance > 0


def test_no_evidence_and_what_is_wrong():
    labels, around = grids()
    assert evidence_in(np.zeros(5), labels, around) is None
    with pytest.raises(InputError, match="at least 0, got -1"):
        evidence_in(np.array([0, 0, 0, 0, -1.0]), labels, around)
    with pytest.raises(InputError, match=r"grid \(6, 10\), got \(2, 2\)"):
        evidence_in(np.ones(5), labels, Surroundings(np.zeros((2, 2), bool), {}))


def test_distances_against_a_loop():
    box, size, grid = (10.0, 4.0, 22.0, 9.0), (20, 30), (10, 15)
    found = distance_from(box, size, grid)
    for row, column in itertools.product(range(10), range(15)):
        y, x = (row + 0.5) * 2, (column + 0.5) * 2
        nearest = min(max(x, 10), 22), min(max(y, 4), 9)
        expected = np.hypot(x - nearest[0], y - nearest[1]) / np.hypot(12, 5)
        assert found[row, column] == pytest.approx(expected)
