"""How much of a map lies where the object is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vps.core.targets import Box
from vps.errors import InputError


def inside_box(box: Box, size: tuple[int, int]) -> np.ndarray:
    """The pixels whose centre lies in a box.

    The centre of pixel (row, column) is (column + 0.5, row + 0.5). Left and upper edge belong to
    the box, right and lower edge do not, so that boxes side by side share no pixel.

    Args:
        box: xyxy in pixels; edges may be fractions, and may lie outside the image.
        size: (H, W) of the image.

    Returns:
        (H, W) bool; all False for a box between the centres of pixels.
    """
    x1, y1, x2, y2 = box
    rows, columns = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    return ((y1 <= rows) & (rows < y2))[:, None] & ((x1 <= columns) & (columns < x2))


def inside_whole_pixels(box: Box, size: tuple[int, int]) -> np.ndarray:
    """The pixels of a box whose edges are cut to whole numbers, as in the authors' code of VPS.

    Pixel (row, column) lies inside where int(y1) <= row < int(y2) and int(x1) <= column < int(x2).
    At a box without fractions it is the same as `inside_box`.

    Args:
        box: xyxy in pixels; edges may lie outside the image.
        size: (H, W) of the image.

    Returns:
        (H, W) bool; all False for a box within one pixel.

    >>> inside_whole_pixels((0.6, 0, 2.6, 1), (1, 4)).tolist()
    [[True, True, False, False]]
    >>> inside_box((0.6, 0, 2.6, 1), (1, 4)).tolist()
    [[False, True, True, False]]
    """
    x1, y1, x2, y2 = map(int, box)
    return inside_box((x1, y1, x2, y2), size)


def any_maximum_inside(values: np.ndarray, inside: np.ndarray) -> float:
    """The pointing game of the authors' code of VPS: 1 where any pixel at the maximum lies inside.

    A region that is the maximum as a whole wins by a single pixel, so it is never lower than
    `pointing_game`. A constant map, whose pixels are all at the maximum, wins anywhere.

    Args, Raises: as for `pointing_game`.

    Returns:
        1 or 0.
    """
    values, inside = _checked(values, inside)
    return float(inside[values == values.max()].any())


def pointing_game(values: np.ndarray, inside: np.ndarray) -> float:
    """Whether the maximum of a map lies on the object.

    After Zhang et al., "Top-down Neural Attention by Excitation Backprop", IJCV 2018, without their
    tolerance of 15 pixels. Of several pixels at the maximum, as in maps that are constant within a
    region, each counts the same. A constant map points nowhere and misses.

    Args:
        values: (H, W) finite.
        inside: (H, W) bool, where the object is.

    Returns:
        The share of the pixels at the maximum that lie inside; 0 for a constant map.

    Raises:
        InputError: shapes that differ, or values that are not finite.
    """
    values, inside = _checked(values, inside)
    highest = values.max()
    if highest == values.min():
        return 0.0
    return float(inside[values == highest].mean())


def energy_pointing_game(values: np.ndarray, inside: np.ndarray) -> float:
    """The share of a map's energy that lies on the object.

        sum of the values inside / sum of all values

    From Wang et al., "Score-CAM", CVPR Workshops 2020.

    Args:
        values: (H, W) finite, at least 0.
        inside: (H, W) bool, where the object is, by box or mask.

    Returns:
        The share in [0, 1]; 0 for a map without energy, which points nowhere.

    Raises:
        InputError: shapes that differ, or values that are negative or not finite.
    """
    values, inside = _checked(values, inside)
    if (values < 0).any():
        raise InputError(f"energy is at least 0, but the map goes down to {values.min():.4g}")
    total = values.sum()
    return float(values[inside].sum() / total) if total > 0 else 0.0


class PointingRule(NamedTuple):
    """How a map is held against a box.

    Attributes:
        game: the pointing game, from a map and the pixels inside.
        inside: the pixels of a box in an image of a size, for this game and the energy's.
    """

    game: Callable[[np.ndarray, np.ndarray], float]
    inside: Callable[[Box, tuple[int, int]], np.ndarray]


POINTING_RULES: dict[str, PointingRule] = {
    "vps": PointingRule(pointing_game, inside_box),
    "vps-paper": PointingRule(any_maximum_inside, inside_whole_pixels),
}
"""By name: the toolkit's rule, and that of the authors' code of VPS."""


def _checked(values: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, inside = np.asarray(values, np.float64), np.asarray(inside, bool)
    if values.shape != inside.shape or not values.size:
        raise InputError(
            f"a map and the pixels inside must be of one size, got {values.shape} and "
            f"{inside.shape}"
        )
    if not np.isfinite(values).all():
        raise InputError("the map holds NaN or infinite values")
    return values, inside
