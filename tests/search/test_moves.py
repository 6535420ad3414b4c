import itertools

import numpy as np
import pytest

from vps.engine.curve_values import auc
from vps.engine.curves import areas_covered, prefixes
from vps.search.moves import Move, apart, gains, moved, ranked

COUNT = 6


def problem(seed: int, count: int = COUNT):
    """F of every subset at random as a function of (..., m) bool, areas (m,) and an order."""
    rng = np.random.default_rng(seed)
    table = rng.random(2**count)
    areas, order = rng.dirichlet(np.ones(count)), rng.permutation(count)
    return lambda keep: table[keep @ 2 ** np.arange(count)], areas, order


def worth(value, areas, order) -> float:
    return auc(areas_covered(areas, order), value(prefixes(order)))


def table_of_gains(value, areas, order) -> np.ndarray:
    keep = prefixes(order)
    toggled = keep[:, None, :] ^ np.eye(len(order), dtype=bool)
    return gains(areas[order], value(keep), value(toggled[:, order]))


def by_hand(order: np.ndarray, p: int, q: int) -> np.ndarray:
    rest = order.tolist()
    region = rest.pop(p)
    rest.insert(q, region)
    return np.array(rest)


def disjoint_pairs() -> list[list[Move]]:
    every = [Move(p, q) for p in range(COUNT) for q in range(COUNT) if p != q]
    return [
        [one, other]
        for one, other in itertools.permutations(every, 2)
        if max(one) < min(other) or max(other) < min(one)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, COUNT])
@pytest.mark.parametrize("seed", range(5))
def test_gains_equal_what_each_move_brings(seed, count):
    value, areas, order = problem(seed, count)
    table = table_of_gains(value, areas, order)
    assert table.shape == (count, count)
    assert not table.diagonal().any()
    now = worth(value, areas, order)
    for p, q in itertools.product(range(count), repeat=2):
        after = worth(value, areas, by_hand(order, p, q))
        assert table[p, q] == pytest.approx(after - now, abs=1e-12)


@pytest.mark.parametrize("p", range(COUNT))
@pytest.mark.parametrize("q", range(COUNT))
def test_only_new_prefixes_change_place(p, q):
    _, _, order = problem(0)
    after = moved(order, [Move(p, q)])
    assert after.tolist() == by_hand(order, p, q).tolist()
    changed = (prefixes(after) != prefixes(order)).any(axis=1)
    new = ~(prefixes(after)[:, None] == prefixes(order)[None]).all(axis=2).any(axis=1)
    assert np.array_equal(changed, new)


@pytest.mark.parametrize("p", range(COUNT))
@pytest.mark.parametrize("q", range(COUNT))
def test_the_stretch_holds_the_places_that_change(p, q):
    order = np.arange(COUNT)
    places = np.arange(COUNT)[Move(p, q).stretch]
    changed = np.flatnonzero(moved(order, [Move(p, q)]) != order)
    assert changed.tolist() == (places.tolist() if p != q else [])


def test_disjoint_moves_equal_one_after_the_other_and_their_gains_add_up():
    value, areas, order = problem(3)
    table, now = table_of_gains(value, areas, order), worth(value, areas, order)
    pairs = disjoint_pairs()
    assert len(pairs) > 100
    for moves in pairs:
        together, in_turn = moved(order, moves), order
        for move in moves:
            in_turn = by_hand(in_turn, *move)
        assert np.array_equal(together, in_turn)
        gain = sum(table[move] for move in moves)
        assert worth(value, areas, together) - now == pytest.approx(gain, abs=1e-12)


def test_three_disjoint_moves():
    moves = [Move(2, 0), Move(3, 4), Move(8, 5)]
    assert moved(np.arange(9), moves).tolist() == [2, 0, 1, 4, 3, 8, 5, 6, 7]
    assert moved(np.arange(9), []).tolist() == list(range(9))


def test_moving_leaves_the_order_it_was_given():
    order = np.arange(4)
    moved(order, [Move(0, 3)])
    assert order.tolist() == [0, 1, 2, 3]


def test_ranked_is_best_first_and_above_the_least():
    table = table_of_gains(*problem(1))
    moves = ranked(table, 0.01)
    worths = [table[move] for move in moves]
    assert worths == sorted(worths, reverse=True)
    assert set(moves) == {Move(*map(int, place)) for place in np.argwhere(table > 0.01)}
    assert ranked(table, table.max()) == []


def test_equal_gains_stand_by_place():
    table = np.zeros((3, 3))
    table[0, 2] = table[1, 0] = table[2, 1] = 0.5
    table[1, 2] = 0.75
    assert ranked(table, 0.0) == [(1, 2), (0, 2), (1, 0), (2, 1)]


def test_apart_takes_the_first_of_those_that_overlap():
    moves = [Move(1, 3), Move(3, 4), Move(4, 4), Move(0, 0), Move(5, 4), Move(0, 5), Move(6, 7)]
    assert apart(moves, 8) == [(1, 3), (4, 4), (0, 0), (6, 7)]
    assert apart([], 8) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_moves_chosen_gain_what_they_promise(seed):
    value, areas, order = problem(seed)
    table = table_of_gains(value, areas, order)
    chosen = apart(ranked(table, 0.0), COUNT)
    gained = worth(value, areas, moved(order, chosen)) - worth(value, areas, order)
    promised = sum(table[move] for move in chosen)
    assert gained == pytest.approx(promised, abs=1e-12)
    assert promised >= table.max()
