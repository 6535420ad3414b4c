"""Which of several methods is better over many cases: mean ranks, and what they can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from vps.errors import InputError


@dataclass(frozen=True, eq=False)
class MethodRanks:
    """k methods on n blocks, e.g. images, on which all of them were measured.

    Attributes:
        methods: k names.
        mean_ranks: (k,) from 1, the best, to k; ties share the mean of their ranks.
        blocks: n.
        p_value: of Friedman's test: how likely ranks that differ so much would be if all methods
            were equal; 1 where they are.
        critical_difference: of Nemenyi's test: mean ranks that differ by less cannot be told
            apart.
        wins: (k, k) the share of blocks in which the method of the row is better than that of the
            column; a tie counts half.
    """

    methods: tuple[str, ...]
    mean_ranks: np.ndarray
    blocks: int
    p_value: float
    critical_difference: float
    wins: np.ndarray

    def groups(self) -> list[tuple[str, ...]]:
        """The largest sets of methods whose mean ranks cannot be told apart, two or more each."""
        order = np.argsort(self.mean_ranks, kind="stable")
        ranks = self.mean_ranks[order]
        found: list[tuple[int, int]] = []
        for first in range(len(order)):
            last = int(np.flatnonzero(ranks <= ranks[first] + self.critical_difference)[-1])
            if last > first and not any(a <= first and last <= b for a, b in found):
                found.append((first, last))
        return [tuple(self.methods[i] for i in order[a : b + 1]) for a, b in found]


def rank_methods(
    values: np.ndarray,
    methods: Sequence[str],
    *,
    higher_is_better: bool = True,
    alpha: float = 0.05,
) -> MethodRanks:
    """Friedman's test and Nemenyi's critical difference (Demsar, "Statistical Comparisons of
    Classifiers over Multiple Data Sets", JMLR 2006, section 3.2.2).

        CD = q_alpha sqrt(k (k + 1) / (6 n))

    with q_alpha the studentised range of k groups over the square root of 2.

    Args:
        values: (n, k) of n independent blocks; of several cases of an image, their mean.
        methods: k names.
        higher_is_better: which way the values go.
        alpha: the level of both tests, in (0, 1).

    Raises:
        InputError: fewer than 3 methods or 2 blocks, or values that are not finite.
    """
    values = np.asarray(values, np.float64)
    count = len(methods)
    if values.ndim != 2 or values.shape[1] != count or not np.isfinite(values).all():
        raise InputError(f"ranks need finite values (n, {count}), got {values.shape}")
    if count < 3 or len(values) < 2:
        raise InputError(f"ranks need 3 methods and 2 blocks at least, got {count}, {len(values)}")
    better = values if higher_is_better else -values
    ranks = rankdata(-better, axis=1)
    equal = bool((ranks == ranks[:, :1]).all())
    p_value = 1.0 if equal else float(friedmanchisquare(*values.T).pvalue)
    quantile = float(studentized_range.ppf(1 - alpha, count, np.inf)) / np.sqrt(2)
    above = better[:, :, None] - better[:, None, :]
    wins = (above > 0).mean(axis=0) + 0.5 * (above == 0).mean(axis=0)
    return MethodRanks(
        tuple(methods),
        ranks.mean(axis=0),
        len(values),
        p_value,
        float(quantile * np.sqrt(count * (count + 1) / (6 * len(values)))),
        wins,
    )
