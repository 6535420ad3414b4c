"""Whether a map foretells how much the score drops when parts of the image are hidden."""

from __future__ import annotations

import numpy as np

from vps.core.names import choose
from vps.errors import InputError

FLAT = 1e-6
"""Score drops that differ by no more than this are the same but for float noise of a detector."""


DRAWS = ("fixed", "bernoulli")
"""How subsets are drawn: all of one size, or each region by itself."""


def random_subsets(
    count: int, regions: int, seed: int, share: float = 0.5, draw: str = "fixed"
) -> np.ndarray:
    """Random subsets of regions to hide.

    Args:
        count: how many subsets.
        regions: m, of the image.
        seed: the same seed gives the same subsets.
        share: of the regions that a subset holds, in (0, 1).
        draw: "fixed", all subsets have the same number of regions: share * m, rounded, at least one
            and not all, unless there is one region only. "bernoulli", each region is in a subset
            with probability `share`, whatever the others are, as in Xplique's MuFidelity, whose
            share is 0.2: subsets differ in size, so that a map is also asked how large an area
            costs how much.

    Returns:
        (count, m) bool, True for the regions in the subset; the same subset may occur twice, and
        one of "bernoulli" may be empty.

    Raises:
        InputError: a number or share out of range, or another draw.
    """
    choose(dict.fromkeys(DRAWS), draw, "draw of subsets")
    if count < 0 or regions < 1 or not 0 < share < 1:
        raise InputError(
            "random subsets need a count >= 0, at least one region and a share in (0, 1); got "
            f"{count}, {regions} and {share}"
        )
    if draw == "bernoulli":
        return np.random.default_rng(seed).random((count, regions)) < share
    size = max(min(round(share * regions), regions - 1), 1)
    ranks = np.tile(np.arange(regions), (count, 1))
    subsets: np.ndarray = np.random.default_rng(seed).permuted(ranks, axis=1) < size
    return subsets


def mu_fidelity(attributions: np.ndarray, hidden: np.ndarray, drops: np.ndarray) -> float | None:
    """Rank correlation of score drop and attribution removed.

        corr over subsets S of ( s(V) - s(V without S),  sum over r in S of a_r )

    Faithfulness of Bhatt et al., "Evaluating and Aggregating Feature-based Model Explanations",
    IJCAI 2020; here with Spearman's correlation instead of Pearson's, for the scale of a map means
    nothing.

    Args:
        attributions: (m,) a, the sum of the map over the pixels of each region.
        hidden: (K, m) bool, the regions of each subset, see `random_subsets`.
        drops: (K,) score drop where they are hidden.

    Returns:
        In [-1, 1], ties at their mean rank. None where it is not defined: all subsets remove the
        same attribution, or all drops are the same (within `FLAT`).

    Raises:
        InputError: shapes that do not fit together, or values that are not finite.
    """
    attributions, drops = np.asarray(attributions, np.float64), np.asarray(drops, np.float64)
    hidden = np.asarray(hidden, bool)
    if attributions.ndim != 1 or hidden.shape != (len(drops), len(attributions)):
        raise InputError(
            f"{attributions.shape} attributions and {drops.shape} drops need subsets of shape "
            f"(drops, attributions), got {hidden.shape}"
        )
    if not (np.isfinite(attributions).all() and np.isfinite(drops).all()):
        raise InputError("attributions and drops must be finite")
    energy = np.abs(attributions).sum()
    if not len(drops) or np.ptp(drops) <= FLAT or energy == 0:
        return None
    # Sums that are equal by definition differ in the last digits, which must not decide ranks.
    removed = np.round(hidden @ (attributions / energy), 9)
    if np.ptp(removed) == 0:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(removed, drops).statistic)
