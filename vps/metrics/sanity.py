"""Sanity checks of explanations: what must change a map, and what must not."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from vps.metrics.aggregate import Interval, mean_interval
from vps.metrics.stability import top_of


class Verdict(str, enum.Enum):
    """What an interval of a check's mean says."""

    PASSED = "passed"
    FAILED = "failed"
    UNCLEAR = "unclear"


class SanityCheck(NamedTuple):
    """A check, and where it is passed.

    Attributes:
        limit: of the mean over cases.
        at_most: whether the mean must not lie above the limit; else it must not lie below.
        about: what is measured.
    """

    limit: float
    at_most: bool
    about: str


CHECKS: dict[str, SanityCheck] = {
    "randomised": SanityCheck(
        0.3, True, "rank correlation with the map of the detector with all weights random"
    ),
    "inert": SanityCheck(
        0.5,
        True,
        "share of the map's top 10 % in regions that look like the fill, beside that of the area",
    ),
    "other target": SanityCheck(
        0.5, True, "rank correlation with the map of another detection of the image"
    ),
    "seeds": SanityCheck(0.8, False, "rank correlation with the map under another seed"),
    "completeness": SanityCheck(
        0.1, True, "what the map's sum lacks of s(image) - s(fill), as a share of it"
    ),
}
"""The checks by name. The limits are conventions: what is printed are the numbers."""


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of the values (m,) of m regions, in [-1, 1].

    Of equal maps 1, even constant ones; else a constant map says nothing that the other could
    share: 0.

    >>> rank_correlation(np.array([1.0, 2, 3]), np.array([0.0, 5, 9]))
    1.0
    """
    if np.array_equal(one, other):
        return 1.0
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.round(spearmanr(one, other).statistic, 12))


def inert_evidence(values: np.ndarray, inert: np.ndarray, label_map: np.ndarray) -> float:
    """How much of a map's top 10 % lies in regions whose hiding changes no pixel.

    Beside their share of the area: 1 is what a map gives that is blind to them; 0 is right, and
    what an empty map gets. The top is by size, for evidence against a detection is wrong there,
    too; and regions of value 0 are not in it, even where others cover less than 10 %.

    Args:
        values: (m,) of the regions; 0 says that a region does not matter.
        inert: (m,) bool, at least one.
        label_map: (h, w) the region of each pixel.

    >>> inert_evidence(np.array([0.0, 0, 1]), np.array([True, False, False]), np.array([[0, 1, 2]]))
    0.0
    """
    there = inert[label_map].ravel()
    sizes = np.abs(values)[label_map].ravel()
    top = top_of(sizes) * (sizes > 0)
    return float(top[there].sum() / max(top.sum(), 1e-12) / there.mean())


def completeness_error(total: float, rise: float) -> float:
    """How far a map's sum misses s(image) - s(fill), as a share of it; at least 0.

    >>> completeness_error(0.45, 0.5)
    0.1
    """
    return float(np.round(abs(total - rise) / max(abs(rise), 1e-6), 12))


@dataclass(frozen=True)
class Judged:
    """A check of a method over cases.

    Attributes:
        check: a key of `CHECKS`.
        interval: of the mean over cases, whole images drawn with replacement.
        verdict: failed or passed where the whole interval is on one side of the limit.
    """

    check: str
    interval: Interval
    verdict: Verdict


def judged(check: str, values: Sequence[float], images: Sequence[Hashable]) -> Judged:
    """What the values of n >= 1 cases say of a method.

    >>> judged("seeds", [0.9, 0.95, 1.0], ["a", "b", "c"]).verdict.value
    'passed'
    """
    interval = mean_interval(values, images)
    limit, at_most, _ = CHECKS[check]
    low, high = (interval.low, interval.high) if at_most else (-interval.high, -interval.low)
    edge = limit if at_most else -limit
    verdict = Verdict.UNCLEAR
    if high <= edge:
        verdict = Verdict.PASSED
    elif low > edge:
        verdict = Verdict.FAILED
    return Judged(check, interval, verdict)
