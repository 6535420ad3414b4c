"""Means over cases, with intervals that know which cases belong together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from vps.errors import InputError

TIE = 1e-9
"""Values of two methods that differ by no more than this are the same but for rounding."""

_ENTRIES = 1 << 20  # numbers drawn at a time, which bounds the memory


@dataclass(frozen=True)
class Interval:
    """The mean of n cases and the interval that holds it."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Paired:
    """One method against another over the n cases that both have.

    Attributes:
        difference: mean of the first method's value minus the second's.
        low, high: the interval of the difference.
        wins, ties, losses: cases in which the first method is better, the same, or worse.
        n: cases, the sum of the three.
    """

    difference: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int
    n: int


def cluster_bootstrap(
    clusters: Sequence[Hashable],
    statistic: Callable[[np.ndarray], float],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic, by drawing whole clusters with replacement.

    Objects of one image are not independent; drawing images instead of objects takes that into
    account (Davison & Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).

    Args:
        clusters: (n,) the cluster of each case, e.g. its image.
        statistic: from (k,) indices of cases, with repetitions, to a number.
        draws: how many times the clusters are drawn.
        level: of the interval, in (0, 1).
        seed: of the draws.

    Returns:
        Lower and upper end of the interval; they coincide if there is one cluster only.

    Raises:
        InputError: no cases, or a setting out of range.
    """
    _check(len(clusters), draws, level)
    numbers = _numbered(clusters)
    ends = np.cumsum(np.bincount(numbers))
    members = np.split(np.argsort(numbers, kind="stable"), ends[:-1])
    rng = np.random.default_rng(seed)
    values = [
        statistic(
            np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        )
        for _ in range(draws)
    ]
    return _percentiles(np.array(values), level)


def mean_interval(
    values: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The mean over cases, with the interval that `cluster_bootstrap` gives, but fast.

    Each case counts once, however many its image has; with the clusters' sums t and sizes n, a
    draw's mean is the sum of its t over the sum of its n.

    Args:
        values: (n,) one a case; cases to which the metric does not apply are left out beforehand.
        clusters, draws, level, seed: as for `cluster_bootstrap`.

    Raises:
        InputError: no cases, lengths that differ, values that are not finite, or a setting out of
            range.
    """
    values = np.asarray(values, np.float64)
    _check(len(clusters), draws, level)
    if values.shape != (len(clusters),):
        raise InputError(f"{len(clusters)} clusters need as many values, got {values.shape}")
    if not np.isfinite(values).all():
        raise InputError("a mean needs finite values, got NaN or infinity")
    numbers = _numbered(clusters)
    sizes = np.bincount(numbers)
    sums = np.bincount(numbers, values)
    rng, count = np.random.default_rng(seed), len(sizes)
    step = max(_ENTRIES // count, 1)
    means = []
    for start in range(0, draws, step):
        drawn = rng.integers(count, size=(min(step, draws - start), count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    low, high = _percentiles(np.concatenate(means), level)
    return Interval(float(values.mean()), low, high, len(values))


def paired(
    values: Sequence[float] | np.ndarray,
    others: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    *,
    higher_is_better: bool,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Paired:
    """Compare two methods case by case.

    Args:
        values: (n,) of the first method, NaN for a case that it lacks.
        others: (n,) of the second method on the same cases, likewise.
        clusters, draws, level, seed: as for `cluster_bootstrap`.
        higher_is_better: which side wins.

    Returns:
        The comparison over the cases that both have.

    Raises:
        InputError: no case that both have, lengths that differ, infinite values, or a setting out
            of range.
    """
    first, second = np.asarray(values, np.float64), np.asarray(others, np.float64)
    if not first.shape == second.shape == (len(clusters),):
        raise InputError(
            f"{len(clusters)} clusters need as many values of both methods, got {first.shape} and "
            f"{second.shape}"
        )
    both = np.flatnonzero(~(np.isnan(first) | np.isnan(second))).tolist()
    if not both:
        raise InputError("the methods have no case in common")
    differences = first[both] - second[both]
    interval = mean_interval(
        differences, [clusters[case] for case in both], draws=draws, level=level, seed=seed
    )
    gains = differences if higher_is_better else -differences
    wins, losses = int((gains > TIE).sum()), int((gains < -TIE).sum())
    return Paired(
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        wins=wins,
        ties=interval.n - wins - losses,
        losses=losses,
        n=interval.n,
    )


def _check(cases: int, draws: int, level: float) -> None:
    if not cases:
        raise InputError("an interval needs at least one case")
    if draws < 1 or not 0 < level < 1:
        raise InputError(
            f"an interval needs at least one draw and a level in (0, 1), got {draws} and {level}"
        )


def _numbered(clusters: Sequence[Hashable]) -> np.ndarray:
    """(n,) the cluster of each case as a number, by first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters])


def _percentiles(values: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
