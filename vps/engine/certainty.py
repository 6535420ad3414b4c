"""How much of an order is told by the passes that a search made: the effect of each region."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

LEVELS = ("decides", "helps", "hinders", "cannot be told")
"""What an interval says of a region, see `levels_of`."""

CONFIDENCE = 0.9
"""Of the intervals."""

DECIDES, NOTHING = 0.1, 0.01
"""Shares of the range of s: the least effect that decides, and what counts as none."""


def effects_of(subsets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The effect of each region on the score, with an interval, from subsets that were shown.

    The effect of a region in a context S is s(S with it) - s(S), known wherever both were shown.
    The contexts are those that the search asked for: sets of likely regions, and what is left
    without them.

    Args:
        subsets: (K, m) bool, True where a region was shown.
        scores: (K,) s of each.

    Returns:
        (m, 4) float64: the mean over the contexts, the ends of its 90 % interval by Student's t,
        and the number of contexts. The interval is infinite with fewer than two, and the mean 0
        without any.
    """
    count = subsets.shape[1]
    found = np.tile([0.0, -np.inf, np.inf, 0.0], (count, 1))
    # A subset is told by the sum, modulo 2^64, of its regions' random numbers.
    generator = np.random.default_rng(0)
    numbers = generator.integers(2**64, size=(count,), dtype=np.uint64)
    keys = np.where(subsets, numbers, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    keys, subsets, scores = keys[order], subsets[order], scores[order]
    for region in range(count):
        without = np.flatnonzero(~subsets[:, region])
        place = np.searchsorted(keys, keys[without] + numbers[region]) % max(len(keys), 1)
        there = keys[place] == keys[without] + numbers[region]
        changes = scores[place[there]] - scores[without[there]]
        if len(changes):
            found[region, [0, 3]] = changes.mean(), len(changes)
        if len(changes) > 1:
            half = student.ppf((1 + CONFIDENCE) / 2, len(changes) - 1)
            half *= changes.std(ddof=1) / np.sqrt(len(changes))
            found[region, 1:3] = changes.mean() - half, changes.mean() + half
    return found
