"""Smallest sets against brute force, and what they may cost."""

import itertools

import numpy as np
import pytest

from tests.helpers.analytic import additive, by_score, constant, coverage, noisy, strip_detector
from tests.helpers.objectives import make
from vps.engine.budget import Budget
from vps.sets.goals import seen, unseen
from vps.sets.smallest import smallest_set


def members(regions, count):
    found = np.zeros(count, bool)
    found[list(regions)] = True
    return found


def fewest(source, goal, count, hide):
    """The size of the smallest set that attains the goal, by trying all; None for none."""
    keep = np.array(list(itertools.product([False, True], repeat=count)))
    ok, _ = goal(source.evaluate(~keep if hide else keep))
    return keep[ok].sum(axis=1).min() if ok.any() else None


def is_irreducible(source, goal, regions, count, hide):
    sets = [members(regions, count)]
    sets += [members(np.delete(regions, k), count) for k in range(len(regions))]
    ok, _ = goal(source.evaluate(~np.array(sets) if hide else np.array(sets)))
    return ok[0] and not ok[1:].any()


def monotone(kind, count, seed):
    rng = np.random.default_rng(seed)
    if kind == "additive":
        weights = rng.random(count) ** 3
        return additive(weights / weights.sum())
    if kind == "coverage":
        return coverage(rng.random((count, 30)) < 0.2)
    # Needs all regions of one of three groups: what no single region tells.
    groups = [rng.choice(count, rng.integers(2, min(5, count)), replace=False) for _ in range(3)]
    return by_score(lambda keep: float(any(keep[group].all() for group in groups)))


@pytest.mark.parametrize("kind", ["additive", "coverage", "groups"])
@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("count", [5, 9, pytest.param(11, marks=pytest.mark.slow)])
def test_of_few_regions_the_set_is_the_smallest_of_all(kind, hide, count):
    for seed in range(3):
        detector = strip_detector(monotone(kind, count, seed), count)
        order = np.random.default_rng(seed).permutation(count)
        objective = make(detector)
        goal = (unseen if hide else seen)(0, 0.5)
        found = smallest_set(objective.source, goal, [order], hide=hide)
        assert found.passes == objective.source.passes <= 2**count
        assert found.exact
        best = fewest(objective.source, goal, count, hide)
        assert (None if found.regions is None else len(found.regions)) == best
        if found.regions is not None:
            assert is_irreducible(objective.source, goal, found.regions, count, hide)


@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("count", [8, 30])
@pytest.mark.parametrize("passes", [0, 40, 300])
def test_no_region_can_be_left_out_whatever_the_score(hide, count, passes):
    sizes = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        weights = rng.normal(0.1, 0.4, count)
        source = make(strip_detector(noisy(weights, 0.4), count)).source
        order = np.argsort(weights if hide else -weights)
        goal = (unseen if hide else seen)(0, 0.6)
        source.evaluate(rng.random((64, count)) < 0.5)  # some of which attain the goal
        found = smallest_set(source, goal, [order], hide=hide, budget=Budget(passes))
        if found.regions is not None and len(found.regions):
            assert is_irreducible(source, goal, found.regions, count, hide)
            sizes.append(len(found.regions))
    assert sizes


def test_a_pair_that_only_works_together_is_found_from_the_far_end_of_the_order():
    """Of 60 regions, two hide the dog; hiding one of them alone changes nothing."""
    detector = strip_detector(by_score(lambda keep: 0.8 * (not keep[17] and not keep[41])), 60)
    last = np.r_[np.delete(np.arange(60), [17, 41]), 17, 41]
    source = make(detector).source
    found = smallest_set(source, seen(0, 0.3), [last[::-1], last], hide=True, budget=Budget(500))
    assert found.regions.tolist() == [17, 41]
    assert found.exact  # no single one does
    assert found.passes <= 500


def test_a_prefix_that_was_seen_to_do_is_kept_where_shorter_ones_cannot_be_tried():
    """Of 60 regions, the first six hide the dog; every fourth prefix takes 16 passes."""
    detector = strip_detector(by_score(lambda keep: 0.8 * (not keep[:6].any())), 60)
    source = make(detector).source
    found = smallest_set(source, seen(0, 0.3), [np.arange(60)], hide=True, budget=Budget(17))
    assert found.regions.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.stopped == "budget"


def test_a_beam_finds_what_grows_step_by_step():
    """Three of 60 regions are in the way; the more are hidden, the better."""
    bad = [5, 30, 44]
    detector = strip_detector(by_score(lambda keep: 0.2 * (~keep[bad]).sum()), 60)
    found = smallest_set(make(detector).source, seen(0, 0.5), hide=True, budget=Budget(400))
    assert found.regions.tolist() == bad


def test_what_is_so_already_needs_no_region():
    objective = make(strip_detector(constant(0.2)))
    assert smallest_set(objective.source, unseen(0, 0.3), hide=True).regions.tolist() == []
    assert objective.source.passes == 1


@pytest.mark.parametrize("hide", [False, True])
def test_what_can_never_be_seen_takes_a_bounded_number_of_passes(hide):
    source = make(strip_detector(constant(0.0), 60)).source
    found = smallest_set(source, seen(0, 0.3), [np.arange(60)], hide=hide, budget=Budget(300))
    assert found.regions is None
    assert not found.exact
    assert found.passes == source.passes <= 301
    few = make(strip_detector(constant(0.0))).source
    none = smallest_set(few, seen(0, 0.3), hide=hide)
    assert (none.regions, none.exact, none.passes) == (None, True, 64)


def test_what_was_seen_to_attain_the_goal_is_a_start():
    """Four regions that only help together, and while most others are shown: no prefix of the
    order hides them in time, but they were seen hidden before, with two more."""
    needed = np.isin(np.arange(40), [3, 14, 15, 29])

    def score(keep):
        return 0.9 * float(not keep[needed].any() and keep.sum() > 20)

    def found(*seen_before):
        objective = make(strip_detector(by_score(score), 40))
        for hidden in seen_before:
            objective.source.evaluate(~members(hidden, 40)[None])
        return smallest_set(
            objective.source, seen(0, 0.5), [np.arange(40)[::-1]], hide=True, budget=Budget(120)
        )

    assert found().regions is None
    assert found([3, 14, 15, 20, 21, 29]).regions.tolist() == [3, 14, 15, 29]
