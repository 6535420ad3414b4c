"""Tests of the reliance table: whole images change sign, and false discoveries are held down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control, permutation_test, ttest_1samp

from vps.metrics.aggregate import cluster_sums

_DRAWS = 9_999
_MANY = 40  # images
_AT_ONCE = 1 << 22  # numbers in memory


def above_zero(values: np.ndarray, images: np.ndarray, seed: int = 0) -> float:
    """How likely a mean as high is if each image's sum were as likely negative as positive.

    A sign-flip test with whole images as its units, one-sided; exact up to 13 images, else by
    9,999 draws (`scipy.stats.permutation_test`). Of n images, no value is below 2^-n. Beyond 40
    images it is Student's t-test of the same sums, for which draws are too few to tell small
    values apart.

    Args:
        values: (n,) one a case.
        images: (n,) int, the image of each.
        seed: of the draws.

    >>> above_zero(np.ones(4), np.arange(4))
    0.0625
    """
    sums = cluster_sums(values[:, None], images)[0][:, 0]
    if len(sums) < 2:
        return 1.0 if sums.sum() <= 0 else 0.5
    if len(sums) > _MANY:
        if not sums.std() > 0:
            return float(sums.mean() <= 0)
        return float(ttest_1samp(sums, 0, alternative="greater").pvalue)
    found = permutation_test(
        (sums,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_DRAWS,
        batch=max(_AT_ONCE // len(sums), 1),
        alternative="greater",
        random_state=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p: among all with q <= level, at most that share is false.

    From Benjamini & Hochberg, JRSS B 1995.

    >>> adjusted([0.01, 0.04, 0.5])
    [0.03, 0.06, 0.5]
    """
    if not len(p_values):
        return []
    return [float(q) for q in false_discovery_control(np.asarray(p_values), method="bh")]
