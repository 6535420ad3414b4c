import itertools

import numpy as np
import pytest

from tests.helpers.analytic import additive, breaking, by_score
from tests.helpers.games import WEIGHTS, asked
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.search.vx_code import VXCODE

VARIANTS = ("insertion", "deletion")


def random_game(count=7, seed=0):
    """Any set function at all, in [0, 1]."""
    values = np.random.default_rng(seed).random(2**count)
    return lambda keep: float(values[keep @ (1 << np.arange(count))])


def by_loops(score, count, variant, group=1, top=30, share=0.1):
    """The search read aloud."""

    def worth(members):
        keep = np.isin(np.arange(count), members)
        return score(keep) if variant == "insertion" else -score(~keep)

    order, left = [], list(range(count))
    while left:
        size = min(group, len(left)) if len(order) < share * count else 1
        ranked = sorted(left, key=lambda region: (-worth([*order, region]), region))
        groups = itertools.combinations(sorted(ranked[:top]), size)
        best = max(groups, key=lambda members: worth([*order, *members]))
        ways = itertools.permutations(best)
        order += max(ways, key=lambda way: sum(worth([*order, *way[: n + 1]]) for n in range(size)))
        left = [region for region in left if region not in order]
    return order


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"group": 2, "share": 0.5},
        {"group": 3, "share": 1.0},
        {"group": 2, "top": 3, "share": 1.0},
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_is_what_plain_loops_find(variant, settings, seed):
    score = random_game(seed=seed)
    problem = asked(by_score(score), 7)
    method = VXCODE(variant, **settings)
    found = method.attribute(problem, Budget(), 0)
    assert found.orders[0].tolist() == by_loops(score, 7, variant, **settings)
    assert found.passes == len(problem.detector.seen) <= method.planned_passes(problem)
    assert found.stopped == "finished"


@pytest.mark.parametrize("variant", VARIANTS)
def test_of_an_additive_game_the_order_is_that_of_the_weights(variant):
    found = VXCODE(variant).attribute(asked(additive(WEIGHTS)), Budget(), 0)
    assert found.orders[0].tolist() == [3, 1, 4, 2, 5, 0]
    assert found.passes == 22 == VXCODE().planned_passes(asked(additive(WEIGHTS)))


def pairs_and_one(keep):
    """A pair that is needed together, beside one that does a little alone."""
    return 0.8 * bool(keep[1] and keep[4]) + 0.1 * bool(keep[2])


def test_a_group_sees_what_no_region_does_alone():
    answer = by_score(pairs_and_one)
    alone = VXCODE("insertion").attribute(asked(answer)).orders[0].tolist()
    together = VXCODE("insertion", group=2).attribute(asked(answer)).orders[0].tolist()
    assert alone[0] == 2
    assert sorted(together[:2]) == [1, 4]
    # Deleted, each of the pair does it alone.
    assert VXCODE("deletion").attribute(asked(answer)).orders[0][0] == 1


def test_what_a_budget_does_not_reach_follows_by_what_it_did_alone():
    problem = asked(additive(WEIGHTS))
    found = VXCODE("insertion").attribute(problem, Budget(passes=9), 0)
    assert found.orders[0].tolist() == [3, 1, 4, 2, 5, 0]
    assert (found.passes <= 9, found.stopped, found.limit) == (True, "budget", 9)
    assert VXCODE().with_passes(15).planned_passes(problem) == 15
    assert VXCODE(budget=15).attribute(problem, Budget(passes=40), 0).limit == 15
    with pytest.raises(InputError, match="budget of 5 passes is too small"):
        VXCODE().attribute(problem, Budget(passes=5))


def test_ended_early():
    problem = asked(additive(WEIGHTS), batch_size=8)
    breaking(problem.detector, {2: KeyboardInterrupt()})
    found = VXCODE("insertion").attribute(problem, Budget(), 0)
    assert found.orders[0].tolist() == [3, 1, 4, 2, 5, 0]
    assert found.stopped == "interrupted"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "insert"}, "unknown variant 'insert', did you mean 'insertion'"),
        ({"group": 6}, "group must be at most 5"),
        ({"group": 3, "top": 2}, "top must be at least the group, 3, got 2"),
        ({"share": 1.5}, r"share must lie in \[0, 1\]"),
        ({"budget": 1}, "budget must be at least 2"),
    ],
)
def test_what_it_cannot_be_set_to(settings, message):
    with pytest.raises(InputError, match=message):
        VXCODE(**settings)
