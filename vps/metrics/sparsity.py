"""How concentrated a map is."""

from __future__ import annotations

import numpy as np

from vps.errors import InputError


def gini(values: np.ndarray) -> float:
    """Gini index of the absolute values of a map.

        G = 1 - 2 sum_k c_(k) / |c|_1 * (n - k + 1/2) / n,   c_(1) <= ... <= c_(n)

    Hurley and Rickard, "Comparing Measures of Sparsity", IEEE Transactions on Information Theory
    55(10), 2009.

    Args:
        values: n numbers of any shape.

    Returns:
        In [0, 1): 0 for a constant map, 1 - 1/n for a single pixel; 0 for a map without energy.

    Raises:
        InputError: no values, or values that are not finite.
    """
    sizes = np.sort(np.abs(np.asarray(values, np.float64)), axis=None)
    if not sizes.size or not np.isfinite(sizes).all():
        raise InputError("sparsity needs at least one value and finite values only")
    total, count = sizes.sum(), sizes.size
    if total == 0:
        return 0.0
    weights = (count - np.arange(1, count + 1) + 0.5) / count
    # Rounding may fall below 0 on a constant map.
    return max(float(1 - 2 * np.dot(sizes / total, weights)), 0.0)
