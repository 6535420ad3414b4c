"""From an order of regions and the values of F along it to a map in [0, 1]."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch.nn.functional import interpolate

from vps.errors import InputError

OURS, AUTHORS = "vps", "vps-paper"

MAP_RULES: dict[str, str] = {
    OURS: "a region stands above the next by its own step of F; edges of regions stay sharp",
    AUTHORS: "a region stands below the one before by its own step of F; enlarged bilinearly",
}
"""How an order becomes a map, by name: the toolkit's rule, and that of the authors' code, which the
tables of Chen et al., CVPR 2025, were made with; see `region_scores` and `enlarged`."""


def region_scores(order: np.ndarray, objective: np.ndarray, rule: str = OURS) -> np.ndarray:
    """The raw attribution of each region.

        a_0 = 0,   a_k = a_(k-1) - |F_k - F_(k-1)|,   k = 1..m

    with F_k the objective after k regions, so that F_0 is that of nothing shown. By rule "vps", the
    k-th region of the order (k = 1..m) gets a_(k-1): of two regions that follow each other, the
    first stands above the second by its own step of F, so that a region that brings the detection
    forth stands out from all that come after. By rule "vps-paper", it gets a_k, as in the authors'
    code: the difference is the step of the second, so that after one region that suffices, those
    that add nothing look as important. Regions that do not move F share one score.

    Args:
        order: (m,) region indices, most important first.
        objective: (m + 1,) F at steps 0..m.
        rule: a key of `MAP_RULES`.

    Returns:
        (m,) float64, at most 0, indexed by region.

    Raises:
        InputError: lengths that do not fit together.

    >>> region_scores(np.array([1, 0]), np.array([0.0, 1.5, 1.75])).tolist()
    [-1.5, 0.0]
    >>> region_scores(np.array([1, 0]), np.array([0.0, 1.5, 1.75]), "vps-paper").tolist()
    [-1.75, -1.5]
    """
    order, objective = np.asarray(order), np.asarray(objective, np.float64)
    if order.ndim != 1 or objective.shape != (len(order) + 1,):
        raise InputError(
            f"{order.shape} regions need F at {len(order) + 1} steps, got {objective.shape}"
        )
    fallen = -np.cumsum(np.abs(np.diff(objective)))  # a_1, ..., a_m
    scores = np.zeros(len(order))
    if rule == AUTHORS:
        scores[order] = fallen
    else:
        scores[order[1:]] = fallen[:-1]
    return scores


def scaled(values: np.ndarray) -> np.ndarray:
    """Values of any shape scaled linearly to [0, 1] as float32.

    Constant values carry no ranking: they come back as zeros, with a UserWarning, never as NaN.

    Raises:
        InputError: no values, or values that are not finite.
    """
    values = np.asarray(values, np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise InputError("a map needs at least one value and finite values only")
    low, high = values.min(), values.max()
    if not high > low:
        warnings.warn("the map is constant: no region stands out", stacklevel=2)
        return np.zeros(values.shape, np.float32)
    shares: np.ndarray = (values - low) / (high - low)
    return shares.astype(np.float32)


def paint(values: np.ndarray, label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """One value a region, painted onto a grid.

    The label map is looked up at the nearest pixel, so that the edges of regions stay where the
    search had them instead of blurring into values that no region has.

    Args:
        values: (m,) one a region.
        label_map: (h, w) integers in 0..m-1.
        size: (H, W) of the grid to paint on, e.g. of the original image.

    Returns:
        (H, W), of the type of `values`.
    """
    painted: np.ndarray = np.asarray(values)[resized(label_map, size)]
    return painted


def resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An array (h, w) on a grid of size (H, W), each pixel the nearest of `values`."""
    rows, columns = nearest(values.shape[0], size[0]), nearest(values.shape[1], size[1])
    return values[np.ix_(rows, columns)]


def enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) on a grid of size (H, W), bilinearly between the centres of its pixels.

    Beyond the outermost centres it stays as it is there; where the grid is coarser than the map, it
    is looked up, not averaged. It is what OpenCV's INTER_LINEAR does.

    >>> enlarged(np.array([[0.0, 1.0]], np.float32), (1, 4)).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    plane = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    found: np.ndarray = interpolate(plane, size=size, mode="bilinear", align_corners=False).numpy()
    # Rounding alone takes a weighted mean out of the range of its parts.
    return np.clip(found[0, 0], plane.min().item(), plane.max().item())


def nearest(source: int, count: int) -> np.ndarray:
    """For each of `count` pixels on a line, the index of the one of `source` under its centre."""
    return np.minimum((2 * np.arange(count) + 1) * source // (2 * count), source - 1)


def region_means(values: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """(m,) the mean of a map (h, w) over each region of a label map on the same grid."""
    labels = label_map.ravel()
    sums: np.ndarray = np.bincount(labels, np.asarray(values, np.float64).ravel())
    return sums / np.bincount(labels)


def region_sums(values: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """(m,) the sum of a map (H, W) over each region of a label map (h, w).

    Where the grids differ, the label map is looked up at the nearest pixel, as in `paint`; a region
    that no pixel of the map shows has the sum 0.
    """
    labels = resized(label_map, (values.shape[0], values.shape[1]))
    sums: np.ndarray = np.bincount(
        labels.ravel(), np.asarray(values, np.float64).ravel(), minlength=int(label_map.max()) + 1
    )
    return sums
