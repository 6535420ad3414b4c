"""The search in phases against greedy, and against its steps read aloud."""

import functools
import itertools

import numpy as np
import pytest

from tests.helpers.analytic import additive, constant, coverage, noisy, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS, make
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.search.driver import run_searches
from vps.search.greedy import greedy
from vps.search.phase_window import Phases, phase_window

EXACT = Phases(prune=0, accept=1)


def found(objective, settings=None, **given):
    search = functools.partial(phase_window, settings=settings or Phases())
    return run_searches(search, [objective], **given)


def order_of(answer, count, settings=None, lambdas=(1.0, 1.0), **given) -> list[int]:
    objective = make(strip_detector(answer, count), lambdas=lambdas, batch_size=64)
    return found(objective, settings, **given).orders[0].tolist()


def by_greedy(answer, count, lambdas=(1.0, 1.0)) -> list[int]:
    objective = make(strip_detector(answer, count), lambdas=lambdas, batch_size=64)
    return run_searches(greedy, [objective]).orders[0].tolist()


def literal(objective, count: int, settings: Phases) -> list[int]:
    """The steps one by one, without putting off."""

    def value(regions) -> float:
        return float(objective.value(np.isin(np.arange(count), list(regions))[None])[0])

    def gains(chosen, regions) -> dict[int, float]:
        return {r: value([*chosen, r]) - value(chosen) for r in regions}

    def ranked(table) -> list[int]:
        return sorted(table, key=lambda region: (-table[region], region))

    chosen: list[int] = []
    pool = list(range(count))
    while pool:
        first = gains(chosen, pool)
        if max(first.values()) <= 0:
            break
        anchor = ranked(first)[0]
        chosen.append(anchor)
        taken = [first[anchor]]
        screened = gains(chosen, [region for region in pool if region != anchor])
        pool = list(screened)
        if not pool or max(screened.values()) <= 0:
            continue
        best = max(screened.values())
        pool = [region for region in pool if screened[region] >= settings.prune * best]
        queue = [r for r in ranked(screened) if screened[r] >= settings.select * best]
        window, queue = queue[: settings.window], queue[settings.window :]
        over = False
        while window and not over:
            now = gains(chosen, window)
            top = max(now.values())
            over = top < settings.select * best
            for region in ranked(now):
                if over or now[region] < max(settings.select * best, settings.accept * top):
                    break
                rates = [a / b for a, b in itertools.pairwise([*taken[-2:], now[region]])]
                over = len(rates) == 2 and rates[1] - rates[0] > settings.falling
                if over and now[region] < settings.hold * taken[-1]:
                    break
                chosen.append(region)
                taken.append(now[region])
                window.remove(region)
            while queue and len(window) < settings.window:
                window.append(queue.pop(0))
        pool = [region for region in pool if region not in chosen]
    return chosen + ranked(gains(chosen, [r for r in range(count) if r not in chosen]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lambdas", [(1, 1), (0.3, 2), (1, 0)])
def test_additive_scores_are_ordered_as_by_greedy(seed, lambdas):
    steps = np.random.default_rng(seed).permutation(np.arange(1, 15))
    answer = additive(0.9 * steps / steps.sum())
    assert order_of(answer, 14, lambdas=lambdas) == by_greedy(answer, 14, lambdas)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("select", [0.3, 0.6, 0.95])
def test_where_gains_only_shrink_the_order_is_that_of_greedy(seed, select):
    # So many points that no two regions gain the same, for these would be taken together.
    covers = np.random.default_rng(seed).random((12, 40_001)) < 0.25
    settings = Phases(prune=0, accept=1, select=select)
    answer = coverage(covers)
    assert order_of(answer, 12, settings, (1, 0)) == by_greedy(answer, 12, (1, 0))


@pytest.mark.parametrize("seed", range(4))
def test_pruned_regions_come_last_and_the_others_as_by_greedy(seed):
    covers = np.random.default_rng(seed).random((12, 40_001)) < 0.25
    covers[:4] &= np.random.default_rng(9).random((4, 40_001)) < 0.01
    answer = coverage(covers)
    order = order_of(answer, 12, Phases(prune=0.2, accept=1), (1, 0))
    assert order[:8] == by_greedy(answer, 12, (1, 0))[:8]
    assert set(order[8:]) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    "settings",
    [
        Phases(temperature=0),
        Phases(temperature=0, window=2, select=0.2),
        Phases(temperature=0, window=3, accept=0.5, select=0.1, prune=0.3, hold=0.5),
        Phases(temperature=0, window=1, select=0.01, falling=10),
        Phases(temperature=0, select=0.3, hold=1.01),
    ],
)
@pytest.mark.parametrize("lambdas", [(1, 1), (1, 0), (1, 1, 0.1)])
@pytest.mark.parametrize(
    ("answer", "count"), [(scattered(), 9), (noisy(WEIGHTS, 0.05), 6), (constant(0.5), 5)]
)
def test_equals_the_steps_read_aloud(settings, lambdas, answer, count):
    objective = make(strip_detector(answer, count), lambdas=lambdas)
    expected = literal(make(strip_detector(answer, count), lambdas=lambdas), count, settings)
    assert found(objective, settings).orders[0].tolist() == expected


@pytest.mark.parametrize("count", [1, 2, 5, 9, 14])
@pytest.mark.parametrize("settings", [Phases(), EXACT, Phases(window=2, accept=0.3, select=0.1)])
def test_never_more_passes_than_greedy(count, settings):
    for answer in (scattered(), noisy(np.linspace(0, 0.12, count))):
        objective = make(strip_detector(answer, count), batch_size=64)
        found(objective, settings)
        assert objective.source.passes <= count * (count + 1)


def test_a_window_saves_passes_on_many_regions():
    covers = np.random.default_rng(0).random((24, 4001)) < 0.1
    objective = make(strip_detector(coverage(covers), 24), lambdas=(1, 0), batch_size=64)
    found(objective, Phases(window=4, select=0.3, falling=10))
    assert objective.source.passes < 0.5 * 24 * 25


def test_regions_with_a_share_of_the_best_gain_are_taken_together():
    objective = make(strip_detector(additive(np.full(8, 0.1)), 8), batch_size=64)
    outcome = found(objective)
    # The anchor, the screening, the window with all others, and what their curves lack.
    assert outcome.orders[0].tolist() == list(range(8))
    assert outcome.rounds <= 4


def test_a_region_is_put_off_by_the_seed_and_never_at_temperature_0():
    weights = 0.9 * np.arange(40, 60)[::-1] / np.arange(40, 60).sum()
    settings = {"window": 2, "falling": 10.0}
    orders = [
        order_of(additive(weights), 20, Phases(**settings, temperature=heat), seed=seed)
        for heat, seed in [(0, 0), (0, 1), (1, 0), (1, 0), (1, 1)]
    ]
    assert orders[0] == orders[1] == list(range(20))
    assert orders[2] == orders[3]
    assert orders[2] != orders[4]
    assert sorted(orders[2]) == list(range(20)) != orders[2]


def test_stopped_early_the_others_stand_by_their_gain():
    weights = np.array([0.05, 0.3, 0.1, 0.2, 0.15, 0.12])
    objective = make(strip_detector(additive(weights)))
    outcome = found(objective, budget=Budget(14))
    assert outcome.stopped == "budget"
    assert outcome.orders[0].tolist() == [1, 3, 4, 5, 2, 0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"window": 1.5}, "window must be a whole number"),
        ({"prune": 1.5}, r"prune must lie in \[0, 1\], got 1.5"),
        ({"select": 0}, r"select must lie in \[0.01, 1\], got 0"),
        ({"accept": -0.1}, "accept must lie in"),
        ({"cooling": 2.0}, "cooling must lie in"),
        ({"falling": -1.0}, "falling must be at least 0"),
        ({"hold": float("nan")}, "hold must be a finite number"),
        ({"temperature": "warm"}, "temperature must be a number"),
    ],
)
def test_what_phases_cannot_be_set_to(given, message):
    with pytest.raises(InputError, match=message):
        Phases(**given)
