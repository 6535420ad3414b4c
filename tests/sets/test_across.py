"""Sets that hold under several fills, against brute force over all of them."""

import itertools

import numpy as np
import pytest

from tests.helpers.analytic import by_score, noisy, strip_detector
from tests.helpers.objectives import make
from vps.engine.budget import Budget
from vps.sets.across import AcrossFills, Verdicts
from vps.sets.among import smallest_set_among
from vps.sets.goals import seen, unseen
from vps.sets.smallest import smallest_set


def sources(count, seed, fills=3):
    """As if under different fills the detector said nearly the same."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(0.1, 0.3, count)
    near = [weights + rng.normal(0, 0.08, count) for _ in range(fills)]
    return [make(strip_detector(noisy(each, 0.1), count)).source for each in near]


def attaining(each, goal, keep):
    """(K,) bool: under all fills, each asked for everything."""
    return np.all([goal(source.evaluate(keep))[0] for source in each], axis=0)


@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_set_that_holds_under_all_fills(hide, seed):
    goal = (unseen if hide else seen)(0, 0.5)
    across = AcrossFills(sources(8, seed), goal)
    found = smallest_set(across, Verdicts.goal, [np.arange(8)], hide=hide)
    keep = np.array(list(itertools.product([False, True], repeat=8)))
    ok = attaining(sources(8, seed), goal, ~keep if hide else keep)
    assert found.exact
    assert found.passes == across.passes
    best = keep[ok].sum(axis=1).min() if ok.any() else None
    assert (None if found.regions is None else len(found.regions)) == best
    if best is not None:
        assert ok[(keep == np.isin(np.arange(8), found.regions)).all(axis=1)].all()


def test_a_subset_is_shown_under_the_next_fill_only_where_it_attained_the_goal():
    each = sources(8, 0)
    goal, across = seen(0, 0.5), AcrossFills(each, seen(0, 0.5))
    keep = np.random.default_rng(0).random((40, 8)) < 0.5
    assert across.new(keep).sum() == len(np.unique(keep, axis=0))
    across.show(keep, Budget())
    assert not across.new(keep).any()
    first = goal(each[0].evaluate(keep))[0]
    assert {row.tobytes() for row in each[1].subsets} == {row.tobytes() for row in keep[first]}
    before = across.passes
    verdicts = across.evaluate(keep)
    assert across.passes == before
    assert np.array_equal(verdicts.attained, attaining(sources(8, 0), goal, keep))
    assert ((verdicts.nearness >= 3) == verdicts.attained).all()
    assert np.array_equal(verdicts[:5].nearness, verdicts.nearness[:5])


def test_what_was_seen_under_one_fill_alone_does_not_hold():
    each = [make(strip_detector(by_score(lambda keep: 0.9 * keep[2]))).source for _ in range(2)]
    across = AcrossFills(each, seen(0, 0.5))
    each[0].evaluate(np.ones((1, 6), bool))
    assert across.seen.attained.tolist() == [False]
    across.show(np.ones((1, 6), bool), Budget())
    assert across.seen.attained.tolist() == [True]


def test_it_can_be_looked_for_among_some_regions():
    rules = (lambda keep: 0.9 * (not keep[1]), lambda keep: 0.9 * (not keep[1] and not keep[4]))
    each = [make(strip_detector(by_score(rule))).source for rule in rules]
    for among, expected in (([1, 3, 4], [1, 4]), ([1, 3], None)):
        across = AcrossFills(each, seen(0, 0.5))
        found = smallest_set_among(
            across, Verdicts.goal, [], np.array(among), hide=True, budget=Budget()
        )
        assert (None if found.regions is None else found.regions.tolist()) == expected
