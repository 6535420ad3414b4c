"""Means over cases, with intervals that know which cases belong together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from vps.errors import InputError


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
        InputError: no cases.
    """
    if not len(clusters):
        raise InputError("an interval needs at least one case")
    rows: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        rows.setdefault(cluster, []).append(row)
    members = list(rows.values())
    rng = np.random.default_rng(seed)
    values = [
        statistic(
            np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        )
        for _ in range(draws)
    ]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
