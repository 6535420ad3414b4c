"""Weighted least squares, as methods fit a linear model to what subsets of regions score."""

from __future__ import annotations

import numpy as np


def weighted_ridge(x: np.ndarray, y: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """The slopes of a ridge regression with a free intercept.

        min over a, B of sum_k w_k |y_k - a - B x_k|^2 + alpha |B|^2

    Args:
        x: (K, m) float64.
        y: (K, T) float64.
        weights: (K,) not negative, not all 0.
        alpha: not negative; of 0, the solution of least norm where there are several.

    Returns:
        (T, m) float64, B.
    """
    shares = weights / weights.sum()
    root = np.sqrt(weights)[:, None]
    x, y = root * (x - shares @ x), root * (y - shares @ y)
    slopes: np.ndarray = (
        np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ y)
        if alpha > 0
        else np.linalg.lstsq(x, y, rcond=None)[0]
    )
    return slopes.T


def shared_out(x: np.ndarray, y: np.ndarray, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
    """The slopes of a weighted regression without an intercept that add to a total.

        min over B with B 1 = total of sum_k w_k |y_k - B x_k|^2

    Args:
        x: (K, m) float64.
        y: (K, T) float64.
        weights: (K,) positive.
        total: (T,) float64.

    Returns:
        (T, m) float64, B; nearest to equal shares where there are several.
    """
    # The slopes are equal shares and what adds to 0 beside them, in a basis of all that does.
    count = x.shape[1]
    equal = np.tile(total[:, None] / count, count)
    centred = x - x.mean(axis=1, keepdims=True)
    root = np.sqrt(weights)[:, None]
    beside = np.linalg.lstsq(root * centred, root * (y - x @ equal.T), rcond=None)[0].T
    slopes: np.ndarray = equal + beside - beside.mean(axis=1, keepdims=True)
    return slopes
