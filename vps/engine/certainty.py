"""How much of an order is told by the passes that a search made: the effect of each region."""

from __future__ import annotations

import enum

import numpy as np

CONFIDENCE = 0.9
"""Of the intervals."""

DECIDES, NOTHING = 0.1, 0.002
"""Shares of the highest score: the least effect that decides, and what counts as none."""

_FEWEST, _DRAWS = 3, 1000


class Level(str, enum.Enum):
    """What the measured effects say of a region."""

    DECIDES = "decides"
    HELPS = "helps"
    HINDERS = "hinders"
    UNTOLD = "cannot be told"


def effects_of(subsets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The effect of each region on the score, with an interval, from subsets that were shown.

    The effect of a region in a context S is s(S with it) - s(S), known wherever both were shown.
    The contexts are those that a search asked for: sets of likely regions, and what is left
    without them. The interval says how far the mean would move with other contexts of that kind;
    it is no statement about contexts that no search would ask for.

    Args:
        subsets: (K, m) bool, True where a region was shown; each once.
        scores: (K,) s of each.

    Returns:
        (m, 4) float64: the mean over the contexts, the ends of its 90 % interval by the percentile
        bootstrap (Efron, 1979), and the number of contexts. With fewer than 3 contexts the interval
        is all that there is, [-1, 1]; the mean is 0 without any.

    >>> shown = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], bool)
    >>> effects_of(shown, np.array([0.0, 0.5, 0.0, 0.75]))[:, 0].tolist()
    [0.625, 0.125]
    """
    generator = np.random.default_rng(0)
    found = np.tile([0.0, -1.0, 1.0, 0.0], (subsets.shape[1], 1))
    for region, changes in enumerate(_changes(subsets, scores)):
        if not len(changes):
            continue
        found[region, [0, 3]] = changes.mean(), len(changes)
        if len(changes) >= _FEWEST:
            draws = generator.integers(len(changes), size=(_DRAWS, len(changes)))
            ends = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
            found[region, 1:3] = np.quantile(changes[draws].mean(axis=1), ends)
    return found


def levels_of(effects: np.ndarray, highest: float) -> list[Level]:
    """What can be said of each region.

        decides          its interval lies above 0, and it adds 10 % of the highest score or more
        helps            its interval lies above 0
        hinders          its interval lies below 0
        cannot be told   neither; effects within 0.2 % of the highest score count as 0

    Args:
        effects: (m, 4) of `effects_of`.
        highest: the highest score of any subset.

    Returns:
        One a region.
    """
    means, lows, highs, _ = effects.T
    none = NOTHING * highest
    levels = []
    for mean, low, high in zip(means, lows, highs, strict=True):
        if low > none:
            levels.append(Level.DECIDES if mean >= DECIDES * highest else Level.HELPS)
        else:
            levels.append(Level.HINDERS if high < -none else Level.UNTOLD)
    return levels


def _changes(subsets: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Of each region, what adding it changed, wherever that is known."""
    # A subset is told by the sum, modulo 2^64, of its regions' random numbers.
    numbers = np.random.default_rng(0).integers(2**64, size=(subsets.shape[1],), dtype=np.uint64)
    keys = np.where(subsets, numbers, np.uint64(0)).sum(axis=1, dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    keys, subsets, scores = keys[order], subsets[order], scores[order]
    changes = []
    for number, shown in zip(numbers, subsets.T, strict=True):
        without = np.flatnonzero(~shown)
        wanted = keys[without] + number
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = keys[place] == wanted
        changes.append(scores[place[there]] - scores[without[there]])
    return changes
