"""Where the evidence of one map lies: in the object, in other objects, or in the rest."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from vps.core.targets import Box
from vps.engine import attribution
from vps.errors import InputError
from vps.results.explanation import Explanation

OWN = 0.1
"""A region of which more than this share is the object's counts as a region of the object."""


class Share(NamedTuple):
    """How much of the evidence lies in some pixels.

    Attributes:
        share: of all evidence, in [0, 1].
        chance: the same under random orders of the regions beside the object.
    """

    share: float
    chance: float


class Surroundings(NamedTuple):
    """What lies where on a grid (h, w), each pixel in one of them, or in none.

    Attributes:
        own: (h, w) bool, the object that is explained.
        others: label -> (h, w) bool, what is visible of other objects of it, without `own`.
    """

    own: np.ndarray
    others: Mapping[str, np.ndarray]


def evidence_in(
    values: np.ndarray, label_map: np.ndarray, around: Surroundings
) -> tuple[float, float, dict[str, Share]] | None:
    """How the evidence of a map is shared out.

    The evidence of a region r is its value e_r times its pixels. With w_r the pixels of r in some
    objects, the share of these is

        sum_r e_r w_r / sum_r e_r a_r,      a_r all pixels of r

    and by chance, where the values of the regions beside the object change places at random,

        (sum_(r own) e_r w_r + e' sum_(r beside) w_r) / sum_r e_r a_r

    with e' the mean value of the regions beside the object: the mean over all their orders. Values
    of regions of the object (`OWN`) stay where they are, because that a map is bright at the object
    says nothing about what lies next to it.

    Args:
        values: (m,) of each region, at least 0.
        label_map: (h, w) int, the region of each pixel.
        around: what lies where on the same grid; other objects may overlap each other.

    Returns:
        The share in the object, the share outside of all annotated objects, and that of each label
        of the others; None for a map without evidence.

    Raises:
        InputError: grids that differ, or negative values.

    >>> regions = np.array([[0, 1, 2, 3]])
    >>> at = lambda *places: np.isin(regions, places)
    >>> own, rest, others = evidence_in(
    ...     np.array([2.0, 1.0, 1.0, 0.0]), regions, Surroundings(at(0), {"bar": at(1)})
    ... )
    >>> own, rest, others["bar"].share, round(others["bar"].chance, 3)
    (0.5, 0.25, 0.25, 0.167)
    """
    for mask in (around.own, *around.others.values()):
        if mask.shape != label_map.shape:
            raise InputError(f"masks must be on the grid {label_map.shape}, got {mask.shape}")
    if (values < 0).any():
        raise InputError(f"evidence is at least 0, got {values.min():.4g}")
    areas = np.bincount(label_map.ravel(), minlength=len(values))
    total = float(values @ areas)
    if not total > 0:
        return None

    def pixels(mask: np.ndarray) -> np.ndarray:
        return np.bincount(label_map[mask], minlength=len(values))

    own = pixels(around.own)
    beside = own <= OWN * areas
    usual = np.where(beside, values[beside].mean() if beside.any() else 0.0, values)
    taken = around.own.copy()
    others = {}
    for label, mask in around.others.items():
        weights = pixels(mask) / total
        others[label] = Share(float(values @ weights), float(usual @ weights))
        taken |= mask
    return float(values @ own / total), float(values @ pixels(~taken) / total), others


def region_evidence(explanation: Explanation) -> np.ndarray:
    """(m,) float64, the map of an explanation in each of its regions, in [0, 1]; zeros where it is
    constant."""
    with warnings.catch_warnings():
        # That it is constant was said when it was made.
        warnings.simplefilter("ignore", UserWarning)
        return attribution.scaled(explanation.region_scores).astype(np.float64)


def distance_from(box: Box, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """How far the pixels of a grid are from a box, in diagonals of the box.

    Args:
        box: xyxy, pixels of the image.
        size: (H, W) of the image.
        grid: (h, w), whose pixels are asked about.

    Returns:
        (h, w) float64, 0 inside.

    >>> distance_from((0, 0, 3, 4), (4, 18), (1, 3)).round(2).tolist()
    [[0.0, 1.2, 2.4]]
    """
    x1, y1, x2, y2 = box
    rows = (np.arange(grid[0]) + 0.5) * size[0] / grid[0]
    columns = (np.arange(grid[1]) + 0.5) * size[1] / grid[1]
    below = np.maximum(np.maximum(y1 - rows, rows - y2), 0)
    aside = np.maximum(np.maximum(x1 - columns, columns - x2), 0)
    apart: np.ndarray = np.hypot(below[:, None], aside) / np.hypot(x2 - x1, y2 - y1)
    return apart
