"""How many failures are repaired by hiding little of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vps.errors import InputError

_ROUNDING = 1e-9  # by which a sum of shares may exceed what it should be


def is_repaired(
    areas: Sequence[float] | np.ndarray, shares: Sequence[float] | np.ndarray
) -> np.ndarray:
    """(n, k) bool: whether hiding at most each of k shares of the image repairs each of n failures.

    Args:
        areas: (n,) the share of the image, in [0, 1], that is hidden to repair a failure; NaN for
            one that is not repaired.
        shares: (k,) in [0, 1].

    Raises:
        InputError: areas outside [0, 1].
    """
    areas = np.asarray(areas, np.float64)
    if not (np.isnan(areas) | ((areas >= 0) & (areas <= 1 + _ROUNDING))).all():
        raise InputError(f"areas lie in [0, 1], got {np.nanmin(areas)} to {np.nanmax(areas)}")
    repaired: np.ndarray = areas[:, None] <= np.asarray(shares, np.float64) + _ROUNDING
    return repaired


def repair_rate(
    areas: Sequence[float] | np.ndarray, shares: Sequence[float] | np.ndarray
) -> np.ndarray:
    """(k,) the share of failures that hiding at most each of k shares of the image repairs.

        r(x) = 1/n sum_i [a_i <= x]

    The arguments are those of `is_repaired`.

    Raises:
        InputError: no failures, or areas outside [0, 1].
    """
    if not len(areas):
        raise InputError("there are no failures: a rate of none says nothing")
    rate: np.ndarray = is_repaired(areas, shares).mean(axis=0)
    return rate


def repair_auc(area: float | None) -> float:
    """The area under the repair rate of a single failure, for x in [0, 1].

        AUC = integral of [a <= x] dx = 1 - a, or 0 where it is not repaired

    The mean over failures is the area under `repair_rate`, for integral and mean commute.

    Args:
        area: a, the share of the image that is hidden; None where it is not repaired.
    """
    return 0.0 if area is None else max(1 - area, 0.0)
