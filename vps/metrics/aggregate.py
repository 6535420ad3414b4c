"""Means over cases, with intervals that know which cases belong together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vps.errors import InputError

TIE = 1e-9
"""Values of two methods that differ by no more than this are the same but for rounding."""

_ENTRIES = 1 << 18  # numbers drawn at a time, which bounds the memory
_KEPT = 1 << 24  # numbers of draws that are kept for the next call, a byte each


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
    low, high = _percentiles(np.array(values), level)
    return float(low), float(high)


def mean_interval(
    values: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The mean over cases, with the interval that `cluster_bootstrap` gives, but fast.

    Each case counts once, however many its image has.

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
    columns, numbers = values[:, None], _numbered(clusters)
    (interval,) = mean_intervals(columns, numbers, draws=draws, level=level, seed=seed)
    assert interval is not None  # there is a case
    return interval


def mean_intervals(
    values: np.ndarray,
    clusters: np.ndarray,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Interval | None]:
    """`mean_interval` of many columns: those that the same cases have share their draws.

    Args:
        values: (n, k) finite, or NaN for a case that has no value in a column.
        clusters: (n,) int, the cluster of each case.
        draws, level, seed: as for `cluster_bootstrap`.

    Returns:
        k of them; None for a column without a value.
    """
    there = np.isfinite(values)
    found: list[Interval | None] = [None] * values.shape[1]
    alike: dict[bytes, list[int]] = {}
    for number, column in enumerate(there.T):
        alike.setdefault(column.tobytes(), []).append(number)
    for columns in alike.values():
        pattern = there[:, columns[0]]
        if not pattern.any():
            continue
        kept = values[np.ix_(pattern, columns)]
        means = bootstrap_means(*cluster_sums(kept, clusters[pattern]), draws=draws, seed=seed)
        lows, highs = _percentiles(means, level)
        for column, mean, low, high in zip(columns, kept.mean(axis=0), lows, highs, strict=True):
            found[column] = Interval(float(mean), float(low), float(high), len(kept))
    return found


def cluster_sums(values: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums of values (n, k) over the cases of each cluster, (c, k), and their sizes, (c,).

    Clusters come in the order of their first case.
    """
    _, first, numbers = np.unique(clusters, return_index=True, return_inverse=True)
    places = np.argsort(np.argsort(first))[numbers]
    sizes = np.bincount(places)
    sums = np.zeros((len(sizes), values.shape[1]))
    for number, column in enumerate(values.T):
        sums[:, number] = np.bincount(places, column)
    return sums, sizes


def bootstrap_means(
    sums: np.ndarray, sizes: np.ndarray, *, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """The means of k columns over the cases of c clusters that are drawn with replacement.

    A draw is how often it has each cluster, w; with the clusters' sums t and sizes n, its mean is
    (w t) / (w n): one product of matrices for all columns.

    Args:
        sums: (c, k) of the values in each cluster.
        sizes: (c,) cases of each cluster, at least 1.
        draws, seed: as for `cluster_bootstrap`, whose draws these are.

    Returns:
        (draws, k)
    """
    table = np.column_stack([sums, sizes]).astype(np.float64, copy=False)
    step = max(_ENTRIES // len(sizes), 1)
    means = []
    for times in _draws(len(sizes), draws, seed, step):
        totals = times.astype(np.float64) @ table
        means.append(totals[:, :-1] / totals[:, -1:])
    return np.concatenate(means)


def _draws(count: int, draws: int, seed: int, step: int) -> Iterable[np.ndarray]:
    """How often each draw has each cluster, (step, count) uint8 at a time.

    They depend on the number of clusters alone, so that all methods of a group share them.
    """
    made = _make_draws(count, draws, seed, step)
    return made if draws * count > _KEPT else _kept_draws(count, draws, seed, step)


@functools.lru_cache(maxsize=4)
def _kept_draws(count: int, draws: int, seed: int, step: int) -> tuple[np.ndarray, ...]:
    return tuple(_make_draws(count, draws, seed, step))


def _make_draws(count: int, draws: int, seed: int, step: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        # Seldom more than ten times.
        yield times.astype(np.uint8) if times.max() < 256 else times


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
    if np.isinf(first).any() or np.isinf(second).any():
        raise InputError("a comparison needs finite values, got infinity")
    columns, numbers = (first[:, None], second[:, None]), _numbered(clusters)
    (found,) = paired_columns(
        *columns, numbers, [higher_is_better], draws=draws, level=level, seed=seed
    )
    if found is None:
        raise InputError("the methods have no case in common")
    return found


def paired_columns(
    values: np.ndarray,
    others: np.ndarray,
    clusters: np.ndarray,
    higher_is_better: Sequence[bool],
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Paired | None]:
    """`paired` of many columns.

    Args:
        values, others: (n, k) of both methods, NaN where one has no value.
        clusters, draws, level, seed: as for `mean_intervals`.
        higher_is_better: (k,) which side wins.

    Returns:
        k of them; None for a column without a case that both have.
    """
    differences = values - others
    intervals = mean_intervals(differences, clusters, draws=draws, level=level, seed=seed)
    found: list[Paired | None] = []
    for interval, column, better in zip(intervals, differences.T, higher_is_better, strict=True):
        if interval is None:
            found.append(None)
            continue
        gains = column if better else -column
        wins, losses = int((gains > TIE).sum()), int((gains < -TIE).sum())
        found.append(
            Paired(
                difference=interval.mean,
                low=interval.low,
                high=interval.high,
                wins=wins,
                ties=interval.n - wins - losses,
                losses=losses,
                n=interval.n,
            )
        )
    return found


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


def _percentiles(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the middle of draws (draws, ...), each (...)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
